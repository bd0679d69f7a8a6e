//! kill -9 of every role, over and over, while events come in: none is lost and none counts twice.
//!
//! What is in the topics afterwards is counted by a client that shares no code with Polku. It is compared with the truth about
//! the crowd that sent the events, which is what a run without any crash shows: by construction there is one customer, one
//! timeline and at most one case to each, in whatever order the events come.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use tests::{
    broker,
    crowd::{self, Crowd},
    environment, python,
    sender::Sender,
    stage::{processes::Processes, role::Role},
    turn, wait,
};

/// How many events there are at least, unless `POLKU_KILL_EVENTS` says otherwise.
const EVENTS: usize = 200_000;
const SEED: u64 = 20_261_122;
/// How often each role is killed.
const KILLS: usize = 5;
/// How far the sender may be past a point when somebody is killed there: 1/50 of the events.
const SLACK: usize = 50;
/// How long the roles may take to work off what was sent.
const BOUND: Duration = Duration::from_secs(600);

fn events_wanted() -> usize {
    environment("POLKU_KILL_EVENTS")
        .map_or(EVENTS, |text| text.parse().expect("a number of events"))
}

/// Somebody is killed when so many events are acknowledged.
#[derive(Debug)]
struct Point {
    events: usize,
    role: Role,
}

/// Five points for each role, spread over the run. Serve keeps nothing: it reads the log anew from its start, which costs more
/// the later it is, so its points are in the first third.
fn points(seed: u64, events: usize) -> Vec<Point> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut points = Vec::new();
    for role in Role::APART {
        let span = if role == Role::Serve {
            events / 3
        } else {
            events
        };
        for number in 0..KILLS {
            let events = span / KILLS * number + rng.random_range(0..span / KILLS);
            points.push(Point { events, role });
        }
    }
    points.sort_by_key(|point| point.events);
    points
}

#[test]
fn kill_9_of_every_role_loses_no_event_and_counts_none_twice() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let _turn = turn::take();
    let crowd = Crowd::of_events(SEED, events_wanted());
    let mut processes = Processes::start(broker);
    let started = service::clock::instant();
    let sender = Sender::start(
        processes.http.runtime(),
        &processes.url(Role::Ingest),
        &processes.company.keys,
        crowd.batches(),
    );
    kill_at(
        &mut processes,
        &sender,
        &points(SEED, crowd.events()),
        crowd.events(),
    );
    eprintln!("all killed after {} s", started.elapsed().as_secs());
    sender.finish(processes.http.runtime());
    eprintln!("all sent after {} s", started.elapsed().as_secs());
    for role in Role::APART {
        processes.await_ready(role);
    }
    let expected = u64::try_from(crowd.events()).expect("a number of events");
    processes.come_to_rest_after_loss(expected, BOUND);
    eprintln!("all worked off after {} s", started.elapsed().as_secs());
    check(&crowd, &Counted::of(&processes));
    eprintln!("all counted after {} s", started.elapsed().as_secs());
}

/// Kills at each point and starts again. For the middle part of the run there are two instances of unify, and it is the second
/// one that the others lose without a word.
fn kill_at(processes: &mut Processes, sender: &Sender, points: &[Point], events: usize) {
    let (joins, leaves) = (events * 2 / 5, events * 7 / 10);
    let mut killed: BTreeMap<Role, usize> = BTreeMap::new();
    let mut second = None;
    for point in points {
        sender.allow(point.events + events / SLACK);
        let what = format!("{:?} after {} events", point.role, point.events);
        wait::until(&what, BOUND, || {
            (sender.acknowledged() >= point.events).then_some(())
        });
        if second.is_none() && (joins..leaves).contains(&point.events) {
            second = Some(processes.start_second(Role::Unify));
        }
        if point.events >= leaves
            && let Some(mut process) = second.take()
        {
            process.kill();
        }
        // Only who is at work is worth killing.
        processes.await_ready(point.role);
        eprintln!(
            "kill -9 {} at {} of {events} events",
            point.role.as_str(),
            sender.acknowledged()
        );
        processes.kill(point.role);
        processes.start_role(point.role);
        *killed.entry(point.role).or_default() += 1;
    }
    drop(second);
    assert!(
        Role::APART.iter().all(|role| killed[role] >= KILLS),
        "{killed:?}"
    );
}

