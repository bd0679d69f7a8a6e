//! What happened where: events of customers counted by the place on their path where they met us.
//!
//! Kept up with every event, so that a look costs what it shows. An event that names nobody counts too; seen by other eyes than
//! a customer's, it does not. Which stage a touchpoint belongs to, and from which score on feedback is praise, is asked of the
//! company's rules when somebody looks, since rules and events may be read in any order.

use std::collections::{BTreeMap, BTreeSet};

use event::{Channel, Company, Event, EventId, Kind, Name, Score, Time, Token};

#[derive(Debug, Default)]
pub(crate) struct Figures {
    spots: BTreeMap<Spot, Volume>,
    places: BTreeMap<Name, Volume>,
    /// What complaints were called, and how often: what a person who records one chooses from.
    complaints: BTreeMap<Name, u64>,
    /// The latest feedback, some of it thanks, by when it came in: a notice of thanks tells that moment, and not the event.
    thanks: BTreeSet<(Time, EventId)>,
}

/// Where on the path, and by which channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub stage: Option<Name>,
    pub touchpoint: Option<Name>,
    pub channel: Channel,
}

/// How much happened at one spot or place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Volume {
    pub feedback: u64,
    pub complaints: u64,
    pub services: u64,
    /// Feedback whose type says that it is thanks.
    thanks: u64,
    /// Other feedback with a score, by hundredths of its scale: from some of them on it is praise.
    scored: BTreeMap<u8, u64>,
    /// By metric.
    pub scores: BTreeMap<Name, Scores>,
}

/// The answers to one question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scores {
    pub count: u64,
    /// Millionths of the scale, so that what was added can be taken away again exactly.
    sum: u64,
    /// By tenths of the scale, the nearest.
    pub tenths: [u64; 11],
}

/// Names come from senders: beyond so many, the rest is counted as one.
const SPOTS_MAX: usize = 2_000;
const PLACES_MAX: usize = 5_000;
const COMPLAINTS_MAX: usize = 200;
const METRICS_MAX: usize = 20;
/// More than the notices of thanks that pages show.
const THANKS_MAX: usize = 10_000;

#[derive(Clone, Copy)]
enum Change {
    Add,
    Take,
}

impl Figures {
    pub(crate) fn add(&mut self, event: &Event) {
        self.change(event, Change::Add);
    }

    /// A later revision replaces the event.
    pub(crate) fn take(&mut self, event: &Event) {
        self.change(event, Change::Take);
    }

    fn change(&mut self, event: &Event, change: Change) {
        if !event.is_customers() {
            return;
        }
        let spot = Spot {
            stage: event.stage.clone(),
            touchpoint: event.touchpoint.clone(),
            channel: event.channel,
        };
        let rest = Spot {
            stage: Some(other()),
            touchpoint: None,
            channel: event.channel,
        };
        bounded(&mut self.spots, spot, rest, SPOTS_MAX).change(event, change);
        if let Some(place) = event.place.clone() {
            bounded(&mut self.places, place, other(), PLACES_MAX).change(event, change);
        }
        if event.kind == Kind::Complaint {
            let name = event.name.clone();
            change.of(bounded(&mut self.complaints, name, other(), COMPLAINTS_MAX));
        }
        if event.kind == Kind::Feedback {
            match change {
                Change::Add => self.thanks.insert((event.received, event.id)),
                Change::Take => self.thanks.remove(&(event.received, event.id)),
            };
            if self.thanks.len() > THANKS_MAX {
                self.thanks.pop_first();
            }
        }
    }

    /// In no order that means anything.
    pub(crate) fn spots(&self) -> impl Iterator<Item = (&Spot, &Volume)> {
        self.spots.iter()
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = (&Name, &Volume)> {
        self.places.iter()
    }

    /// The feedback that came in at a moment, as far as it is remembered.
    pub(crate) fn thanks(&self, received: Time) -> impl Iterator<Item = EventId> {
        let id = |byte| EventId::new(Token::new([byte; 16]));
        let at = self.thanks.range((received, id(0))..=(received, id(0xff)));
        at.map(|(_, event)| *event)
    }

    /// The most usual first.
    pub(crate) fn complaints(&self) -> Vec<&Name> {
        let mut names: Vec<_> = self
            .complaints
            .iter()
            .filter(|(_, count)| **count > 0)
            .collect();
        names.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        names.into_iter().map(|(name, _)| name).collect()
    }
}

impl Spot {
    /// As the event says, else that of its touchpoint.
    pub(crate) fn stage<'a>(&'a self, company: &'a Company) -> Option<&'a Name> {
        stage(company, self.stage.as_ref(), self.touchpoint.as_ref())
    }
}

/// The step of the path: as it was said, else the one that the touchpoint belongs to.
pub(crate) fn stage<'a>(
    company: &'a Company,
    said: Option<&'a Name>,
    touchpoint: Option<&Name>,
) -> Option<&'a Name> {
    said.or_else(|| {
        let mut journeys = company.journeys.values();
        journeys.find_map(|journey| journey.touchpoints.get(touchpoint?))
    })
}

impl Volume {
    fn change(&mut self, event: &Event, change: Change) {
        change.of(match event.kind {
            Kind::Feedback => &mut self.feedback,
            Kind::Complaint => &mut self.complaints,
            Kind::Service | Kind::Unknown => &mut self.services,
        });
        if event.kind == Kind::Feedback {
            if event.name.as_str().starts_with("praise") {
                change.of(&mut self.thanks);
            } else if let Some(score) = &event.score {
                change.of(self.scored.entry(hundredths(score)).or_default());
            }
        }
        if let Some(score) = &event.score {
            let metric = score.metric.clone();
            bounded(&mut self.scores, metric, other(), METRICS_MAX).change(score, change);
        }
    }

