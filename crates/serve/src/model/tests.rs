//! The model against the definition of a page, whatever the order in which partitions become visible.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Class, Event, EventId, Partition, Perspective, ProfileId, Record, Time, Token, Topic, Value,
    Version, assignment::Assignment,
};
use proptest::{collection::vec, prelude::*};
use stream::{Offset, Read, TopicPartition};

use super::{
    Decoded, Model,
    page::{At, Filter, Order, What},
};

fn token(number: u8) -> Token {
    Token::new([number; 16])
}

/// Values 0 to 3 are identifiers, 4 and 5 references; the smaller is the stronger.
fn value(number: u8) -> Value {
    let (class, kind) = match number {
        0..=3 => (Class::Identifier, "email"),
        _ => (Class::Reference, "order"),
    };
    Value {
        token: token(number),
        class,
        kind: kind.parse().unwrap(),
    }
}

fn event(id: u8, time: i64, values: &BTreeSet<u8>) -> Event {
    let id = Token::hash("test.event", &[&[id]]);
    let values: Vec<Value> = values.iter().copied().map(value).collect();
    Event {
        id: EventId::new(id),
        source: "till".parse().unwrap(),
        channel: event::Channel::Store,
        revision: 0,
        kind: event::Kind::Service,
        name: "purchase".parse().unwrap(),
        time: Time::from_millis(time),
        received: Time::from_millis(time),
        time_clamped: false,
        anchor: values.first().map_or(id, |value| value.token),
        values,
        trusted: true,
        perspective: Perspective::Customer,
        history: false,
        score: None,
        language: None,
        place: None,
        product: None,
        stage: None,
        touchpoint: None,
        party: None,
        amount: None,
        promise: None,
        operational: BTreeMap::new(),
        recorded_by: None,
        standing: event::Standing::Final,
        rules_version: 0,
        content: id,
        personal: Vec::new(),
    }
}

fn assignment(number: u8, group: u8, out: bool, counter: u64) -> Assignment {
    Assignment {
        value: value(number),
        profile: ProfileId::new(token(group)),
        version: Version { epoch: 0, counter },
        out,
    }
}

fn decoded(record: Record) -> Decoded {
    let value = wire::encode(&record);
    let read = Read {
        at: TopicPartition::new(record.topic(), Partition(0)),
        offset: Offset::START,
        time: Time::default(),
        key: record.key().into(),
        value: Some(value.into()),
    };
    Decoded { read, record }
}

fn page(model: &Model, profile: ProfileId) -> Vec<EventId> {
    let filter = Filter::default();
    let state = model.read();
    let page = state.page(profile, &filter, Order::OldestFirst, At::Start, 1_000);
    page.items
        .into_iter()
        .map(|item| match item.what {
            What::Event(happened) => match wire::decode(&Topic::Event, &happened.bytes) {
                Ok(Record::Event(event)) => event.id,
                other => panic!("{other:?} on a page"),
            },
            What::Step(step) => panic!("{step:?} on a page"),
        })
        .collect()
}

/// Each group is led by its strongest value that is not out; who is out is alone.
fn groups(of: &[u8; 6], out: &BTreeSet<u8>) -> BTreeMap<u8, u8> {
    let mut leaders = BTreeMap::new();
    (0..6)
        .map(|number| {
            if out.contains(&number) {
                return (number, number);
            }
            let group = of[usize::from(number)];
            (number, *leaders.entry(group).or_insert(number))
        })
        .collect()
}

/// Every event on the page of the group of its strongest value that is not out.
fn expected(
    events: &[Event],
    groups: &BTreeMap<u8, u8>,
    out: &BTreeSet<u8>,
) -> BTreeMap<u8, Vec<EventId>> {
    let mut pages: BTreeMap<u8, Vec<(Time, EventId)>> = BTreeMap::new();
    for event in events {
        let numbers = || event.values.iter().map(|value| value.token.as_bytes()[0]);
        let route = numbers()
            .find(|number| !out.contains(number))
            .or_else(|| numbers().next());
        if let Some(route) = route {
            pages
                .entry(groups[&route])
                .or_default()
                .push((event.time, event.id));
        }
    }
    pages
        .into_iter()
        .map(|(leader, mut page)| {
            page.sort();
            (leader, page.into_iter().map(|(_, id)| id).collect())
        })
        .collect()
}

