//! What was measured.

use std::{collections::BTreeMap, time::Duration};

use crate::meter::Spent;

/// Everything that is measured, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    Floor,
    Engine,
    FloorKnown,
    EngineKnown,
    SkewUniform,
    SkewGiant,
    SkewKiosk,
    Encode,
    Decode,
    Fsync,
    AppendOne,
    AppendOneByEight,
    AppendThousand,
    AppendThousandByEight,
    ReadBack,
    WholeInMemory,
    WholeOnDisk,
    Restart,
    RequestOfOne,
    RequestOfOneBySixtyFour,
    RequestOfHundred,
    RequestOfHundredByEight,
}

impl Figure {
    #[cfg(test)]
    pub(crate) const ALL: [Figure; 22] = [
        Figure::Floor,
        Figure::Engine,
        Figure::FloorKnown,
        Figure::EngineKnown,
        Figure::SkewUniform,
        Figure::SkewGiant,
        Figure::SkewKiosk,
        Figure::Encode,
        Figure::Decode,
        Figure::Fsync,
        Figure::AppendOne,
        Figure::AppendOneByEight,
        Figure::AppendThousand,
        Figure::AppendThousandByEight,
        Figure::ReadBack,
        Figure::WholeInMemory,
        Figure::WholeOnDisk,
        Figure::Restart,
        Figure::RequestOfOne,
        Figure::RequestOfOneBySixtyFour,
        Figure::RequestOfHundred,
        Figure::RequestOfHundredByEight,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Figure::Floor => "floor: de-duplicate, intern, unite, append",
            Figure::Engine => "engine: unify, identify, cases; no log, no bytes, one thread",
            Figure::FloorKnown => "floor: the same, known customers",
            Figure::EngineKnown => "engine: known customers, sets that come again",
            Figure::SkewUniform => "engine: new sets, evenly spread customers",
            Figure::SkewGiant => "engine: new sets, every fifth event of one customer",
            Figure::SkewKiosk => "engine: new sets, every fifth event names one shared device",
            Figure::Encode => "wire: encode an event",
            Figure::Decode => "wire: decode an event",
            Figure::Fsync => "disk: write 4 KiB and fsync",
            Figure::AppendOne => "log: append 1 record, 1 writer",
            Figure::AppendOneByEight => "log: append 1 record, 8 writers",
            Figure::AppendThousand => "log: append 1,000 records, 1 writer",
            Figure::AppendThousandByEight => "log: append 1,000 records, 8 writers",
            Figure::ReadBack => "log: read back from the file",
            Figure::WholeInMemory => "whole loop: event to timeline and cases, log in memory",
            Figure::WholeOnDisk => "whole loop: event to timeline and cases, embedded log",
            Figure::Restart => "restart: rows of state read back",
            Figure::RequestOfOne => "ingest: 1 event a request, 1 sender",
            Figure::RequestOfOneBySixtyFour => "ingest: 1 event a request, 64 senders",
            Figure::RequestOfHundred => "ingest: 100 events a request, 1 sender",
            Figure::RequestOfHundredByEight => "ingest: 100 events a request, 8 senders",
        }
    }

    /// What is counted.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Figure::Fsync => "fsyncs",
            Figure::AppendOne
            | Figure::AppendOneByEight
            | Figure::AppendThousand
            | Figure::AppendThousandByEight
            | Figure::ReadBack => "records",
            Figure::Restart => "rows",
            Figure::Floor
            | Figure::Engine
            | Figure::FloorKnown
            | Figure::EngineKnown
            | Figure::SkewUniform
            | Figure::SkewGiant
            | Figure::SkewKiosk
            | Figure::Encode
            | Figure::Decode
            | Figure::WholeInMemory
            | Figure::WholeOnDisk
            | Figure::RequestOfOne
            | Figure::RequestOfOneBySixtyFour
            | Figure::RequestOfHundred
            | Figure::RequestOfHundredByEight => "events",
        }
    }
}

/// One figure in one round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// How many events, records or fsyncs it was.
    pub(crate) count: u64,
    pub(crate) spent: Spent,
    /// How long each caller waited, where somebody waits.
    pub(crate) waits: Vec<Duration>,
    /// Where the processor time went.
    pub(crate) parts: Vec<(&'static str, Duration)>,
    /// What else is worth knowing, each a sentence.
    pub(crate) notes: Vec<String>,
}

impl Sample {
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.spent.wall.as_secs_f64()
    }

    pub(crate) fn cpu_us(&self) -> f64 {
        self.spent.cpu.as_secs_f64() * 1e6 / self.count as f64
    }

    /// The wait that this share of the callers stayed below.
    pub(crate) fn wait_ms(&self, share: f64) -> Option<f64> {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let last = waits.len().checked_sub(1)?;
        let place = (last as f64 * share).round() as usize;
        Some(waits[place.min(last)].as_secs_f64() * 1e3)
    }
}

/// All rounds of all figures.
#[derive(Debug, Default)]
pub(crate) struct Results(BTreeMap<Figure, Vec<Sample>>);

impl Results {
    pub(crate) fn add(&mut self, samples: Vec<(Figure, Sample)>) {
        for (figure, sample) in samples {
            self.0.entry(figure).or_default().push(sample);
        }
    }

    pub(crate) fn figures(&self) -> impl Iterator<Item = (Figure, &[Sample])> {
        self.0
            .iter()
            .map(|(figure, samples)| (*figure, samples.as_slice()))
    }

    pub(crate) fn of(&self, figure: Figure) -> &[Sample] {
        self.0.get(&figure).map_or(&[], Vec::as_slice)
    }
}

/// The middle one; of an even number the mean of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(values[middle - 1], upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_whatever_the_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn a_share_of_the_callers_waited_no_longer() {
        let sample = Sample {
            waits: (1..=101).rev().map(Duration::from_millis).collect(),
            ..Sample::default()
        };
        assert_eq!(sample.wait_ms(0.5), Some(51.0));
        assert_eq!(sample.wait_ms(0.99), Some(100.0));
        assert_eq!(Sample::default().wait_ms(0.5), None);
    }
}