    pub(crate) fn praise(&self, company: &Company) -> u64 {
        let from = company.cases.praise_from;
        let scored = self.scored.iter();
        let high: u64 = scored
            .filter(|(hundredths, _)| f64::from(**hundredths) / 100.0 >= from)
            .map(|(_, count)| count)
            .sum();
        self.thanks + high
    }

    pub(crate) fn total(&self) -> u64 {
        self.feedback + self.complaints + self.services
    }

    /// Both together.
    pub(crate) fn join(&mut self, other: &Volume) {
        self.feedback += other.feedback;
        self.complaints += other.complaints;
        self.services += other.services;
        self.thanks += other.thanks;
        for (hundredths, count) in &other.scored {
            *self.scored.entry(*hundredths).or_default() += count;
        }
        for (metric, scores) in &other.scores {
            self.scores.entry(metric.clone()).or_default().join(scores);
        }
    }
}

impl Scores {
    fn change(&mut self, score: &Score, change: Change) {
        change.of(&mut self.count);
        change.of(&mut self.tenths[tenth(score)]);
        let share = scaled(score, 1_000_000);
        match change {
            Change::Add => self.sum += share,
            Change::Take => self.sum -= share,
        }
    }

    pub(crate) fn join(&mut self, other: &Scores) {
        self.count += other.count;
        self.sum += other.sum;
        for (mine, theirs) in self.tenths.iter_mut().zip(other.tenths) {
            *mine += theirs;
        }
    }

    /// The sum of the answers, each as a share of its scale.
    pub(crate) fn sum(&self) -> f64 {
        self.sum as f64 / 1_000_000.0
    }

    /// As a share of the scale; `None` without any answer.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum() / self.count as f64)
    }
}

impl Change {
    fn of(self, count: &mut u64) {
        match self {
            Change::Add => *count += 1,
            Change::Take => *count -= 1,
        }
    }
}

/// The row of a key, or the rest's once the map is full. A full map takes no new key, so that what was counted as the rest is
/// found there again.
fn bounded<K: Ord, V: Default>(map: &mut BTreeMap<K, V>, key: K, rest: K, max: usize) -> &mut V {
    let is_known = map.contains_key(&key);
    let key = if is_known || map.len() < max {
        key
    } else {
        rest
    };
    map.entry(key).or_default()
}

/// What is counted for names beyond the bound, and for names that the company's rules do not know.
pub(crate) fn other() -> Name {
    Name::new("other").expect("`other` is a name")
}

fn hundredths(score: &Score) -> u8 {
    // Down, so that what lies below a line stays below it; 0.9 of a scale is 90 whichever way it was divided.
    u8::try_from(scaled(score, 1_000_000) / 10_000).unwrap_or(100)
}

fn tenth(score: &Score) -> usize {
    usize::try_from((scaled(score, 100) + 5) / 10).map_or(10, |tenth| tenth.min(10))
}

/// Where it lies on its scale, in whole parts; doors refuse a score outside its scale.
fn scaled(score: &Score, parts: u32) -> u64 {
    (score.share().clamp(0.0, 1.0) * f64::from(parts)).round() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score(value: f64) -> Score {
        Score {
            metric: Name::new("nps").unwrap(),
            value,
            min: 0.0,
            max: 10.0,
        }
    }

    #[test]
    fn a_score_lies_on_its_scale() {
        for (value, tenths, hundred) in [(0.0, 0, 0), (3.0, 3, 30), (9.0, 9, 90), (10.0, 10, 100)] {
            assert_eq!(
                (tenth(&score(value)), hundredths(&score(value))),
                (tenths, hundred)
            );
        }
        // A scale without a length and a value outside of it count as its ends.
        assert_eq!(
            scaled(
                &Score {
                    max: 0.0,
                    ..score(3.0)
                },
                100
            ),
            0
        );
        assert_eq!(scaled(&score(11.0), 100), 100);
    }

    proptest! {
        #[test]
        fn what_is_added_and_taken_is_as_if_it_never_was(
            kept in prop::collection::vec(0_u32..=100, 0..20),
            taken in prop::collection::vec(0_u32..=100, 0..20),
        ) {
            let values = |parts: &[u32]| -> Vec<Score> {
                parts.iter().map(|part| score(f64::from(*part) / 10.0)).collect()
            };
            let mut only = Scores::default();
            let mut both = Scores::default();
            for one in values(&kept) {
                only.change(&one, Change::Add);
                both.change(&one, Change::Add);
            }
            for one in values(&taken) {
                both.change(&one, Change::Add);
            }
            for one in values(&taken) {
                both.change(&one, Change::Take);
            }
            prop_assert_eq!(only, both);
            let mean = kept.iter().map(|part| f64::from(*part) / 100.0).sum::<f64>();
            prop_assert!((only.sum() - mean).abs() < 1e-4);
        }

        #[test]
        fn a_full_map_counts_the_rest_as_one(keys in prop::collection::vec(0_u8..20, 0..60)) {
            let mut map = BTreeMap::<u8, u64>::new();
            for key in &keys {
                *bounded(&mut map, *key, u8::MAX, 5) += 1;
            }
            prop_assert!(map.len() <= 6);
            prop_assert_eq!(map.values().sum::<u64>(), keys.len() as u64);
            for key in &keys {
                *bounded(&mut map, *key, u8::MAX, 5) -= 1;
            }
            prop_assert!(map.values().all(|count| *count == 0));
        }
    }
}
