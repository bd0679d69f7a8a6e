//! The floor that the engine is compared with: what nobody can leave away, in a few lines and with nothing kept safe.

use std::{
    collections::{HashMap, HashSet},
    hint::black_box,
};

use event::{Event, EventId, Token};

use crate::{
    known::Taker,
    meter::Meter,
    sample::{Figure, Sample},
};

#[derive(Default)]
pub(crate) struct Floor {
    seen: HashSet<EventId>,
    numbers: HashMap<Token, usize>,
    parents: Vec<usize>,
    timelines: Vec<Vec<EventId>>,
}

impl Floor {
    /// Interns the event's values, unites them, and appends the event to its first value's timeline.
    fn take(&mut self, event: &Event) {
        if !self.seen.insert(event.id) {
            return;
        }
        let mut values = event.values.iter().map(|value| value.token);
        let Some(first) = values.next() else {
            return;
        };
        let first = self.number(first);
        for other in values {
            let other = self.number(other);
            let (one, two) = (self.root(first), self.root(other));
            self.parents[two] = one;
        }
        self.timelines[first].push(event.id);
    }

    fn number(&mut self, token: Token) -> usize {
        *self.numbers.entry(token).or_insert_with(|| {
            self.parents.push(self.parents.len());
            self.timelines.push(Vec::new());
            self.parents.len() - 1
        })
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }
}

/// The second half of the events, over what the first half left.
pub(crate) fn measure(events: &[Event]) -> Vec<(Figure, Sample)> {
    let (before, measured) = events.split_at(events.len() / 2);
    vec![(Figure::Floor, over(before, measured))]
}

impl Taker for Floor {
    fn take(&mut self, events: Vec<Event>) {
        for event in &events {
            self.take(black_box(event));
        }
    }

    fn forget_what_it_took(&mut self) {}
}

/// Some events over what others left.
fn over(before: &[Event], measured: &[Event]) -> Sample {
    let mut floor = Floor::default();
    for event in before {
        floor.take(event);
    }
    let meter = Meter::start();
    for event in measured {
        floor.take(black_box(event));
    }
    let spent = meter.stop();
    black_box(&floor.timelines);
    Sample {
        count: measured.len() as u64,
        spent,
        ..Sample::default()
    }
}
