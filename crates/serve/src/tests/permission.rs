use std::collections::BTreeSet;

use axum::http::{Request, StatusCode};
use event::{ProfileId, Record, Token};
use serde_json::{Value as Json, json};

use super::world::{
    TILL, Told, World, assigned, case, case_id, department, get, post, profile, stands,
};

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
    assert_eq!(count, 10, "routes in the document");
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
        (
            format!("/v1/customers/{aino}"),
            [200, 200, 403, 200, 200, 403],
        ),
        (
            format!("/v1/customers/{aino}/timeline"),
            [200, 200, 403, 200, 200, 403],
        ),
        (
            format!("/v1/customers/{eero}"),
            [403, 403, 403, 200, 200, 200],
        ),
        (
            format!("/v1/customers/{eero}/timeline"),
            [403, 403, 403, 200, 200, 200],
        ),
        (
            format!("/v1/customers/{nobody}"),
            [403, 403, 403, 404, 404, 403],
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
    for (key, expected) in keys.into_iter().zip([200, 200, 403, 200, 200, 200]) {
        let request = post(key, "/v1/customers/search", &body);
        let status = world.send(request).await.status();
        assert_eq!(status.as_u16(), expected, "{key} searches");
    }
}

#[tokio::test]
async fn the_front_line_reads_for_a_reason() {
    let Two { world, aino, .. } = two().await;
    for path in [
        format!("/v1/customers/{aino}"),
        format!("/v1/customers/{aino}/timeline"),
    ] {
        let (status, problem) = world.get("front", &path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    }
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
