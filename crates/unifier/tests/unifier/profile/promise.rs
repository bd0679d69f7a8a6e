//! What a reader is shown of each promise, and what its case is told of it, against each other: the two share no code.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    ProfileId, Record, Time,
    case_input::SignalKind,
    event::{Promise, PromiseState},
    timeline_input::{Digest, TimelineInput},
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use unifier::unify::profile::{
    Profile,
    figures::{Fact, Outcome},
};

use super::{
    END, World, company, hours, latest,
    sketch::{Happened, Sketch, happen},
};
use crate::sample::{name, profile, token};

/// What somebody says of one of three promises.
#[derive(Clone, Copy, Debug)]
struct Word {
    promise: u8,
    /// The matter it is said in.
    matter: u8,
    hour: i64,
    state: PromiseState,
    /// So many hours later it is due: sometimes before it was said.
    due: Option<i64>,
    /// Which of the customer's two values it names.
    route: bool,
    /// Whether it proves to be an error.
    withdrawn: bool,
}

const WHAT: [&str; 3] = ["refund", "delivery", "answer"];

fn words() -> impl Strategy<Value = Vec<Word>> {
    let states = [
        PromiseState::Made,
        PromiseState::Made,
        PromiseState::Made,
        PromiseState::Kept,
        PromiseState::Broken,
        PromiseState::Withdrawn,
        PromiseState::Unknown,
    ];
    let word = (
        0_u8..3,
        0_u8..3,
        // Few hours, so that now and then two things happen at one moment.
        0_i64..60,
        prop::sample::select(states.to_vec()),
        prop::option::weighted(0.8, -6_i64..48),
        any::<bool>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(promise, matter, hour, state, due, route, withdrawn)| Word {
                promise,
                matter,
                hour,
                state,
                due,
                route,
                withdrawn,
            },
        );
    // Some promise is spoken of more often than anybody would.
    prop::collection::vec(word, 1..100)
}

fn said(number: usize, word: Word) -> Digest {
    let sketch = Sketch {
        what: 7,
        matter: word.matter,
        hour: word.hour,
        channel: 0,
        route: word.route,
        detail: 2,
    };
    let Happened::Digest(digest) = happen(number, sketch) else {
        panic!("a word is an event");
    };
    let time = Time::from_millis(0) + hours(word.hour);
    let what = name(WHAT[usize::from(word.promise)]);
    Digest {
        time,
        received: time,
        promise: Some(Promise {
            id: token(what.as_str()),
            what,
            due: word.due.map(|due| time + hours(due)),
            by: None,
            keeper: None,
            state: word.state,
        }),
        ..*digest
    }
}

fn withdrawal(digest: &Digest) -> Digest {
    Digest {
        revision: 1,
        withdrawn: true,
        ..digest.clone()
    }
}

type Of = (ProfileId, String);

/// What became of each promise, as pages show it.
fn shown(holders: &BTreeMap<ProfileId, Vec<&Digest>>) -> BTreeMap<Of, Outcome> {
    let mut shown = BTreeMap::new();
    for (holder, digests) in holders {
        let facts = digests.iter().map(|digest| Fact::from(*digest));
        let state = Profile::of(&company(), facts, []);
        for promised in state.promised(END) {
            shown.insert((*holder, promised.what.to_string()), promised.outcome);
        }
    }
    shown
}

/// The promises of which cases were told that they were broken, and not that they were not.
fn told_broken(told: &[Record]) -> BTreeSet<Of> {
    latest(told)
        .into_values()
        .filter(|signal| signal.what == SignalKind::PromiseBroken && !signal.withdrawn)
        .map(|signal| (signal.profile, signal.promise.unwrap().what.to_string()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// U-13.
    #[test]
    fn a_case_is_told_of_exactly_the_promises_that_are_shown_as_broken(
        words in words(),
        parts in 0_u8..3,
        seed in any::<u64>(),
    ) {
        let said: Vec<Digest> = words.iter().enumerate().map(|(number, word)| said(number, *word)).collect();
        let mut random = StdRng::seed_from_u64(seed);
        let mut inputs: Vec<Digest> = said.clone();
        let withdrawn = said.iter().zip(&words).filter(|(_, word)| word.withdrawn);
        inputs.extend(withdrawn.map(|(digest, _)| withdrawal(digest)));
        // Some come twice.
        inputs.extend(inputs.clone().into_iter().step_by(3));
        inputs.shuffle(&mut random);
        let parted_at = random.random_range(0..=inputs.len());
        let back_at = random.random_range(parted_at..=inputs.len());
        let mut world = World::new();
        let mut now = Time::from_millis(0);
        for (place, input) in inputs.iter().chain([&inputs[0]]).enumerate() {
            if place == parted_at && parts > 0 {
                world.part(2, "customer_number:1", "customer_number:2");
            }
            if place == back_at && parts > 1 {
                world.part(3, "customer_number:2", "customer_number:1");
            }
            world.take(TimelineInput::Digest(input.clone()));
            if random.random_bool(0.1) {
                now = now + hours(random.random_range(0..30));
                world.pass(now);
            }
        }
        world.pass(END);
        let mut holders: BTreeMap<ProfileId, Vec<&Digest>> = BTreeMap::new();
        for (digest, word) in said.iter().zip(&words) {
            let is_parted = parts == 1 && !word.route;
            let holder = profile(if is_parted { "customer_number:2" } else { "customer_number:1" });
            if !word.withdrawn {
                holders.entry(holder).or_default().push(digest);
            }
        }
        let broken = shown(&holders).into_iter().filter(|(_, outcome)| *outcome == Outcome::Broken);
        let broken: BTreeSet<Of> = broken.map(|(of, _)| of).collect();
        prop_assert_eq!(told_broken(&world.told), broken);
        world.unify.check_rows();
    }
}

/// Whatever comes first, and however late anybody looks: what is withdrawn of a promise was never said.
#[test]
fn a_promise_is_one_thing_in_whatever_matter_it_is_named() {
    let word = |hour, matter, state| Word {
        promise: 0,
        matter,
        hour,
        state,
        due: (state == PromiseState::Made).then_some(24),
        route: true,
        withdrawn: false,
    };
    let made = said(0, word(1, 0, PromiseState::Made));
    let kept = said(1, word(20, 2, PromiseState::Kept));
    let late = said(2, word(40, 1, PromiseState::Kept));
    let not_kept = withdrawal(&kept);
    let table: [(&str, &[&Digest], bool); 6] = [
        ("made", &[&made], true),
        ("kept", &[&made, &kept], false),
        ("kept, which was heard of first", &[&kept, &made], false),
        ("kept too late", &[&made, &late], true),
        ("kept in error", &[&made, &kept, &not_kept], true),
        (
            "kept in error, then too late",
            &[&made, &kept, &late, &not_kept],
            true,
        ),
    ];
    for (why, digests, is_broken) in table {
        for look in [true, false] {
            let mut world = World::new();
            for digest in digests {
                world.take(TimelineInput::Digest(Digest::clone(digest)));
                if look {
                    world.pass(END);
                }
            }
            world.pass(END);
            let told = told_broken(&world.told);
            assert_eq!(!told.is_empty(), is_broken, "{why}, looked at: {look}");
        }
    }
}
