use event::time::Millis;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{endpoint::Failure, tests::sample};

fn queue() -> Queue {
    Queue::new(Limits::default(), Offset(10), None)
}

const NOTHING: [i64; 0] = [];

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// Notices of these cases, from offset 10 on.
fn holding(cases: &[u8]) -> Queue {
    let mut queue = queue();
    for (offset, case) in (10..).zip(cases) {
        queue.take(Offset(offset), at(offset), sample::notice(offset, *case));
    }
    queue
}

fn due(queue: &mut Queue, now: Time) -> Vec<i64> {
    let due = queue.due(now);
    due.into_iter().map(|attempt| attempt.offset.0).collect()
}

const FAILED: Answer = Answer::Failed {
    why: Failure::Status(500),
    retry_after: None,
};

fn finish(queue: &mut Queue, now: Time, offset: i64, answer: Answer) -> Vec<(SentKind, i64)> {
    let facts = queue.finish(now, Offset(offset), answer, 0.5);
    facts
        .into_iter()
        .map(|fact| (fact.what, fact.offset.0))
        .collect()
}

#[test]
fn notices_of_one_case_go_one_after_the_other_and_others_beside_them() {
    let mut queue = holding(&[1, 1, 2, 1, 3]);
    assert_eq!(due(&mut queue, at(0)), [10, 12, 14]);
    assert_eq!(due(&mut queue, at(0)), NOTHING);
    assert_eq!(
        finish(&mut queue, at(1), 12, Answer::Delivered),
        [(SentKind::Delivered, 12)]
    );
    assert_eq!(due(&mut queue, at(1)), NOTHING);
    finish(&mut queue, at(1), 10, Answer::Delivered);
    assert_eq!(due(&mut queue, at(1)), [11]);
    assert_eq!(queue.floor(), Offset(11));
}

#[test]
fn a_notice_that_fails_holds_up_its_case_alone() {
    let mut queue = holding(&[1, 1, 2, 2]);
    assert_eq!(due(&mut queue, at(0)), [10, 12]);
    assert_eq!(
        finish(&mut queue, at(0), 10, FAILED),
        [(SentKind::Failing, 10)]
    );
    finish(&mut queue, at(0), 12, Answer::Delivered);
    assert_eq!(due(&mut queue, at(0)), [13]);
    finish(&mut queue, at(0), 13, Answer::Delivered);
    assert_eq!(
        queue.next_due(),
        Some(Time::from_millis(500)),
        "half of the first wait"
    );
    assert_eq!(due(&mut queue, Time::from_millis(499)), NOTHING);
    assert_eq!(due(&mut queue, Time::from_millis(500)), [10]);
}

#[test]
fn an_endpoint_that_is_down_is_asked_by_one_at_a_time_and_then_hears_all_at_once() {
    let mut queue = holding(&[1, 2, 3, 4, 5, 6]);
    for offset in due(&mut queue, at(0)) {
        finish(&mut queue, at(0), offset, FAILED);
    }
    // What was never sent may go at once, but nothing beside it.
    assert_eq!(due(&mut queue, at(0)), [14]);
    assert_eq!(queue.next_due(), None);
    finish(&mut queue, at(0), 14, FAILED);
    assert_eq!(due(&mut queue, at(0)), [15]);
    finish(&mut queue, at(0), 15, FAILED);
    assert_eq!(due(&mut queue, at(0)), NOTHING);
    assert_eq!(due(&mut queue, at(1)), [10]);
    finish(&mut queue, at(1), 10, FAILED);
    assert_eq!(due(&mut queue, at(1)), [11]);
    finish(&mut queue, at(1), 11, Answer::Delivered);
    assert_eq!(
        due(&mut queue, at(1)),
        [10, 12, 13, 14],
        "nobody waits any more"
    );
}

