use event::Record;

/// The most records one step may put out. More waits in a work queue in the state and goes out with later ticks.
pub const RECORDS_MAX: usize = 5_000;

/// The records that one step puts out, in order.
#[derive(Debug, Default)]
pub struct Effects {
    records: Vec<Record>,
}

impl Effects {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn emit(&mut self, record: Record) {
        assert!(
            self.records.len() < RECORDS_MAX,
            "a step puts out at most {RECORDS_MAX} records; queue the rest"
        );
        self.records.push(record);
    }

    /// How many more records this step may put out.
    pub fn room(&self) -> usize {
        RECORDS_MAX - self.records.len()
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }

    pub fn into_records(self) -> Vec<Record> {
        self.records
    }
}
