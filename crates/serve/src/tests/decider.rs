//! The decision maker, over a test's log: steps what the log has for it, and writes which value belongs to whom.

use event::{
    Event, Partition, Record, Time, Topic, Value,
    link::{Link, Set},
};
use machine::{Effects, Input, Machine as _, Outcome, Shard, State};
use unifier::identify::{self, Identify, Key, Row};

use super::world::World;

#[derive(Default)]
pub(crate) struct Decider {
    state: State<Key, Row>,
    /// Records of the topic taken so far.
    taken: usize,
}

impl Decider {
    /// Takes all that is new in topic `identity.link`, and writes the assignments.
    pub(crate) async fn follow(&mut self, world: &World) {
        let links = world.records(&Topic::IdentityLink);
        let mut told = Vec::new();
        for record in &links[self.taken..] {
            let Record::Link(link) = record else {
                unreachable!("{record:?} in the topic of links")
            };
            let shard = Shard {
                partition: Partition(0),
                partitions: 1,
            };
            let mut overlay = self.state.overlay();
            let mut effects = Effects::new();
            let input = Input::Record(identify::Record::Link(link.clone()));
            let outcome =
                Identify::new(1).step(Time::MIN, shard, input, &mut overlay, &mut effects);
            assert_ne!(outcome, Outcome::Rejected);
            self.state.commit();
            let assignments = effects.into_records().into_iter();
            told.extend(assignments.filter(|record| matches!(record, Record::Assignment(_))));
        }
        self.taken = links.len();
        world.write(told).await;
    }

    /// Writes events as the doors do, and the sets that they name as `unify` does.
    pub(crate) async fn tell(&mut self, world: &World, events: &[Event]) {
        for event in events {
            world
                .write([Record::Event(event.clone()), reported(event)])
                .await;
        }
        self.follow(world).await;
    }
}

/// What an event names together.
pub(crate) fn reported(event: &Event) -> Record {
    Record::Link(Link::Set(Set {
        anchor: event.anchor,
        values: event.values.clone(),
        trusted: event.trusted,
        source: event.source.clone(),
        event: event.id,
        time: event.received,
        withdrawn: false,
    }))
}

/// The value of a type.
pub(crate) fn value<'e>(event: &'e Event, kind: &str) -> &'e Value {
    let mut values = event.values.iter();
    values.find(|value| value.kind.as_str() == kind).unwrap()
}
