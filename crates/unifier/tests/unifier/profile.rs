//! Signs and figures of a profile against slow programs that look at everything at once.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Channel, Company, DepartmentId, EventId, Kind, MatterId, Millis, Perspective, ProfileId,
    Record, Score, SourceId, Time, Token, Version,
    case::StepKind,
    case_input::{CaseInput, Signal, SignalKind},
    event::{Promise, PromiseState},
    rules::StandingPromise,
    timeline_input::{Digest, Move, StepNote, TimelineInput},
};
use machine::Outcome;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use unifier::unify::profile::{
    Profile,
    figures::{Fact, Figures},
};

use crate::sample::{Unifier, name, profile, token, values};

fn hours(count: i64) -> Millis {
    Millis::from_hours(count)
}

/// Orders are delivered within two days; warnings come half a day and four hours before.
fn company() -> Company {
    let delivered = StandingPromise {
        said: "delivered within two days".to_owned(),
        starts_on: vec![name("order")],
        kept_by: vec![name("shipment.delivered")],
        within: hours(48),
        keeper: DepartmentId::new("delivery").unwrap(),
        warn_before: hours(12),
    };
    Company {
        version: 1,
        promises: BTreeMap::from([(name("two-days"), delivered)]),
        ..Company::default()
    }
}

/// Something that happens: what, about which matter, when in hours, in which channel, by which of two values, and a detail.
#[derive(Clone, Copy, Debug)]
struct Sketch {
    what: u8,
    matter: u8,
    hour: i64,
    channel: u8,
    route: bool,
    detail: u8,
}

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let sketch = (
        0_u8..11,
        0_u8..3,
        0_i64..480,
        0_u8..3,
        any::<bool>(),
        0_u8..6,
    )
        .prop_map(|(what, matter, hour, channel, route, detail)| Sketch {
            what,
            matter,
            hour,
            channel,
            route,
            detail,
        });
    prop::collection::vec(sketch, 1..24)
}

const MATTERS: [&str; 3] = ["order:1", "shipment:1", "order:2"];

fn matter(number: u8) -> MatterId {
    MatterId::of_reference(token(MATTERS[usize::from(number)]))
}

fn route(sketch: Sketch) -> Token {
    token(if sketch.route { "email:1" } else { "phone:1" })
}

#[derive(Clone, Debug)]
enum Happened {
    Digest(Box<Digest>),
    Step(StepNote),
}

fn happen(number: usize, sketch: Sketch) -> Happened {
    let number = i64::try_from(number).unwrap();
    // No two moments are the same.
    let time = Time::from_millis(sketch.hour * 3_600_000 + number);
    let id = token(&format!("fact {number}"));
    let about = matter(sketch.matter);
    if sketch.what >= 8 {
        return Happened::Step(StepNote {
            profile: profile("customer_number:1"),
            route: route(sketch),
            version: Version {
                epoch: 0,
                counter: 1,
            },
            case: about.own_case(),
            matter: about,
            id,
            step: u32::try_from(number).unwrap(),
            time,
            what: [StepKind::Opened, StepKind::Contacted, StepKind::Resolved]
                [usize::from(sketch.what - 8)],
            department: None,
        });
    }
    let state = [
        PromiseState::Made,
        PromiseState::Made,
        PromiseState::Kept,
        PromiseState::Broken,
        PromiseState::Withdrawn,
        PromiseState::Made,
    ][usize::from(sketch.detail)];
    let (kind, what) = match sketch.what {
        0 | 1 => (Kind::Complaint, "delivery.late"),
        2 => (Kind::Service, "call.in"),
        3 | 4 => (Kind::Feedback, "survey"),
        5 => (Kind::Service, "order.placed"),
        6 => (Kind::Service, "shipment.delivered"),
        _ => (Kind::Service, "promise"),
    };
    let mut named = vec![MATTERS[usize::from(sketch.matter)]];
    // Now and then an event names an order and its parcel.
    if sketch.what == 2 && sketch.matter == 0 && sketch.detail < 2 {
        named.push(MATTERS[1]);
    }
    Happened::Digest(Box::new(Digest {
        profile: profile("customer_number:1"),
        route: route(sketch),
        version: Version {
            epoch: 0,
            counter: 1,
        },
        event: EventId::new(id),
        revision: 0,
        withdrawn: false,
        anchor: route(sketch),
        values: values(&named.join(" ")),
        time,
        received: time,
        source: SourceId::new("till").unwrap(),
        channel: [Channel::Web, Channel::Store, Channel::CallCentre][usize::from(sketch.channel)],
        kind,
        name: name(what),
        perspective: Perspective::Customer,
        history: sketch.detail == 5,
        score: (kind == Kind::Feedback).then(|| Score {
            metric: name(["nps", "stars"][usize::from(sketch.what - 3)]),
            value: f64::from(sketch.detail) * 2.0,
            min: 0.0,
            max: 10.0,
        }),
        place: None,
        product: None,
        stage: (sketch.detail < 2).then(|| name(what)),
        touchpoint: None,
        party: None,
        matter: about,
        content: id,
        out_number: 0,
        promise: (sketch.what == 7).then(|| Promise {
            id: token(["promise a", "promise b"][usize::from(sketch.channel % 2)]),
            what: name("refund"),
            due: (sketch.detail != 1).then(|| time + hours(24)),
            by: None,
            keeper: None,
            state,
        }),
    }))
}