#[test]
fn an_endpoint_says_for_how_long_it_is_to_be_left_alone() {
    let mut queue = holding(&[1]);
    due(&mut queue, at(0));
    let answer = Answer::Failed {
        why: Failure::Status(429),
        retry_after: Some(Millis::from_secs(90)),
    };
    finish(&mut queue, at(0), 10, answer);
    assert_eq!(queue.next_due(), Some(at(90)));
}

#[test]
fn a_dead_endpoint_holds_a_window_and_no_more() {
    let limits = Limits {
        window_max: 3,
        ..Limits::default()
    };
    let mut queue = Queue::new(limits, Offset(0), None);
    for offset in 0..3 {
        assert_eq!(queue.room(), 3 - usize::try_from(offset).unwrap());
        queue.take(Offset(offset), at(0), sample::notice(offset, 1));
    }
    assert_eq!(queue.room(), 0);
    due(&mut queue, at(0));
    finish(&mut queue, at(0), 0, Answer::Delivered);
    assert_eq!(queue.room(), 1);
    assert_eq!(queue.next(), Offset(3));
}

#[test]
fn an_endpoint_that_is_gone_is_disabled_and_loses_nothing() {
    let mut queue = holding(&[1, 2]);
    assert_eq!(due(&mut queue, at(0)), [10, 11]);
    assert_eq!(
        finish(&mut queue, at(0), 11, Answer::Gone),
        [(SentKind::Disabled, 10)]
    );
    assert_eq!(
        finish(&mut queue, at(0), 10, FAILED),
        [(SentKind::Failing, 10)]
    );
    assert!(queue.is_disabled());
    assert_eq!(
        (queue.room(), due(&mut queue, at(1_000)), queue.next_due()),
        (0, vec![], None)
    );
    assert_eq!(queue.floor(), Offset(10));
}

const DAY: i64 = 86_400;

#[test]
fn five_days_of_failure_disable_an_endpoint() {
    let mut queue = holding(&[1]);
    let mut now = at(0);
    let mut said = Vec::new();
    let mut attempts = 0;
    while !queue.is_disabled() {
        now = now.max(queue.next_due().unwrap());
        assert_eq!(due(&mut queue, now), [10]);
        attempts += 1;
        said.extend(finish(&mut queue, now, 10, FAILED));
    }
    assert_eq!(said, [(SentKind::Failing, 10), (SentKind::Disabled, 10)]);
    assert!((at(5 * DAY)..at(5 * DAY + 3_600)).contains(&now), "{now}");
    // Twelve doublings to the cap, then half an hour each time.
    assert_eq!(attempts, 252);
}

#[test]
fn failures_before_a_restart_count() {
    let mut queue = Queue::new(Limits::default(), Offset(10), Some(at(0)));
    queue.take(Offset(10), at(0), sample::notice(10, 1));
    due(&mut queue, at(5 * DAY));
    assert_eq!(
        finish(&mut queue, at(5 * DAY), 10, FAILED),
        [(SentKind::Disabled, 10)]
    );
}

#[test]
fn a_notice_that_alone_fails_for_five_days_is_given_up() {
    let mut queue = holding(&[1]);
    let mut said = Vec::new();
    for hour in 0.. {
        let (number, now) = (100 + hour, at(hour * 3_600));
        queue.take(Offset(number), now, sample::notice(number, 2));
        for offset in due(&mut queue, now) {
            let answer = if offset == 10 {
                FAILED
            } else {
                Answer::Delivered
            };
            said.extend(finish(&mut queue, now, offset, answer));
        }
        if queue.floor() != Offset(10) {
            assert_eq!(hour, 5 * 24);
            break;
        }
    }
    assert!(said.contains(&(SentKind::GivenUp, 10)));
    assert!(!queue.is_disabled(), "it took all others");
}

