use event::Record;

/// The most records one step may put out. More waits in a work queue in the state and goes out with later ticks.
pub const RECORDS_MAX: usize = 5_000;

/// The records that one step puts out, in order.
#[derive(Debug)]
pub struct Effects {
    records: Vec<Record>,
    records_max: usize,
}

impl Default for Effects {
    fn default() -> Self {
        Self::with_room(RECORDS_MAX)
    }
}

impl Effects {
    pub fn new() -> Self {
        Self::default()
    }

    /// Room for fewer records than usual: so tests make a machine's work queue fill early.
    pub fn with_room(records_max: usize) -> Self {
        assert!(records_max <= RECORDS_MAX, "no step puts out more");
        Self {
            records: Vec::new(),
            records_max,
        }
    }

    pub fn emit(&mut self, record: Record) {
        assert!(
            self.records.len() < self.records_max,
            "a step puts out at most {} records; queue the rest",
            self.records_max
        );
        self.records.push(record);
    }

    /// How many more records this step may put out.
    pub fn room(&self) -> usize {
        self.records_max - self.records.len()
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Makes room for the next step.
    pub fn clear(&mut self) {
        self.records.clear();
    }

    /// Hands the records out, and makes room for the next step.
    pub fn drain(&mut self) -> impl Iterator<Item = Record> {
        self.records.drain(..)
    }

    pub fn into_records(self) -> Vec<Record> {
        self.records
    }
}
