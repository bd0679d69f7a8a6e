//! The path as a picture: its stages as stops on a line, and bars. Each has a table twin that says the same.

use event::{DepartmentId, rules::Journey};

use super::Spots;
use crate::{
    desk::{entry::decimal, speech::Speech},
    model::figures::Scores,
};

/// A stage on the line.
pub(super) struct Stop {
    pub(super) name: String,
    pub(super) is_own: bool,
    pub(super) owner: Option<String>,
    pub(super) total: String,
    /// "arvio 72 %", of all questions together.
    pub(super) mean: Option<String>,
    pub(super) open: Option<String>,
    pub(super) praise: Option<String>,
}

/// One bar, in hundredths of the longest.
pub(super) struct Bar {
    pub(super) count: u64,
    pub(super) width: u64,
}

/// Bars of a distribution: where each begins and ends, in a picture of 44 by 12.
pub(super) struct Bars(pub(super) Vec<(usize, u64, u64)>);

const HEIGHT: u64 = 12;
const STEP: usize = 4;

impl Bar {
    pub(super) fn new(count: u64, most: u64) -> Bar {
        Bar {
            count,
            width: (count * 100).checked_div(most).unwrap_or_default(),
        }
    }
}

impl Bars {
    pub(super) fn new(counts: &[u64]) -> Bars {
        let most = counts.iter().copied().max().unwrap_or_default().max(1);
        let bars = counts.iter().enumerate().map(|(place, count)| {
            // What is there at all is seen.
            let height = (count * HEIGHT).div_ceil(most);
            (place * STEP, HEIGHT - height, height)
        });
        Bars(bars.collect())
    }
}

pub(super) fn stops(
    speech: &Speech,
    journey: &Journey,
    department: &DepartmentId,
    spots: &Spots,
) -> Vec<Stop> {
    let stops = journey.stages.iter().map(|stage| {
        let owner = journey.owners.get(stage);
        let spot = spots.get(&(Some(stage.clone()), None));
        let volume = spot.map(|spot| &spot.volume);
        let count = |key: &str, count: u64| speech.with(key, [("count", count.into())]);
        let some = |key: &str, number: u64| (number > 0).then(|| count(key, number));
        let mut all = Scores::default();
        for scores in volume.into_iter().flat_map(|volume| volume.scores.values()) {
            all.join(scores);
        }
        let mean = all.mean().map(|mean| {
            let mean = decimal(speech, &format!("{:.0}", mean * 100.0));
            speech.with("path-stop-mean", [("mean", mean.into())])
        });
        let praise = volume.map_or(0, |volume| volume.praise(speech.company()));
        Stop {
            name: Speech::sentence(&speech.label(stage)),
            is_own: owner == Some(department),
            owner: owner.map(|owner| speech.department(owner)),
            total: count(
                "path-stop-events",
                volume.map_or(0, |volume| volume.total()),
            ),
            mean,
            open: some("path-stop-open", spot.map_or(0, |spot| spot.open)),
            praise: some("path-stop-praise", praise),
        }
    });
    stops.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_the_ground_and_the_longest_is_whole() {
        let Bars(bars) = Bars::new(&[0, 1, 100]);
        assert_eq!(bars, [(0, 12, 0), (4, 11, 1), (8, 0, 12)]);
        assert_eq!(Bars::new(&[0, 0]).0, [(0, 12, 0), (4, 12, 0)]);
        assert_eq!(Bar::new(1, 4).width, 25);
        assert_eq!(Bar::new(0, 0).width, 0);
    }
}
