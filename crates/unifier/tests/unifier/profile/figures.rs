//! What a reader is shown of a profile, against a program that goes through everything once for each figure.

use std::collections::BTreeSet;

use event::{
    Kind, Millis, Time,
    case::StepKind,
    event::{Promise, PromiseState},
    timeline_input::Digest,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use unifier::unify::profile::{
    Profile,
    figures::{Fact, Figures, LastScore, OpenCase, Stage},
};

use super::{
    company, hours,
    sketch::{Happened, Sketch, happen, matter, sketches},
    slow::{Rest, is_contact, rest},
};
use crate::sample::{name, token};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_the_same_in_whatever_order_facts_come_and_go(
        sketches in sketches(),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        seed in any::<u64>(),
    ) {
        let happened: Vec<Happened> = sketches.iter().enumerate().map(|(number, sketch)| happen(number, *sketch)).collect();
        let gone: BTreeSet<usize> = gone.iter().map(|index| index.index(happened.len())).collect();
        let mut order: Vec<usize> = (0..happened.len()).collect();
        order.extend(&gone);
        order.shuffle(&mut StdRng::seed_from_u64(seed));
        let mut state = Profile::new(&company());
        let add = |state: &mut Profile, happened: &Happened| match happened {
            Happened::Digest(digest) => state.add(Fact::from(&**digest)),
            Happened::Step(note) => state.add_step(note.into()),
        };
        for number in order {
            add(&mut state, &happened[number]);
        }
        for number in &gone {
            match &happened[*number] {
                Happened::Digest(digest) => state.remove(digest.event),
                Happened::Step(note) => state.remove_step(note.id),
            }
        }
        let left: Vec<Happened> = happened.iter().enumerate().filter(|(number, _)| !gone.contains(number)).map(|(_, one)| one.clone()).collect();
        for day in [0, 3, 9, 20, 60, 400] {
            let now = Time::from_millis(day * 86_400_000);
            let rest = rest(&left, "customer_number:1", |_| true);
            prop_assert_eq!(state.figures(now), figures(&rest, now), "day {}", day);
        }
    }
}

/// The same by going through everything once for each figure.
fn figures(rest: &Rest<'_>, now: Time) -> Figures {
    let digests: Vec<&&Digest> = rest
        .digests
        .iter()
        .filter(|digest| digest.time <= now)
        .collect();
    let mut figures = Figures {
        first_seen: digests.first().map(|digest| digest.time),
        last_seen: digests.last().map(|digest| digest.time),
        ..Figures::default()
    };
    for digest in &digests {
        if let Some(stage) = &digest.stage {
            figures.stage = Some(Stage {
                name: stage.clone(),
                time: digest.time,
            });
        }
        if let Some(score) = &digest.score {
            let last = LastScore {
                score: score.clone(),
                time: digest.time,
            };
            figures.scores.insert(score.metric.clone(), last);
        }
        if is_contact(digest) {
            let group = rest.group(digest.matter);
            let smallest = group.into_iter().min().unwrap();
            let contacts = figures.contacts.entry(smallest).or_default();
            contacts.count += 1;
            *contacts.channels.entry(digest.channel).or_default() += 1;
        }
        let complaints = &mut figures.complaints;
        for (days, of) in [
            (30, &mut complaints.days_30),
            (90, &mut complaints.days_90),
            (365, &mut complaints.days_365),
        ] {
            if digest.kind == Kind::Complaint && now - digest.time < Millis::from_days(days) {
                *of.entry(digest.channel).or_default() += 1;
            }
        }
    }
    for of in (0..3).map(matter) {
        let mut since = None;
        let mut steps: Vec<_> = rest
            .steps
            .iter()
            .filter(|step| step.matter == of && step.time <= now)
            .collect();
        steps.sort_by_key(|step| step.step);
        for step in steps {
            match step.what {
                StepKind::Opened => since = since.or(Some(step.time)),
                StepKind::Resolved => since = None,
                _ => {}
            }
        }
        if let Some(since) = since {
            figures.open.push(OpenCase {
                case: of.own_case(),
                since,
                matters: BTreeSet::from([of]),
            });
        }
    }
    figures.open.sort_by_key(|open| (open.since, open.case));
    promises(rest, &digests, now, &mut figures);
    figures
}

fn promises(rest: &Rest<'_>, digests: &[&&Digest], now: Time, figures: &mut Figures) {
    let promises = &mut figures.promises;
    for digest in digests
        .iter()
        .filter(|digest| digest.name == name("order.placed"))
    {
        promises.made += 1;
        let due = digest.time + hours(48);
        let group = rest.group(digest.matter);
        let kept = digests.iter().find(|other| {
            let keeps = other.name == name("shipment.delivered") && group.contains(&other.matter);
            keeps && other.time > digest.time
        });
        match kept {
            Some(kept) if kept.time <= due => promises.kept += 1,
            _ if due <= now => promises.broken += 1,
            _ => {}
        }
    }
    for id in ["promise a", "promise b"].map(token) {
        let words: Vec<(Time, &Promise)> = digests
            .iter()
            .filter_map(|digest| Some((digest.time, digest.promise.as_ref()?)))
            .filter(|(_, word)| word.id == id)
            .collect();
        let Some((_, last)) = words.last() else {
            continue;
        };
        promises.made += 1;
        let breaks = words.iter().enumerate().any(|(place, (_, word))| {
            let next = words.get(place + 1).map_or(now, |(time, _)| *time);
            let is_last = place + 1 == words.len();
            match word.state {
                PromiseState::Broken => true,
                PromiseState::Made => word
                    .due
                    .is_some_and(|due| due < next || (is_last && due == next)),
                _ => false,
            }
        });
        if breaks {
            promises.broken += 1;
        } else {
            match last.state {
                PromiseState::Kept => promises.kept += 1,
                PromiseState::Withdrawn => promises.withdrawn += 1,
                _ => {}
            }
        }
    }
}

/// The table of what a reader sees of an order that a parcel's carrier keeps.
#[test]
fn a_promise_of_an_order_is_kept_by_its_parcel() {
    let at = |what, matter, hour, detail| Sketch {
        what,
        matter,
        hour,
        channel: 0,
        route: true,
        detail,
    };
    let (call, ordered, delivered) = (2, 5, 6);
    let [one, other] = [at(ordered, 0, 1, 2), at(delivered, 1, 20, 2)];
    // A call that names both the order and the parcel.
    let ties = at(call, 0, 2, 0);
    for (happened, expected) in [
        (&[one, other][..], (0, 1)),
        (&[one, other, ties][..], (1, 0)),
    ] {
        let mut state = Profile::new(&company());
        for (number, sketch) in happened.iter().enumerate() {
            let Happened::Digest(digest) = happen(number, *sketch) else {
                panic!("no step is among them");
            };
            state.add(Fact::from(&*digest));
        }
        let promises = state.figures(Time::from_millis(60 * 86_400_000)).promises;
        assert_eq!((promises.kept, promises.broken), expected);
    }
}
