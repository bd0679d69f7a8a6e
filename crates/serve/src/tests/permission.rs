use std::collections::BTreeSet;

use axum::http::{Request, StatusCode};
use event::{
    Class, ProfileId, Record, Token,
    access::AccessKind,
    case::{Case, Phase, StepKind},
};
use serde_json::{Value as Json, json};

use super::world::{
    TILL, Told, World, assigned, at, case, case_id, department, get, name, profile, stands, step,
};
use crate::Config;

const ID: &str = "00000000000000000000000000000001";

#[tokio::test]
async fn every_route_of_the_document_is_closed_without_a_known_key() {
    let world = World::new().await;
    let (status, document) = world.get("nobody", "/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path
                .replace("{command}", &format!("k_{ID}"))
                .replace("{id}", "delivery");
            for key in [None, Some("Bearer nobody"), Some("Basic admin")] {
                let mut request = Request::builder()
                    .method(method.to_uppercase().as_str())
                    .uri(&path);
                if let Some(key) = key {
                    request = request.header("authorization", key);
                }
                let request = request.body(axum::body::Body::from("{}")).unwrap();
                let (status, problem) = world.json(request).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {key:?}");
                assert_eq!(problem["status"], 401, "{method} {path}");
            }
            count += 1;
        }
    }
    assert_eq!(count, 18, "routes in the document");
}

/// Aino has a case of delivery, Eero one of billing.
struct Two {
    world: World,
    aino: ProfileId,
    eero: ProfileId,
}

