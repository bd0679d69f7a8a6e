use std::collections::BTreeMap;

use event::{
    Kind, Perspective, Record, Score,
    case::{Case, Phase, StepKind},
};
use prometheus::TextEncoder;

use super::world::{TILL, Told, World, at, case, case_id, department, name, notice, stands, step};
use crate::Config;

/// The figures as a scrape has them: a name with its labels -> the value.
fn scraped(world: &World) -> BTreeMap<String, f64> {
    let text = TextEncoder::new()
        .encode_to_string(&world.registry.gather())
        .unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[track_caller]
fn check(world: &World, expected: &[(&str, f64)]) {
    let seen = scraped(world);
    for (name, value) in expected {
        assert_eq!(seen.get(*name), Some(value), "{name} in {seen:#?}");
    }
}

async fn world() -> World {
    let clock = std::sync::Arc::new(|| at(60).as_millis());
    World::at(Config::default(), clock).await
}

#[tokio::test]
async fn open_cases_are_counted_by_age_by_what_is_due_and_by_who_is_waited_for() {
    let world = world().await;
    let mut states = Vec::new();
    for (id, happened, deadline, waiting) in [
        ("new", 0, 600, None),
        ("soon", -500, 100, Some("posti")),
        ("late", -3_000, 10, Some("delivery")),
        ("later", -3_000, 10, Some("nobody-knows")),
    ] {
        let mut state = case(case_id(id), &[]);
        state.happened = at(happened);
        state.deadline = Some(at(deadline));
        state.waiting_on = waiting.map(name);
        states.push(state);
    }
    let mut dormant = case(case_id("dormant"), &[]);
    dormant.dormant = true;
    let mut test = case(case_id("test"), &[]);
    test.test = true;
    let mut resolved = case(case_id("resolved"), &[]);
    resolved.phase = Phase::Resolved;
    states.extend([dormant, test, resolved]);
    world.write(states.into_iter().map(stands)).await;
    check(
        &world,
        &[
            (r#"polku_cases_open{age="4h",department="delivery"}"#, 1.0),
            (r#"polku_cases_open{age="1d",department="delivery"}"#, 1.0),
            (r#"polku_cases_open{age="3d",department="delivery"}"#, 2.0),
            (
                r#"polku_cases_open{age="older",department="delivery"}"#,
                0.0,
            ),
            (r#"polku_cases_open{age="4h",department="billing"}"#, 0.0),
            (r#"polku_cases_due{department="delivery",when="soon"}"#, 1.0),
            (
                r#"polku_cases_due{department="delivery",when="overdue"}"#,
                2.0,
            ),
            // Posti is no party that a department answers for.
            (
                r#"polku_cases_waiting{department="delivery",on="delivery"}"#,
                1.0,
            ),
            (
                r#"polku_cases_waiting{department="delivery",on="other"}"#,
                2.0,
            ),
        ],
    );
}

#[tokio::test]
async fn steps_count_once_whatever_comes_first_and_tests_never() {
    let world = world().await;
    let handed = |number, what, owner: &str, other: &str| {
        let mut step = step(case_id("a"), number, what, owner);
        step.other = Some(department(other));
        Record::Case(Case::Step(step))
    };
    let of_test = |number| {
        let step = step(case_id("test"), number, StepKind::Missed, "delivery");
        Record::Case(Case::Step(step))
    };
    let mut test = case(case_id("test"), &[]);
    test.test = true;
    let offered = handed(1, StepKind::Offered, "delivery", "billing");
    let state = || stands(case(case_id("a"), &[]));
    world
        .write([
            // Before the state that says whose case it is, and again after it.
            offered.clone(),
            of_test(1),
            state(),
            stands(test),
            of_test(2),
            offered,
            state(),
            handed(2, StepKind::Declined, "delivery", "billing"),
            handed(3, StepKind::Offered, "delivery", "billing"),
            handed(4, StepKind::Accepted, "billing", "delivery"),
            handed(5, StepKind::Missed, "billing", "delivery"),
            handed(6, StepKind::Escalated, "billing", "delivery"),
            handed(7, StepKind::Offered, "billing", "unheard-of"),
            handed(8, StepKind::Returned, "billing", "unheard-of"),
            handed(9, StepKind::Resolved, "billing", "delivery"),
        ])
        .await;
    let pair = |from: &str, to: &str, outcome: &str| {
        format!(r#"polku_hand_offs_total{{from="{from}",outcome="{outcome}",to="{to}"}}"#)
    };
    check(
        &world,
        &[
            (&pair("delivery", "billing", "offered"), 2.0),
            (&pair("delivery", "billing", "declined"), 1.0),
            (&pair("delivery", "billing", "accepted"), 1.0),
            (&pair("billing", "other", "offered"), 1.0),
            (&pair("billing", "other", "returned"), 1.0),
            (r#"polku_deadlines_missed_total{department="billing"}"#, 1.0),
            (
                r#"polku_deadlines_missed_total{department="delivery"}"#,
                0.0,
            ),
            (r#"polku_escalations_total{department="billing"}"#, 1.0),
            (r#"polku_cases_resolved_total{department="billing"}"#, 1.0),
            // Step nine is nine minutes after it happened.
            (r#"polku_case_wait_seconds_bucket{le="3600"}"#, 1.0),
            ("polku_case_wait_seconds_count", 1.0),
            ("polku_case_wait_seconds_sum", 540.0),
        ],
    );
}

const JOURNEY: &str = "
[departments.delivery]
[journeys.purchase]
stages = ['purchase', 'delivery']
touchpoints = { pickup-point = 'delivery' }
owners = { delivery = 'delivery' }
";

#[tokio::test]
async fn what_customers_say_is_counted_by_stage_and_channel_and_a_correction_replaces_it() {
    let world = world().await;
    world.write([super::world::company(2, JOURNEY)]).await;
    let said = |id: &'static str, kind, value: f64| {
        let mut event = world.event(Told { id, ..TILL });
        event.kind = kind;
        event.touchpoint = Some(name("pickup-point"));
        event.score = Some(Score {
            metric: name("nps"),
            value,
            min: 0.0,
            max: 10.0,
        });
        event
    };
    let mut unknown = said("4", Kind::Feedback, 2.0);
    unknown.stage = Some(name("elsewhere"));
    let mut nowhere = said("5", Kind::Service, 5.0);
    (nowhere.touchpoint, nowhere.score) = (None, None);
    let mut shopper = said("6", Kind::Feedback, 9.0);
    shopper.perspective = Perspective::MysteryShopper;
    let mut corrected = said("1", Kind::Complaint, 1.0);
    corrected.revision = 1;
    let events = [
        said("1", Kind::Feedback, 10.0),
        said("2", Kind::Feedback, 9.0),
        said("3", Kind::Complaint, 3.0),
        unknown,
        nowhere,
        shopper,
        corrected,
    ];
    world.write(events.map(Record::Event)).await;
    let labels = |kind: &str, stage: &str| {
        format!(r#"polku_feedback_total{{channel="store",kind="{kind}",stage="{stage}"}}"#)
    };
    check(
        &world,
        &[
            (&labels("feedback", "delivery"), 1.0),
            (&labels("praise", "delivery"), 1.0),
            (&labels("complaint", "delivery"), 2.0),
            (&labels("feedback", "other"), 1.0),
            (&labels("service", "none"), 1.0),
            (
                r#"polku_score_count{channel="store",metric="nps",stage="delivery"}"#,
                3.0,
            ),
            (
                r#"polku_score_sum{channel="store",metric="nps",stage="delivery"}"#,
                1.3,
            ),
        ],
    );
}

#[tokio::test]
async fn thanks_are_found_newest_first_among_the_notices() {
    let world = world().await;
    let thanks = |number| {
        let Record::Notice(mut notice) = notice(case_id("a"), number) else {
            unreachable!("a notice is a notice");
        };
        notice.why = event::notice::Why::Praise;
        Record::Notice(notice)
    };
    world
        .write([thanks(1), notice(case_id("a"), 2), thanks(3)])
        .await;
    let state = world.service.api.model.read();
    let delivery = department("delivery");
    let latest = state.notices.latest(&delivery, event::notice::Why::Praise);
    let steps: Vec<u32> = latest.map(|notice| notice.step).collect();
    assert_eq!(steps, [3, 1]);
}