#[test]
fn what_another_instance_delivered_is_let_go_of() {
    let mut queue = holding(&[1, 2, 3]);
    let ids = [10, 11, 12].map(|offset| sample::notice(offset, 1).id);
    assert_eq!(due(&mut queue, at(0)).len(), 3);
    finish(&mut queue, at(0), 11, FAILED);
    queue.drop_settled(|_, id| id != ids[2]);
    assert_eq!(queue.floor(), Offset(10), "it is under way here");
    finish(&mut queue, at(0), 10, FAILED);
    assert_eq!(
        queue.floor(),
        Offset(12),
        "and is not sent again when it fails"
    );
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Take(u8),
    Wait(u16),
    Due,
    /// The attempt under way at this place, modulo how many there are.
    Finish(usize, Answer),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let answer = prop_oneof![
        3 => Just(Answer::Delivered),
        3 => Just(FAILED),
    ];
    let one = prop_oneof![
        3 => (0_u8..4).prop_map(Move::Take),
        2 => any::<u16>().prop_map(Move::Wait),
        3 => Just(Move::Due),
        5 => (any::<usize>(), answer).prop_map(|(place, answer)| Move::Finish(place, answer)),
    ];
    vec(one, 0..200)
}

proptest! {
    /// Whatever the endpoint answers and whenever: every notice is delivered once, in the order of its case; never are more under
    /// way than may be, nor more held; and an endpoint that answers in the end gets all of them.
    #[test]
    fn every_notice_is_delivered_once_in_the_order_of_its_case(moves in moves()) {
        let limits = Limits { window_max: 8, ..Limits::default() };
        let mut queue = Queue::new(limits, Offset(0), None);
        let (mut now, mut number) = (at(0), 0);
        let mut under_way: Vec<(i64, u8)> = Vec::new();
        let mut taken: Vec<(i64, u8)> = Vec::new();
        let mut delivered: Vec<(i64, u8)> = Vec::new();
        let end = std::iter::repeat_n([Move::Wait(u16::MAX), Move::Due, Move::Finish(0, Answer::Delivered)], 2_000).flatten();
        for one in moves.into_iter().chain(end) {
            match one {
                Move::Take(case) => {
                    if queue.room() > 0 {
                        queue.take(Offset(number), now, sample::notice(number, case));
                        taken.push((number, case));
                        number += 1;
                    }
                }
                Move::Wait(seconds) => now = now + Millis::from_secs(seconds.into()),
                Move::Due => {
                    for attempt in queue.due(now) {
                        let case = attempt.notice.case.as_bytes()[0];
                        let unfinished = taken.iter().find(|one| one.1 == case && !delivered.contains(one));
                        prop_assert_eq!(unfinished, Some(&(attempt.offset.0, case)), "the oldest of its case");
                        under_way.push((attempt.offset.0, case));
                    }
                    prop_assert!(under_way.len() <= limits.abreast_max);
                    if under_way.is_empty() && !queue.is_disabled() {
                        let waits = queue.next_due();
                        prop_assert_eq!(waits.is_none(), taken.len() == delivered.len(), "somebody waits for a time that comes");
                        prop_assert!(waits.is_none_or(|due| due > now));
                    }
                }
                Move::Finish(place, answer) => {
                    if under_way.is_empty() {
                        continue;
                    }
                    let one = under_way.remove(place % under_way.len());
                    let facts = queue.finish(now, Offset(one.0), answer, 0.9);
                    let is_delivered = facts.iter().any(|fact| fact.what == SentKind::Delivered);
                    prop_assert_eq!(is_delivered, answer == Answer::Delivered);
                    if is_delivered {
                        delivered.push(one);
                    }
                    // Both ways to lose patience are tried elsewhere.
                    if queue.is_disabled() || facts.iter().any(|fact| fact.what == SentKind::GivenUp) {
                        return Ok(());
                    }
                }
            }
            let oldest = taken.iter().find(|one| !delivered.contains(one));
            prop_assert_eq!(queue.floor(), Offset(oldest.map_or(number, |one| one.0)));
            prop_assert!(taken.len() - delivered.len() <= limits.window_max);
        }
        delivered.sort_unstable();
        prop_assert_eq!(delivered, taken);
    }
}