async fn two() -> Two {
    let world = World::new().await;
    let aino = world.event(Told {
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    let eero = world.event(Told {
        id: "2",
        identifiers: &[("email", "eero@example.fi")],
        ..TILL
    });
    let (aino_id, eero_id) = (profile(&aino.values[0]), profile(&eero.values[0]));
    let delivery = case(case_id("delivery"), &[aino_id]);
    let mut billing = case(case_id("billing"), &[eero_id]);
    billing.owner = department("billing");
    billing.trail = vec![department("billing")];
    let assignments = [
        assigned(&aino.values[0], aino_id, 1),
        assigned(&eero.values[0], eero_id, 1),
    ];
    world.write([aino, eero].map(Record::Event)).await;
    world.write(assignments).await;
    world.write([delivery, billing].map(stands)).await;
    Two {
        world,
        aino: aino_id,
        eero: eero_id,
    }
}

#[tokio::test]
async fn nobody_reads_what_is_another_departments() {
    let Two { world, aino, eero } = two().await;
    let delivery = case_id("delivery");
    let billing = case_id("billing");
    let nobody = ProfileId::new(Token::new([7; 16]));
    // In the order advisor, lead, machine, front, admin; then stranger, who is billing's.
    let keys = ["advisor", "lead", "machine", "front", "admin", "stranger"];
    let table = [
        ("/v1/departments".to_owned(), [200; 6]),
        (
            "/v1/departments/delivery/cases".to_owned(),
            [200, 200, 200, 403, 200, 403],
        ),
        (
            "/v1/departments/billing/cases".to_owned(),
            [403, 403, 403, 403, 200, 200],
        ),
        (
            "/v1/departments/billing/stream".to_owned(),
            [403, 403, 403, 403, 200, 200],
        ),
        (
            "/v1/departments/nowhere/cases".to_owned(),
            [403, 403, 403, 403, 404, 403],
        ),
        (
            format!("/v1/cases/{delivery}"),
            [200, 200, 200, 403, 200, 403],
        ),
        (
            format!("/v1/cases/{billing}"),
            [403, 403, 403, 403, 200, 200],
        ),
        (
            format!("/v1/cases/{billing}/commands/k_{ID}"),
            [403, 403, 403, 403, 202, 202],
        ),
        // Of the front line only after a search, whatever reason the request names.
        (
            format!("/v1/customers/{aino}"),
            [200, 200, 403, 403, 200, 403],
        ),
        (
            format!("/v1/customers/{aino}/timeline"),
            [200, 200, 403, 403, 200, 403],
        ),
        (
            format!("/v1/customers/{eero}"),
            [403, 403, 403, 403, 200, 200],
        ),
        (
            format!("/v1/customers/{eero}/timeline"),
            [403, 403, 403, 403, 200, 200],
        ),
        (
            format!("/v1/customers/{nobody}"),
            [403, 403, 403, 403, 404, 403],
        ),
        ("/v1/counts".to_owned(), [200; 6]),
    ];
    for (path, expected) in table {
        for (key, expected) in keys.into_iter().zip(expected) {
            let mut request = get(key, &path);
            let reason = axum::http::HeaderValue::from_static("she calls");
            request.headers_mut().insert("polku-reason", reason);
            let status = world.send(request).await.status();
            assert_eq!(status.as_u16(), expected, "{key} {path}");
        }
    }
    let body = json!({ "identifier": "email:eero@example.fi", "reason": "she calls" });
    let is_open = [
        Some(false),
        Some(false),
        None,
        Some(true),
        Some(true),
        Some(true),
    ];
    for (key, is_open) in keys.into_iter().zip(is_open) {
        let (status, answer) = world.post(key, "/v1/customers/search", body.clone()).await;
        let expected = is_open.map_or(403, |_| 200);
        assert_eq!(status.as_u16(), expected, "{key} searches");
        let found = &answer["customers"][0];
        assert_eq!(
            found["identifiers"][0]["open"].as_bool(),
            is_open,
            "{key} searches"
        );
        assert_eq!(
            found["events"].as_i64(),
            is_open.filter(|open| *open).map(|_| 1),
            "{key}"
        );
    }
}

#[tokio::test]
async fn the_front_line_reads_whom_it_searched_for_and_for_that_reason() {
    let Two { world, aino, eero } = two().await;
    let (status, _) = world.search("front", "email:aino@example.fi").await;
    assert_eq!(status, StatusCode::OK);
    let timeline = |id: ProfileId| format!("/v1/customers/{id}/timeline");
    let (status, _) = world.get("front", &timeline(aino)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = world.get("front", &timeline(eero)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let accesses = world.accesses();
    let told: Vec<_> = accesses
        .iter()
        .map(|access| (access.what, access.profile, access.reason.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (AccessKind::Search, Some(aino), Some("she calls")),
            (AccessKind::Timeline, Some(aino), Some("she calls")),
        ]
    );
}

#[tokio::test]
async fn what_was_searched_for_is_read_for_an_hour_also_after_a_merge() {
    use event::Millis;
    let minutes = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let told = std::sync::Arc::clone(&minutes);
    let clock = move || {
        let minutes = told.load(std::sync::atomic::Ordering::Relaxed);
        (at(0) + Millis::from_secs(60 * minutes)).as_millis()
    };
    let world = World::at(Config::default(), std::sync::Arc::new(clock)).await;
    let aino = world.event(Told {
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    let (before, value) = (profile(&aino.values[0]), aino.values[0].clone());
    world.write([Record::Event(aino)]).await;
    world.search("front", "email:aino@example.fi").await;
    let number = world.value("till", Class::Identifier, "customer_number", "100234");
    let after = profile(&number);
    world
        .write([assigned(&value, after, 1), assigned(&number, after, 1)])
        .await;
    for (minute, expected) in [
        (0, StatusCode::OK),
        (59, StatusCode::OK),
        (60, StatusCode::FORBIDDEN),
    ] {
        minutes.store(minute, std::sync::atomic::Ordering::Relaxed);
        for id in [before, after] {
            let (status, _) = world.follow("front", &format!("/v1/customers/{id}")).await;
            assert_eq!(status, expected, "minute {minute}");
        }
    }
}

#[tokio::test]
async fn a_department_reads_what_it_had_or_sees_to_while_that_is_open() {
    let Two { world, eero, .. } = two().await;
    let handed = |phase| {
        let mut state = case(case_id("handed"), &[eero]);
        state.owner = department("billing");
        state.trail = vec![department("delivery"), department("billing")];
        state.phase = phase;
        stands(state)
    };
    let customer = format!("/v1/customers/{eero}");
    let path = format!("/v1/cases/{}", case_id("handed"));
    for (phase, expected) in [
        (Phase::Open, StatusCode::OK),
        (Phase::Acknowledged, StatusCode::OK),
        (Phase::Resolved, StatusCode::FORBIDDEN),
    ] {
        world.write([handed(phase)]).await;
        for path in [&path, &customer] {
            let (status, _) = world.get("advisor", path).await;
            assert_eq!(status, expected, "{path} {phase:?}");
        }
    }
    let mut escalated = case(case_id("escalated"), &[]);
    escalated.owner = department("billing");
    escalated.trail = vec![department("billing")];
    let path = format!("/v1/cases/{}", case_id("escalated"));
    world.write([stands(escalated)]).await;
    assert_eq!(world.get("advisor", &path).await.0, StatusCode::FORBIDDEN);
    let mut step = step(case_id("escalated"), 2, StepKind::Escalated, "billing");
    step.other = Some(department("delivery"));
    world.write([Record::Case(Case::Step(step))]).await;
    assert_eq!(world.get("advisor", &path).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_unit_has_its_own_inbox_and_cases() {
    let world = World::new().await;
    let mut states = Vec::new();
    for (id, unit) in [("k", Some("kamppi")), ("i", Some("itis")), ("none", None)] {
        let mut state = case(case_id(id), &[]);
        state.unit = unit.map(name);
        states.push(stands(state));
    }
    let mut offered = case(case_id("offered"), &[]);
    offered.owner = department("billing");
    offered.trail = vec![department("billing")];
    offered.offered_to = Some(department("delivery"));
    offered.place = Some(name("store:kamppi"));
    states.push(stands(offered));
    world.write(states).await;
    let inbox = async |key: &str, query: &str| {
        let path = format!("/v1/departments/delivery/cases{query}");
        let (status, inbox) = world.get(key, &path).await;
        assert_eq!(status, StatusCode::OK, "{inbox}");
        let cases = inbox["cases"].as_array().unwrap();
        let ids: BTreeSet<String> = cases
            .iter()
            .map(|case| case["id"].as_str().unwrap().to_owned())
            .collect();
        ids
    };
    let named = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| case_id(name).to_string()).collect()
    };
    assert_eq!(inbox("kamppi", "").await, named(&["k", "offered"]));
    assert_eq!(inbox("kamppi", "?unit=itis").await, named(&[]));
    assert_eq!(inbox("advisor", "?unit=itis").await, named(&["i"]));
    assert_eq!(
        inbox("advisor", "").await,
        named(&["k", "i", "none", "offered"])
    );
    for (id, expected) in [("k", 200), ("offered", 200), ("i", 403), ("none", 403)] {
        let id = case_id(id);
        let (status, _) = world.get("kamppi", &format!("/v1/cases/{id}")).await;
        assert_eq!(status, expected, "{id}");
        if expected == 403 {
            let path = format!("/v1/cases/{id}/commands");
            let body = json!({ "command": "acknowledge" });
            let (status, _) = world.post("kamppi", &path, body).await;
            assert_eq!(status, expected, "a command to {id}");
        }
    }
    assert!(world.records(&event::Topic::CaseInput).is_empty());
}

#[tokio::test]
async fn who_asks_too_often_waits_and_nobody_else_does() {
    let config = Config {
        requests_per_second: std::num::NonZeroU32::MIN,
        ..Config::default()
    };
    let world = World::with(config).await;
    for _ in 0..10 {
        let status = world.send(get("advisor", "/v1/counts")).await.status();
        assert_eq!(status, StatusCode::OK);
        let status = world.send(get("advisor", "/v1/departments")).await.status();
        assert_eq!(status, StatusCode::OK);
    }
    let response = world.send(get("advisor", "/v1/departments")).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers().contains_key("retry-after"));
    let status = world.send(get("lead", "/v1/departments")).await.status();
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_search_says_why() {
    let Two { world, .. } = two().await;
    for body in [
        json!({ "identifier": "email:aino@example.fi" }),
        json!({ "identifier": "email:aino@example.fi", "reason": "  " }),
    ] {
        let (status, answer) = world.post("front", "/v1/customers/search", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer["faults"]["reason"].is_string(), "{answer}");
    }
    assert!(world.accesses().is_empty());
}

#[tokio::test]
async fn an_offered_case_is_read_by_both_departments_until_it_is_answered() {
    let Two { world, eero, .. } = two().await;
    let id = case_id("billing");
    let mut offered = case(id, &[eero]);
    offered.owner = department("billing");
    offered.trail = vec![department("billing")];
    offered.offered_to = Some(department("delivery"));
    world.write([stands(offered.clone())]).await;
    let path = format!("/v1/cases/{id}");
    for key in ["advisor", "stranger"] {
        assert_eq!(world.get(key, &path).await.0, StatusCode::OK, "{key}");
    }
    let customer = format!("/v1/customers/{eero}");
    assert_eq!(world.get("advisor", &customer).await.0, StatusCode::OK);
    let waiting = async || {
        let inbox = "/v1/departments/delivery/cases?state=offered";
        let (_, inbox) = world.get("advisor", inbox).await;
        inbox["cases"].as_array().unwrap().len()
    };
    assert_eq!(waiting().await, 1);
    offered.offered_to = None;
    world.write([stands(offered)]).await;
    assert_eq!(waiting().await, 0);
    for path in [path, customer] {
        let (status, _) = world.get("advisor", &path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn an_inbox_shows_what_waits_the_most_urgent_first() {
    let world = World::new().await;
    let mut states = Vec::new();
    for (id, deadline) in [("late", 900), ("soon", 300), ("never", i64::MAX)] {
        let mut state = case(case_id(id), &[]);
        state.deadline = (deadline != i64::MAX).then(|| super::world::at(deadline));
        states.push(state);
    }
    let mut offered = case(case_id("offered"), &[]);
    offered.owner = department("billing");
    offered.offered_to = Some(department("delivery"));
    let mut dormant = case(case_id("dormant"), &[]);
    dormant.dormant = true;
    let mut resolved = case(case_id("resolved"), &[]);
    resolved.phase = event::case::Phase::Resolved;
    states.extend([offered, dormant, resolved]);
    world.write(states.into_iter().map(stands)).await;
    let ids = async |query: &str| -> Vec<Json> {
        let path = format!("/v1/departments/delivery/cases{query}");
        let (status, inbox) = world.get("advisor", &path).await;
        assert_eq!(status, StatusCode::OK, "{inbox}");
        let cases = inbox["cases"].as_array().unwrap();
        cases.iter().map(|case| case["id"].clone()).collect()
    };
    let named = |names: &[&str]| -> Vec<Json> {
        let ids = names.iter().map(|name| json!(case_id(name).to_string()));
        ids.collect()
    };
    assert_eq!(ids("").await, named(&["soon", "offered", "late", "never"]));
    for (state, names) in [
        ("open", &["soon", "late", "never"][..]),
        ("acknowledged", &[]),
        ("offered", &["offered"]),
        ("dormant", &["dormant"]),
        ("resolved", &["resolved"]),
        ("closed", &[]),
    ] {
        assert_eq!(
            ids(&format!("?state={state}")).await,
            named(names),
            "{state}"
        );
    }
    let (_, first) = world
        .get("advisor", "/v1/departments/delivery/cases?limit=3")
        .await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(ids(&format!("?cursor={next}")).await, named(&["never"]));
    let (status, _) = world
        .get("advisor", "/v1/departments/delivery/cases?state=lost")
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);

    let (_, all) = world.get("advisor", "/v1/departments").await;
    assert_eq!(
        all["departments"],
        json!([
            { "id": "billing", "name": "billing" },
            { "id": "delivery", "name": "Delivery & <returns>", "open": 3, "offered": 1 },
        ])
    );
    let distinct: BTreeSet<String> = ids("").await.iter().map(Json::to_string).collect();
    assert_eq!(distinct.len(), 4);
}