/// What a case would be told, as people write it.
fn write(what: SignalKind, profile: ProfileId, matter: MatterId, time: Time) -> String {
    format!("{} {profile} {matter} {time}", what.as_str())
}

/// What is told in the end: of each id the highest revision.
fn standing(told: &[Record]) -> BTreeSet<String> {
    let mut last: BTreeMap<EventId, Signal> = BTreeMap::new();
    for record in told {
        let Record::CaseInput(CaseInput::Signal(signal)) = record else {
            continue;
        };
        if !is_sign(signal.what) {
            continue;
        }
        let known = last.insert(signal.event, signal.clone());
        let next = known.map_or(0, |known| known.revision + 1);
        assert_eq!(signal.revision, next, "revisions grow by one");
    }
    last.into_values()
        .filter(|signal| !signal.withdrawn)
        .map(|signal| write(signal.what, signal.profile, signal.matter, signal.time))
        .collect()
}

fn is_sign(what: SignalKind) -> bool {
    [
        SignalKind::ThirdContact,
        SignalKind::TwoChannels,
        SignalKind::AnotherComplaint,
        SignalKind::ScoreDrop,
        SignalKind::PromiseDue,
        SignalKind::PromiseBroken,
        SignalKind::Silence,
    ]
    .contains(&what)
}

/// All that rests at one profile.
struct Rest<'h> {
    profile: ProfileId,
    digests: Vec<&'h Digest>,
    steps: Vec<&'h StepNote>,
    now: Time,
}