/// What an independent client found in the topics.
struct Counted(Value);

impl Counted {
    fn of(processes: &Processes) -> Counted {
        let printed = python::run("count.py", processes, &[python::SCHEMAS]);
        Counted(serde_json::from_str(&printed).expect("the count is JSON"))
    }

    fn table(&self, name: &str) -> &serde_json::Map<String, Value> {
        self.0[name].as_object().expect("the count has this table")
    }
}

fn check(crowd: &Crowd, counted: &Counted) {
    let stored: BTreeSet<usize> = counted
        .table("events")
        .keys()
        .filter_map(|product| crowd::number(product))
        .collect();
    assert_eq!(
        stored,
        (0..crowd.events()).collect(),
        "every acknowledged event is in the topic"
    );

    let entries = counted.table("entries");
    let twice: Vec<_> = entries
        .iter()
        .filter(|(_, live)| live.as_array().is_none_or(|live| live.len() != 1))
        .collect();
    assert!(
        twice.is_empty(),
        "{} events are not on one timeline alone: {:?}",
        twice.len(),
        twice.first()
    );
    assert_eq!(
        entries.len(),
        crowd.events(),
        "every event is on a timeline"
    );

    let entry = |number: usize| &entries[&format!("n{number}")][0];
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for customer in 0..crowd.customers {
        let profiles: BTreeSet<&str> = crowd
            .numbers(customer)
            .into_iter()
            .filter_map(|number| entry(number)[0].as_str())
            .collect();
        assert_eq!(profiles.len(), 1, "customer {customer} has one timeline");
        for profile in profiles {
            let other = owners.insert(profile, customer);
            assert_eq!(other, None, "two customers have one timeline");
        }
        if let Some(complaint) = crowd.complaint(customer) {
            let case = entry(complaint)[2]
                .as_str()
                .unwrap_or_else(|| panic!("the complaint of customer {customer} has no case"));
            let other = open.insert(case, customer);
            assert_eq!(other, None, "two customers have one case");
        }
    }
    check_cases(crowd, counted, &open);
}

/// An order and its shipment are one matter once an event names both, so that the case of a complaint may have been opened under
/// another id and absorbed since. What was done about it is looked for in all of them.
fn check_cases(crowd: &Crowd, counted: &Counted, open: &BTreeMap<&str, usize>) {
    let cases = counted.table("cases");
    let last = |id: &str| {
        let mut id = id.to_owned();
        while let Some(by) = cases[&id]["absorbed_by"].as_str() {
            id = by.to_owned();
        }
        id
    };
    let (mut opened, mut told) = (BTreeMap::new(), BTreeMap::new());
    for (id, steps) in counted.table("steps") {
        let steps = steps.as_array().into_iter().flatten();
        *opened.entry(last(id)).or_insert(0) += steps.filter(|step| step[1] == "opened").count();
    }
    let mut notices = BTreeSet::new();
    for (department, list) in counted.table("notices") {
        for notice in list.as_array().into_iter().flatten() {
            assert!(
                notices.insert(notice[0].to_string()),
                "a notice was sent twice: {notice}"
            );
            if let (Some(case), "opened") =
                (notice[1].as_str(), notice[2].as_str().unwrap_or_default())
            {
                assert_eq!(department, "delivery");
                *told.entry(last(case)).or_insert(0) += 1;
            }
        }
    }
    let alive: BTreeMap<&str, &Value> = cases
        .iter()
        .filter(|(_, case)| case["phase"] != "closed")
        .map(|(id, case)| (id.as_str(), case))
        .collect();
    assert_eq!(open.len(), crowd.complaints());
    assert!(
        alive.keys().eq(open.keys()),
        "{} cases are open, and there are {} complaints",
        alive.len(),
        open.len()
    );
    for (id, case) in alive {
        assert_eq!(case["owner"], "delivery", "case {id} has its owner");
        assert_eq!(case["phase"], "open");
        assert_eq!(case["what"], "delivery.late");
        assert_eq!(case["contacts"], 1, "one complaint is one contact: {case}");
        assert!(case["deadline"].is_number(), "case {id} has a deadline");
        assert!(opened[id] >= 1, "case {id} was opened");
        assert_eq!(
            told.get(id),
            opened.get(id),
            "delivery was told once of each opening of case {id}"
        );
    }
}
