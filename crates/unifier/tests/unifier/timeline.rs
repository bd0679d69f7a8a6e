use event::{
    DepartmentId, EventId, MatterId, Partition, Record, Time, Version,
    case::StepKind,
    timeline::Timeline,
    timeline_input::{Digest, Move, StepNote, TimelineInput},
};
use machine::{Outcome, Shard};
use unifier::unify::{AtRest, Key, Row, Spot};

use crate::sample::{Unifier, applied, event, profile, token, values};

fn version(counter: u64) -> Version {
    Version { epoch: 0, counter }
}

/// `(from, to, value, version)`.
fn moved(
    unify: &mut Unifier,
    from: &str,
    to: &str,
    value: &str,
    counter: u64,
) -> (Outcome, String) {
    let (outcome, records) = unify.timeline(TimelineInput::Move(Move {
        from: profile(from),
        to: profile(to),
        values: vec![token(value)],
        version: version(counter),
    }));
    (outcome, read(&records))
}

const NAMES: [&str; 6] = ["a:1", "b:1", "c:1", "d:1", "e1", "s1"];

/// Records as a person would write them: `moved e1 a:1 > b:1, entry e1 b:1 v2`.
fn read(records: &[Record]) -> String {
    let name = |wanted| {
        let known = NAMES.iter().find(|text| token(text) == wanted);
        known.copied().unwrap_or("?")
    };
    let lines = records.iter().map(|record| match record {
        Record::Timeline(Timeline::Entry(entry)) => {
            let case = if entry.case.is_some() {
                " with case"
            } else {
                ""
            };
            let (event, profile) = (name(entry.event.token()), name(entry.profile.token()));
            format!("entry {event} {profile} v{}{case}", entry.version.counter)
        }
        Record::Timeline(Timeline::Moved(moved)) => {
            let (entry, from) = (name(moved.entry), name(moved.profile.token()));
            let to = moved.to.map_or("nobody", |to| name(to.token()));
            format!("moved {entry} {from} > {to}")
        }
        Record::Timeline(Timeline::Step(step)) => {
            format!("step {} {}", name(step.id), name(step.profile.token()))
        }
        other => format!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// A digest of `e1` that follows `a:1`, sent to a profile at a version.
fn digest(to: &str, counter: u64) -> TimelineInput {
    revised(to, counter, 0, false)
}

fn revised(to: &str, counter: u64, revision: u32, withdrawn: bool) -> TimelineInput {
    let (_, records) = Unifier::alone().event(event("e1", 0, "email:1"));
    let Some(Record::Timeline(Timeline::Entry(entry))) = records.get(1) else {
        panic!("a set and an entry: {records:?}");
    };
    TimelineInput::Digest(Digest {
        profile: profile(to),
        route: token("a:1"),
        version: version(counter),
        event: EventId::new(token("e1")),
        revision,
        withdrawn,
        anchor: token("a:1"),
        values: Vec::new(),
        time: entry.time,
        received: entry.received,
        source: entry.source.clone(),
        channel: entry.channel,
        kind: entry.kind,
        name: entry.name.clone(),
        perspective: entry.perspective,
        history: false,
        score: None,
        place: None,
        product: None,
        stage: None,
        touchpoint: None,
        party: None,
        matter: MatterId::of_reference(token("order:1")),
        content: token("words"),
        out_number: 0,
        promise: None,
    })
}

/// A step `s1` that follows a value, sent to a profile at version 0.
fn note(route: &str, to: &str, what: StepKind) -> TimelineInput {
    TimelineInput::Step(StepNote {
        profile: profile(to),
        route: token(route),
        version: Version::ZERO,
        case: MatterId::of_reference(token("order:1")).own_case(),
        matter: MatterId::of_reference(token("order:1")),
        id: token("s1"),
        step: 1,
        time: Time::from_millis(0),
        what,
        department: Some(DepartmentId::new("delivery").unwrap()),
    })
}

#[test]
fn a_digest_leaves_with_its_value_and_a_late_one_is_sent_on() {
    let mut unify = Unifier::alone();
    let (outcome, records) = unify.timeline(digest("a:1", 0));
    assert_eq!(
        (outcome, read(&records).as_str()),
        (Outcome::Applied, "entry e1 a:1 v0")
    );
    let told = "moved e1 a:1 > b:1, entry e1 b:1 v2".to_owned();
    assert_eq!(
        moved(&mut unify, "a:1", "b:1", "a:1", 2),
        (Outcome::Applied, told)
    );

    let mut unify = Unifier::alone();
    assert_eq!(
        moved(&mut unify, "a:1", "b:1", "a:1", 2),
        (Outcome::Applied, String::new())
    );
    let (_, records) = unify.timeline(digest("a:1", 1));
    assert_eq!(read(&records), "entry e1 b:1 v2");
}

#[test]
fn the_newest_move_is_at_the_end_of_every_path() {
    let mut unify = Unifier::alone();
    applied(moved(&mut unify, "b:1", "c:1", "a:1", 3));
    applied(moved(&mut unify, "c:1", "a:1", "a:1", 4));
    applied(moved(&mut unify, "a:1", "b:1", "a:1", 2));
    for (to, counter) in [("a:1", 0), ("b:1", 2), ("c:1", 3), ("a:1", 4)] {
        let mut again = Unifier::alone();
        again.state = unify.state.clone();
        let (_, records) = again.timeline(digest(to, counter));
        assert_eq!(read(&records), "entry e1 a:1 v4", "to {to} at {counter}");
    }
}

#[test]
fn an_older_move_does_not_take_away_what_a_newer_decision_brought() {
    let mut unify = Unifier::alone();
    applied(unify.timeline(digest("a:1", 4)));
    assert_eq!(
        moved(&mut unify, "a:1", "b:1", "a:1", 2),
        (Outcome::Applied, String::new())
    );
    assert_eq!(
        moved(&mut unify, "a:1", "c:1", "a:1", 1),
        (Outcome::Stale, String::new())
    );
    assert_eq!(
        unify.timeline(digest("a:1", 4)),
        (Outcome::Duplicate, vec![])
    );
}

/// A digest of `e1` that names `email:1` and `phone:1` and follows one of them by this list of values that are out.
fn chosen(route: &str, out_number: u64) -> TimelineInput {
    let TimelineInput::Digest(digest) = digest(route, 0) else {
        panic!("a digest");
    };
    TimelineInput::Digest(Digest {
        route: token(route),
        values: values("email:1 phone:1"),
        anchor: token("email:1"),
        out_number,
        ..digest
    })
}

/// `(by which list it was chosen, what it follows then)`, at a partition that hears of the changes after it.
#[test]
fn a_route_chosen_by_a_newer_list_is_not_chosen_again_by_an_older_one() {
    let changes = [(1, &["email:1"][..], &[][..]), (2, &[], &["email:1"])];
    for (out_number, route, moves) in [
        (0, "email:1", [true, true]),
        (1, "phone:1", [false, true]),
        (2, "email:1", [false, false]),
    ] {
        let mut unify = Unifier::alone();
        let (_, records) = unify.timeline(chosen(route, out_number));
        let [Record::Timeline(Timeline::Entry(entry))] = &records[..] else {
            panic!("it rests: {records:?}");
        };
        assert_eq!(entry.profile, profile(route));
        for ((number, out, back), moves) in changes.into_iter().zip(moves) {
            let records = applied(unify.out(number, out, back));
            assert_eq!(!records.is_empty(), moves, "{out_number}: {records:?}");
        }
    }
}

#[test]
fn a_digest_takes_the_number_of_the_list_along() {
    let partitions = 2;
    let here = Partition::of(profile("email:1").as_bytes(), partitions);
    let mut unify = Unifier::alone();
    unify.shard = Shard {
        partition: here,
        partitions,
    };
    applied(unify.timeline(chosen("email:1", 0)));
    assert_eq!(applied(unify.out(1, &["device:7"], &[])), []);
    let elsewhere = (2..)
        .map(|number| format!("email:{number}"))
        .find(|text| Partition::of(token(text).as_bytes(), partitions) != here);
    let moved = Move {
        from: profile("email:1"),
        to: profile(&elsewhere.unwrap()),
        values: vec![token("email:1")],
        version: version(1),
    };
    let (_, records) = unify.timeline(TimelineInput::Move(moved));
    let numbers = records.iter().filter_map(|record| match record {
        Record::TimelineInput(TimelineInput::Digest(digest)) => Some(digest.out_number),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [1]);
}

#[test]
fn what_was_withdrawn_stays_where_its_value_is_and_lets_nothing_earlier_be_shown() {
    let mut unify = Unifier::alone();
    let mut told = |input| {
        let (outcome, records) = unify.timeline(input);
        (outcome, read(&records))
    };
    let shown = |text: &str| (Outcome::Applied, text.to_owned());
    let nothing = (Outcome::Duplicate, String::new());
    assert_eq!(told(digest("a:1", 0)), shown("entry e1 a:1 v0"));
    assert_eq!(
        told(revised("a:1", 0, 1, true)),
        shown("moved e1 a:1 > nobody")
    );
    assert_eq!(told(digest("a:1", 0)), nothing);
    assert_eq!(told(revised("a:1", 0, 1, true)), nothing);
    assert_eq!(moved(&mut unify, "a:1", "b:1", "a:1", 2), shown(""));
    let gone = Spot {
        profile: profile("b:1"),
        route: token("a:1"),
        event: EventId::new(token("e1")),
        withdrawn: 1,
    };
    assert!(unify.state.contains_key(&Key::Digest(gone)));
    let mut told = |input| {
        let (outcome, records) = unify.timeline(input);
        (outcome, read(&records))
    };
    assert_eq!(told(digest("a:1", 0)), nothing, "late, and sent on");
    let corrected = revised("a:1", 0, 2, false);
    assert_eq!(told(corrected), shown("entry e1 b:1 v2"));
    assert_eq!(
        told(revised("b:1", 2, 3, true)),
        shown("moved e1 b:1 > nobody")
    );
}

#[test]
fn a_step_follows_its_value_and_is_shown_once_a_profile() {
    let mut unify = Unifier::alone();
    let step = |route: &str| note(route, "d:1", StepKind::Opened);
    assert_eq!(read(&unify.timeline(step("a:1")).1), "step s1 d:1");
    assert_eq!(unify.timeline(step("a:1")), (Outcome::Duplicate, vec![]));
    assert_eq!(unify.timeline(step("b:1")), (Outcome::Applied, vec![]));
    assert_eq!(moved(&mut unify, "d:1", "c:1", "a:1", 1).1, "step s1 c:1");
    assert_eq!(
        moved(&mut unify, "d:1", "c:1", "b:1", 2).1,
        "moved s1 d:1 > c:1"
    );
    let shown = unify.state.get(&Key::Shown(profile("c:1"), token("s1")));
    assert_eq!(shown, Some(&Row::Shown(2)));
}

#[test]
fn an_entry_names_its_case_as_long_as_a_step_of_it_is_there() {
    let mut unify = Unifier::alone();
    applied(unify.timeline(digest("a:1", 0)));
    let told = read(&unify.timeline(note("b:1", "a:1", StepKind::Absorbed)).1);
    assert_eq!(
        told, "step s1 a:1",
        "an absorbed case has no matter any more"
    );

    let mut unify = Unifier::alone();
    applied(unify.timeline(digest("a:1", 0)));
    let told = read(&unify.timeline(note("b:1", "a:1", StepKind::Opened)).1);
    assert_eq!(told, "step s1 a:1, entry e1 a:1 v0 with case");
    let (_, told) = moved(&mut unify, "a:1", "c:1", "b:1", 1);
    assert_eq!(told, "entry e1 a:1 v0, moved s1 a:1 > c:1, step s1 c:1");
    let (_, told) = moved(&mut unify, "a:1", "c:1", "a:1", 2);
    assert_eq!(told, "moved e1 a:1 > c:1, entry e1 c:1 v2 with case");
}

/// Digests rest as bytes, which are looked at when the state is read back and not only when they are wanted.
#[test]
fn a_digest_whose_bytes_are_damaged_is_found_when_the_state_is_read_back() {
    let mut unify = Unifier::alone();
    applied(unify.timeline(digest("a:1", 0)));
    let rest = unify.state.iter().find_map(|(_, row)| match row {
        Row::Digest(rest) => Some(rest),
        _ => None,
    });
    let bytes = postcard::to_stdvec(rest.unwrap()).unwrap();
    assert_eq!(postcard::from_bytes(&bytes).as_ref(), Ok(rest.unwrap()));
    let (length, digest) = postcard::take_from_bytes::<usize>(&bytes).unwrap();
    assert_eq!(length, digest.len());
    for damaged in [&digest[..length - 1], &[digest, &[0]].concat()] {
        let bytes = postcard::to_stdvec(damaged).unwrap();
        assert!(postcard::from_bytes::<AtRest>(&bytes).is_err());
    }
}