impl Rest<'_> {
    fn expected(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut tell = |what, matter, time: Time| {
            all.insert(write(what, self.profile, matter, time));
        };
        for matter in (0..3).map(matter) {
            let group = self.group(matter);
            let is_first = group.iter().min() == Some(&matter);
            let contacts: Vec<&&Digest> = self
                .digests
                .iter()
                .filter(|digest| is_first && group.contains(&digest.matter) && is_contact(digest))
                .collect();
            if let Some(third) = contacts.get(2) {
                tell(SignalKind::ThirdContact, third.matter, third.time);
            }
            let other = contacts
                .iter()
                .find(|digest| digest.channel != contacts[0].channel);
            if let Some(other) = other {
                tell(SignalKind::TwoChannels, other.matter, other.time);
            }
            for (from, to) in self.spells(matter) {
                let complaint = self.digests.iter().find(|digest| {
                    let is_within = from <= digest.time && digest.time < to;
                    digest.kind == Kind::Complaint && is_within && digest.matter != matter
                });
                if let Some(complaint) = complaint {
                    tell(SignalKind::AnotherComplaint, matter, complaint.time);
                    break;
                }
            }
        }
        for metric in ["nps", "stars"].map(name) {
            let scores: Vec<(&&Digest, f64)> = self
                .digests
                .iter()
                .filter_map(|digest| {
                    let score = digest.score.as_ref()?;
                    (score.metric == metric).then(|| (digest, score.share()))
                })
                .collect();
            for pair in scores.windows(2) {
                if pair[0].1 - pair[1].1 > 0.299 {
                    tell(SignalKind::ScoreDrop, pair[1].0.matter, pair[1].0.time);
                }
            }
        }
        self.waits(&mut tell);
        all
    }

    fn waits(&self, tell: &mut impl FnMut(SignalKind, MatterId, Time)) {
        for digest in &self.digests {
            let group = self.group(digest.matter);
            let mut due = |what, time: Time, end: Option<Time>| {
                if time <= self.now && end.is_none_or(|end| end > time) {
                    tell(what, digest.matter, time);
                }
            };
            let later =
                |other: &&&Digest| other.time > digest.time && group.contains(&other.matter);
            if digest.kind == Kind::Complaint {
                let answer = self.steps.iter().find(|step| {
                    let is_answer = [StepKind::Contacted, StepKind::Resolved].contains(&step.what);
                    is_answer && step.time > digest.time && group.contains(&step.matter)
                });
                let end = answer.map(|step| step.time);
                due(SignalKind::Silence, digest.time + hours(7 * 24), end);
            }
            if digest.name == name("order.placed") {
                let kept = self.digests.iter().filter(later);
                let end = kept
                    .filter(|digest| digest.name == name("shipment.delivered"))
                    .map(|digest| digest.time)
                    .next();
                due(SignalKind::PromiseDue, digest.time + hours(36), end);
                due(SignalKind::PromiseBroken, digest.time + hours(48), end);
            }
            let Some(promise) = &digest.promise else {
                continue;
            };
            let says = |other: &&&Digest| {
                let of = other.promise.as_ref().map(|promise| promise.id);
                of == Some(promise.id) && group.contains(&other.matter)
            };
            let mut words = self.digests.iter().filter(says);
            match (promise.state, promise.due) {
                (PromiseState::Made, Some(until)) => {
                    let end = words.find(|word| word.time > digest.time);
                    let end = end.map(|word| word.time);
                    due(SignalKind::PromiseDue, until - hours(4), end);
                    due(SignalKind::PromiseBroken, until, end);
                }
                (PromiseState::Broken, _) => {
                    let before = words.take_while(|word| word.time < digest.time).last();
                    let was_due = before
                        .and_then(|word| word.promise.as_ref())
                        .filter(|word| word.state == PromiseState::Made)
                        .and_then(|word| word.due);
                    if was_due.is_none_or(|due| due >= digest.time) {
                        due(SignalKind::PromiseBroken, digest.time, None);
                    }
                }
                _ => {}
            }
        }
    }

    /// The order and its parcel are one where an event names both.
    fn group(&self, of: MatterId) -> Vec<MatterId> {
        let is_tied = self.digests.iter().any(|digest| digest.values.len() == 2);
        let both = [matter(0), matter(1)];
        if is_tied && both.contains(&of) {
            both.to_vec()
        } else {
            vec![of]
        }
    }

    fn spells(&self, of: MatterId) -> Vec<(Time, Time)> {
        let mut steps: Vec<_> = self.steps.iter().filter(|step| step.matter == of).collect();
        steps.sort_by_key(|step| step.step);
        let (mut spells, mut since) = (Vec::new(), None);
        for step in steps {
            match step.what {
                StepKind::Opened => {
                    since.get_or_insert(step.time);
                }
                StepKind::Resolved => {
                    spells.extend(since.take().map(|since| (since, step.time)));
                }
                _ => {}
            }
        }
        spells.extend(since.map(|since| (since, Time::MAX)));
        spells
    }
}

fn is_contact(digest: &Digest) -> bool {
    let share = digest.score.as_ref().map(Score::share);
    let is_praise = share.is_some_and(|share| share >= 0.9);
    match digest.kind {
        Kind::Complaint => true,
        Kind::Feedback => !is_praise,
        _ => digest.name == name("call.in"),
    }
}

const END: Time = Time::from_millis(40 * 86_400_000);

/// A machine to which things come in any order, while time passes and one of the two values goes to somebody else.
struct World {
    unify: Unifier,
    told: Vec<Record>,
}

impl World {
    fn new() -> Self {
        let mut unify = Unifier::alone();
        let (outcome, _) = unify.rules(&company());
        assert_eq!(outcome, Outcome::Applied);
        Self {
            unify,
            told: Vec::new(),
        }
    }