proptest! {
    #[test]
    fn a_page_is_the_events_whose_route_value_belongs_to_the_profile(
        told in vec((0_i64..5, prop::collection::btree_set(0_u8..6, 0..4)), 0..12),
        early in [0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6],
        of in [0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6],
        out in prop::collection::btree_set(0_u8..6, 0..2),
        turn in any::<prop::sample::Index>(),
    ) {
        let events: Vec<Event> = told
            .iter()
            .zip(0..)
            .map(|((time, values), id)| event(id, *time, values))
            .collect();
        let last = groups(&of, &out);
        let first = groups(&early, &BTreeSet::new());
        // Partitions show in any order; within one, the first decision comes before the last.
        let mut partitions: Vec<Vec<Record>> = (0..6)
            .map(|number| {
                let first = assignment(number, first[&number], false, 1);
                let last = assignment(number, last[&number], out.contains(&number), 2);
                vec![Record::Assignment(first), Record::Assignment(last)]
            })
            .collect();
        partitions.extend(events.iter().map(|event| vec![Record::Event(event.clone())]));
        let turn = turn.index(partitions.len());
        partitions.rotate_left(turn);

        let model = Model::new(10);
        for partition in partitions {
            model.apply(partition.into_iter().map(decoded).collect());
        }
        let expected = expected(&events, &last, &out);
        for leader in 0..6 {
            let page = page(&model, ProfileId::new(token(leader)));
            prop_assert_eq!(page, expected.get(&leader).cloned().unwrap_or_default());
        }
        for (number, leader) in &last {
            let resolved = model.read().identity.resolve(ProfileId::new(token(*number)));
            prop_assert_eq!(resolved, Some(ProfileId::new(token(*leader))));
        }
        let named = |number: &u8| {
            let token = token(*number);
            events.iter().any(|event| event.values.iter().any(|value| value.token == token))
        };
        let mut customers = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (number, leader) in last.iter().filter(|(number, _)| !out.contains(number) && named(number)) {
            seen.insert(*leader);
            if *number < 4 {
                customers.insert(*leader);
            }
        }
        let counts = model.read().identity.counts();
        prop_assert_eq!(counts.customers, u64::try_from(customers.len()).unwrap());
        prop_assert_eq!(counts.customers + counts.unidentified, u64::try_from(seen.len()).unwrap());
    }

    #[test]
    fn of_one_id_the_same_record_stands_whatever_the_order(
        mut records in vec((0_u32..3, 0_i64..3, 0_u8..4), 1..6),
        turn in any::<prop::sample::Index>(),
    ) {
        let event = |(revision, received, value): &(u32, i64, u8)| {
            let mut event = event(0, 0, &BTreeSet::from([*value]));
            event.revision = *revision;
            event.received = Time::from_millis(*received);
            event
        };
        let owner = |records: &[(u32, i64, u8)]| {
            let model = Model::new(10);
            for record in records {
                model.apply(vec![decoded(Record::Event(event(record)))]);
            }
            let state = model.read();
            prop_assert_eq!(state.events.counts().accepted, 1);
            let revisions: BTreeSet<u32> = records.iter().map(|(revision, ..)| *revision).collect();
            let counted = state.events.counts();
            prop_assert_eq!(counted.corrected, u64::try_from(revisions.len()).unwrap() - 1);
            prop_assert_eq!(
                counted.duplicate + counted.corrected,
                u64::try_from(records.len()).unwrap() - 1
            );
            drop(state);
            let pages: Vec<usize> = (0..4)
                .map(|number| page(&model, ProfileId::new(token(number))).len())
                .collect();
            let stands = records
                .iter()
                .min_by_key(|(revision, received, value)| (std::cmp::Reverse(*revision), *received, *value))
                .map(|(_, _, value)| usize::from(*value));
            prop_assert_eq!(pages.iter().position(|page| *page == 1), stands);
            prop_assert_eq!(pages.iter().sum::<usize>(), 1);
            Ok(pages)
        };
        let one = owner(&records)?;
        let turn = turn.index(records.len());
        records.rotate_left(turn);
        prop_assert_eq!(owner(&records)?, one);
    }
}
