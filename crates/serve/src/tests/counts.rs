use axum::http::StatusCode;
use event::{
    Class, Event, Perspective, Record, Token,
    case::Phase,
    reject::{Reason, Reject},
    timeline::{Moved, Timeline},
};
use serde_json::json;

use super::world::{
    TILL, Told, WEB, World, assigned, at, case, case_id, entry, placed, profile, stands,
};
use crate::Config;

fn reject(number: u8, record: Option<&str>) -> Record {
    Record::Reject(Reject {
        id: Token::new([number; 16]),
        source: None,
        record: record.map(str::to_owned),
        time: at(0),
        reason: Reason::Schema,
        detail: String::new(),
        bytes: Vec::new(),
        length: 0,
        sha256: vec![0; 32],
    })
}

/// Two of Aino, one anonymous, one of a mystery shopper, one of an order alone.
fn events(world: &World) -> [Event; 5] {
    let aino = [("email", "aino@example.fi")];
    let told = |id, identifiers, references, perspective| Told {
        id,
        identifiers,
        references,
        perspective,
        ..WEB
    };
    let customer = Perspective::Customer;
    [
        world.event(told("1", &aino, &[], customer)),
        world.event(told("2", &aino, &[], customer)),
        world.event(told("3", &[], &[], customer)),
        world.event(told("4", &aino, &[], Perspective::MysteryShopper)),
        world.event(told("5", &[], &[("order", "A-77")], customer)),
    ]
}

#[tokio::test]
async fn what_was_accepted_is_what_stands_on_timelines_or_is_said_not_to() {
    let world = World::new().await;
    let [first, second, anonymous, shopper, order] = events(&world);
    let repeat = first.clone();
    let all = [&first, &second, &anonymous, &shopper, &order];
    world
        .write(all.into_iter().cloned().map(Record::Event))
        .await;
    world.write([Record::Event(repeat)]).await;
    world
        .write([
            reject(1, None),
            reject(2, None),
            reject(3, Some("polku.event/0@7")),
        ])
        .await;
    let counts = async || world.get("machine", "/v1/counts").await.1;
    let before = counts().await;
    assert_eq!(
        before["events"],
        json!({ "accepted": 5, "duplicate": 1, "corrected": 0, "rejected": 2, "refused": 1 })
    );
    assert_eq!(before["pending"], 3);
    assert_eq!(before["balanced"], true);
    assert_eq!(
        (&before["customers"], &before["unidentified"]),
        (&json!(1), &json!(1))
    );

    // The unifier places them; the order's entry comes before its event would, and moves to Aino, who is seen to own it.
    let aino = profile(&first.values[0]);
    let alone = profile(&order.values[0]);
    world
        .write([
            placed(entry(&first, aino, 0)),
            placed(entry(&second, aino, 0)),
            placed(entry(&order, alone, 0)),
        ])
        .await;
    let placed_once = counts().await;
    assert_eq!(
        (&placed_once["entries"], &placed_once["pending"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(placed_once["balanced"], true);
    world.write([placed(entry(&order, aino, 1))]).await;
    assert_eq!(counts().await["balanced"], false, "it is on two timelines");
    let moved = Moved {
        profile: alone,
        entry: order.id.token(),
        to: Some(aino),
        version: entry(&order, aino, 1).version,
    };
    world
        .write([
            Record::Timeline(Timeline::Moved(moved)),
            assigned(&order.values[0], aino, 1),
        ])
        .await;
    let after = counts().await;
    assert_eq!(after["balanced"], true);
    assert_eq!(
        (&after["entries"], &after["anonymous"], &after["apart"]),
        (&json!(3), &json!(1), &json!(1))
    );
    assert_eq!(
        (&after["customers"], &after["unidentified"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn cases_count_by_state_and_dormant_and_test_ones_apart() {
    let world = World::new().await;
    let states = [
        ("a", Phase::Open, false, false),
        ("b", Phase::Open, true, false),
        ("c", Phase::Acknowledged, false, false),
        ("d", Phase::Resolved, false, false),
        ("e", Phase::Closed, false, false),
        ("f", Phase::Open, false, true),
    ];
    let records = states.map(|(id, phase, dormant, test)| {
        let mut state = case(case_id(id), &[]);
        (state.phase, state.dormant, state.test) = (phase, dormant, test);
        stands(state)
    });
    world.write(records).await;
    let (_, counts) = world.get("admin", "/v1/counts").await;
    assert_eq!(
        counts["cases"],
        json!({ "open": 1, "acknowledged": 1, "resolved": 1, "closed": 1, "dormant": 1 })
    );
    // A case that goes on counts once.
    let mut resolved = case(case_id("a"), &[]);
    resolved.phase = Phase::Resolved;
    world.write([stands(resolved)]).await;
    let (_, counts) = world.get("admin", "/v1/counts").await;
    assert_eq!(
        (&counts["cases"]["open"], &counts["cases"]["resolved"]),
        (&json!(0), &json!(2))
    );
}

#[tokio::test]
async fn figures_are_public_only_where_allowed() {
    let world = World::new().await;
    let open = World::with(Config {
        counts_public: true,
        ..Config::default()
    })
    .await;
    let (status, _) = world.get("nobody", "/v1/counts").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(open.get("nobody", "/v1/counts").await.0, StatusCode::OK);
}

#[tokio::test]
async fn events_of_perspective_test_have_pages_and_no_figures() {
    let world = World::new().await;
    let canary = world.event(Told {
        identifiers: &[("customer_number", "1")],
        perspective: Perspective::Test,
        ..TILL
    });
    world.write([Record::Event(canary)]).await;
    let value = world.value("till", Class::Identifier, "customer_number", "1");
    let path = format!("/v1/customers/{}/timeline", profile(&value));
    let (_, page) = world.get("admin", &path).await;
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    let (_, counts) = world.get("admin", "/v1/counts").await;
    assert_eq!(
        (&counts["customers"], &counts["apart"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(counts["balanced"], true);
}