    fn take(&mut self, input: TimelineInput) {
        let (_, told) = self.unify.timeline(input);
        self.told.extend(told);
        self.told.extend(self.unify.drain());
    }

    fn give(&mut self, happened: &Happened) {
        self.take(match happened {
            Happened::Digest(digest) => TimelineInput::Digest(Digest::clone(digest)),
            Happened::Step(note) => TimelineInput::Step(note.clone()),
        });
    }

    fn pass(&mut self, now: Time) {
        self.told.extend(self.unify.tick_at(now));
    }

    fn part(&mut self, counter: u64, from: &str, to: &str) {
        self.take(TimelineInput::Move(Move {
            from: profile(from),
            to: profile(to),
            values: vec![token("phone:1")],
            version: Version { epoch: 0, counter },
        }));
    }
}

fn rest<'h>(happened: &'h [Happened], who: &str, holds: impl Fn(Token) -> bool) -> Rest<'h> {
    let mut rest = Rest {
        profile: profile(who),
        digests: Vec::new(),
        steps: Vec::new(),
        now: END,
    };
    for happened in happened {
        match happened {
            Happened::Digest(digest) if holds(digest.route) => rest.digests.push(digest),
            Happened::Step(step) if holds(step.route) => rest.steps.push(step),
            Happened::Digest(_) | Happened::Step(_) => {}
        }
    }
    rest.digests.sort_by_key(|digest| digest.time);
    rest.steps.sort_by_key(|step| step.time);
    rest
}

