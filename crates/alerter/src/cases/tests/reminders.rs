//! How often a missed deadline is missed again: seldom, where nobody ever does anything.

use event::Time;

use super::*;

const OPENED: i64 = 1;

/// The hours after the case opened at which something was missed.
fn missed(world: &World) -> Vec<i64> {
    let hour = |time: Time| (time - noon()).as_millis() / 3_600_000 - OPENED;
    let steps = world.steps(case());
    let missed = steps.iter().filter(|step| step.what == StepKind::Missed);
    missed.map(|step| hour(step.time)).collect()
}

fn told_of(world: &World, why: Why) -> usize {
    world.told().iter().filter(|(_, told)| *told == why).count()
}

#[test]
fn a_case_that_nobody_touches_is_missed_each_time_twice_as_late() {
    for ticks in [1, 365] {
        let mut world = world();
        world.hear(complaint(1));
        for _ in 0..ticks {
            world.pass(Millis::from_hours(365 * 24 / ticks));
        }
        // To be acknowledged in 4 hours and contacted in 16; the end is after 14 days.
        let hours = [4, 8, 16, 32, 64, 128, 256, 336, 512, 1024, 2048, 4096, 8192];
        assert_eq!(missed(&world), hours);
        assert_eq!(told_of(&world, Why::Missed), hours.len());
        assert_eq!(told_of(&world, Why::Escalated), hours.len());
    }
}

#[test]
fn whoever_does_something_and_the_customer_who_asks_again_bring_the_next_time_nearer() {
    let acts = [
        (
            "the customer asks again",
            None,
            vec![104, 108, 116, 132, 164],
        ),
        (
            "somebody writes something down",
            Some(CommandKind::Note),
            vec![104, 108, 116, 132, 164],
        ),
        // Only the customer waits then.
        (
            "somebody knows of it",
            Some(CommandKind::Acknowledge),
            vec![116, 120, 128, 144, 176],
        ),
    ];
    for (why, act, expected) in acts {
        let mut world = world();
        world.hear(complaint(1));
        world.pass(Millis::from_hours(100));
        match act {
            None => world.hear(contact(5_000)),
            Some(what) => assert_eq!(world.obey(command(1, case(), what)), Verdict::Applied),
        }
        world.pass(Millis::from_hours(100));
        let missed = missed(&world);
        let (before, after) = missed.split_at(5);
        assert_eq!(before, [4, 8, 16, 32, 64], "{why}");
        assert_eq!(after, expected, "{why}");
    }
}

#[test]
fn what_nobody_did_of_one_thing_says_nothing_of_the_next() {
    let mut world = world();
    world.hear(complaint(1));
    world.pass(Millis::from_hours(100));
    for (number, what) in [
        (1, CommandKind::Contact),
        (2, CommandKind::Resolve),
        (3, CommandKind::Reopen),
    ] {
        let told = Some(event::case::ContactHow::Phone);
        let act = Command {
            told: told.filter(|_| what == CommandKind::Resolve),
            ..command(number, case(), what)
        };
        assert_eq!(world.obey(act), Verdict::Applied, "{what:?}");
    }
    world.pass(Millis::from_hours(30));
    // From being reopened.
    assert_eq!(missed(&world), [4, 8, 16, 32, 64, 104, 108, 116]);
}

#[test]
fn a_deadline_ahead_stays_where_it_is_when_another_was_missed() {
    let mut world = world();
    world.hear(complaint(1));
    world.pass(Millis::from_hours(5));
    let act = command(1, case(), CommandKind::Acknowledge);
    assert_eq!(world.obey(act), Verdict::Applied);
    world.pass(Millis::from_hours(15));
    assert_eq!(missed(&world), [4, 16, 20]);
}