#[test]
fn every_sign_has_its_reason() {
    let at = |what, matter, hour| Sketch {
        what,
        matter,
        hour,
        channel: 0,
        route: true,
        detail: 2,
    };
    let said = |detail, sketch: Sketch| Sketch { detail, ..sketch };
    let (complaint, call, survey, ordered, delivered) = (0, 2, 3, 5, 6);
    let (promise, opened, contacted, resolved) = (7, 8, 9, 10);
    let (made, kept, broken, withdrawn) = (0, 2, 3, 4);
    let elsewhere = Sketch {
        channel: 1,
        ..at(call, 0, 2)
    };
    let ties = said(0, at(call, 0, 30));
    let table: [(&str, &[Sketch], &[&str]); 21] = [
        ("twice", &[at(call, 0, 1), at(call, 0, 2)], &[]),
        (
            "three times",
            &[at(call, 0, 1), at(call, 0, 2), at(call, 0, 3)],
            &["third_contact"],
        ),
        (
            "about two matters",
            &[at(call, 0, 1), at(call, 0, 2), at(call, 2, 3)],
            &[],
        ),
        (
            "about an order and its parcel",
            &[at(call, 0, 1), at(call, 1, 2), said(0, at(call, 0, 30))],
            &["third_contact"],
        ),
        (
            "by phone and at the counter",
            &[at(call, 0, 1), elsewhere],
            &["two_channels"],
        ),
        (
            "8 and 4 of 10",
            &[said(4, at(survey, 0, 1)), said(2, at(survey, 0, 2))],
            &["score_drop"],
        ),
        (
            "4 and 8 of 10",
            &[said(2, at(survey, 0, 1)), said(4, at(survey, 0, 2))],
            &[],
        ),
        ("nobody answers", &[at(complaint, 0, 1)], &["silence"]),
        (
            "somebody answers",
            &[at(complaint, 0, 1), at(contacted, 0, 9)],
            &[],
        ),
        (
            "somebody answers too late",
            &[at(complaint, 0, 1), at(contacted, 0, 200)],
            &["silence"],
        ),
        (
            "something else",
            &[at(opened, 0, 1), at(complaint, 2, 2), at(contacted, 2, 3)],
            &["another_complaint"],
        ),
        (
            "something else after the end",
            &[
                at(opened, 0, 1),
                at(resolved, 0, 2),
                at(complaint, 2, 3),
                at(contacted, 2, 4),
            ],
            &[],
        ),
        (
            "never delivered",
            &[at(ordered, 0, 1)],
            &["promise_broken", "promise_due"],
        ),
        (
            "delivered late in time",
            &[at(ordered, 0, 1), at(delivered, 0, 40)],
            &["promise_due"],
        ),
        ("delivered", &[at(ordered, 0, 1), at(delivered, 0, 20)], &[]),
        (
            "something else delivered",
            &[at(ordered, 0, 1), at(delivered, 1, 20)],
            &["promise_broken", "promise_due"],
        ),
        (
            "its parcel delivered",
            &[at(ordered, 0, 1), at(delivered, 1, 20), ties],
            &[],
        ),
        (
            "not kept",
            &[said(made, at(promise, 0, 1))],
            &["promise_broken", "promise_due"],
        ),
        (
            "kept",
            &[said(made, at(promise, 0, 1)), said(kept, at(promise, 0, 9))],
            &[],
        ),
        (
            "withdrawn",
            &[
                said(made, at(promise, 0, 1)),
                said(withdrawn, at(promise, 0, 9)),
            ],
            &[],
        ),
        (
            "said to be broken",
            &[
                said(made, at(promise, 0, 1)),
                said(broken, at(promise, 0, 9)),
            ],
            &["promise_broken"],
        ),
    ];
    for (why, sketches, expected) in table {
        let mut world = World::new();
        for (number, sketch) in sketches.iter().enumerate() {
            world.give(&happen(number, *sketch));
        }
        world.pass(END);
        let told = standing(&world.told);
        let kinds: Vec<&str> = told
            .iter()
            .filter_map(|sign| sign.split(' ').next())
            .collect();
        assert_eq!(kinds, expected, "{why}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// U-13.
    #[test]
    fn signs_are_those_of_what_rests_at_a_profile_in_whatever_order_it_came(
        sketches in sketches(),
        parts in 0_u8..3,
        seed in any::<u64>(),
    ) {
        let happened: Vec<Happened> = sketches.iter().enumerate().map(|(number, sketch)| happen(number, *sketch)).collect();
        let mut world = World::new();
        let mut random = StdRng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..happened.len()).collect();
        // Some come twice.
        order.extend((0..happened.len()).step_by(3));
        order.shuffle(&mut random);
        let parted_at = random.random_range(0..=order.len());
        let back_at = random.random_range(parted_at..=order.len());
        let mut now = Time::from_millis(0);
        for (place, number) in order.iter().chain([&0]).enumerate() {
            if place == parted_at && parts > 0 {
                world.part(2, "customer_number:1", "customer_number:2");
            }
            if place == back_at && parts > 1 {
                world.part(3, "customer_number:2", "customer_number:1");
            }
            world.give(&happened[*number]);
            if random.random_bool(0.3) {
                now = now + hours(random.random_range(0..60));
                world.pass(now.min(END));
            }
        }
        world.pass(END);
        let (phone, is_parted) = (token("phone:1"), parts == 1);
        let mut expected = rest(&happened, "customer_number:1", |route| !is_parted || route != phone).expected();
        expected.extend(rest(&happened, "customer_number:2", |route| is_parted && route == phone).expected());
        prop_assert_eq!(standing(&world.told), expected);
        world.unify.check_rows();
    }

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
            figures.stage = Some(unifier::unify::profile::figures::Stage {
                name: stage.clone(),
                time: digest.time,
            });
        }
        if let Some(score) = &digest.score {
            let last = unifier::unify::profile::figures::LastScore {
                score: score.clone(),
                time: digest.time,
            };
            figures.scores.insert(score.metric.clone(), last);
        }
        if is_contact(digest) {
            let contacts = figures.contacts.entry(digest.matter).or_default();
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
            figures
                .open
                .push(unifier::unify::profile::figures::OpenCase {
                    case: of.own_case(),
                    since,
                    matters: BTreeSet::from([of]),
                });
        }
    }
    figures.open.sort_by_key(|open| (open.since, open.case));
    promises(&digests, now, &mut figures);
    figures
}

fn promises(digests: &[&&Digest], now: Time, figures: &mut Figures) {
    let promises = &mut figures.promises;
    for digest in digests
        .iter()
        .filter(|digest| digest.name == name("order.placed"))
    {
        promises.made += 1;
        let due = digest.time + hours(48);
        let kept = digests.iter().find(|other| {
            let keeps = other.name == name("shipment.delivered") && other.matter == digest.matter;
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
