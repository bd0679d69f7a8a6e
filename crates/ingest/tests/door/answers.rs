//! What senders are answered, and what then lies in the log.

use std::{collections::BTreeSet, sync::Arc};

use axum::http::StatusCode;
use event::{
    Channel, Class, Company, Event, Name, Perspective, SourceId, Standing, Token, Topic,
    reject::Reason, rules::TypeRule,
};
use ingest::{Permission, Totals};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Broken, How, World, event, event_with, post};

#[tokio::test]
async fn an_event_is_in_the_log_under_its_strongest_identifier() {
    let world = World::new();
    let reply = world
        .till(&event_with(
            "till-7-000123",
            json!({
                "type": "delivery.late",
                "identifiers": {"phone": "040 705 5810", "email": ["Aino@Example.fi"], "customer_number": "a100"},
                "references": {"order": "A-77", "shipment": "JJFI6512"},
                "text": "Paketti tuli myöhässä", "name": "Aino K.", "attributes": {"till": 7},
                "promise": {"id": "p-1", "what": "refund", "text": "Rahat takaisin", "by": "call-centre"},
            }),
        ))
        .await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    insta::assert_json_snapshot!("accepted", reply.body);

    let [(event, personal)] = &world.events()[..] else {
        panic!("one event")
    };
    let kinds: Vec<&str> = event
        .values
        .iter()
        .map(|value| value.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        ["customer_number", "email", "phone", "order", "shipment"]
    );
    assert_eq!(event.anchor, event.values[0].token);
    assert_eq!(event.values[3].class, Class::Reference);
    assert_eq!((event.channel, event.trusted), (Channel::Store, true));
    assert_eq!((event.rules_version, event.revision), (3, 0));
    assert_eq!(event.operational["till"], "7");
    let shown: Vec<&str> = personal
        .identifiers
        .iter()
        .map(|named| named.value.as_str())
        .collect();
    assert_eq!(shown, ["A100", "aino@example.fi", "+358407055810"]);
    assert_eq!(personal.text.as_deref(), Some("Paketti tuli myöhässä"));
    assert_eq!(personal.promise.as_deref(), Some("Rahat takaisin"));
}

#[tokio::test]
async fn a_national_telephone_number_is_read_as_where_the_source_stands() {
    let hash = |key: &str| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(key));
    let sources = format!(
        "[till]\nchannel = 'store'\nkey_sha256 = ['{}']\n[malmo]\nchannel = 'store'\nkey_sha256 = ['{}']\nregion = 'SE'\n",
        hash("till-key"),
        hash("malmo-key")
    );
    let world = World::with(toml::from_str(&sources).unwrap(), &Company::default());
    // In Finland the number is 040 705 5810; in Sweden 070-174 06 05, and a foreign number is itself everywhere.
    for (source, phone) in [
        ("till", "040 705 5810"),
        ("till", "+46 70 174 06 05"),
        ("malmo", "070-174 06 05"),
        ("malmo", "+358 40 7055810"),
    ] {
        let body = event_with(phone, json!({ "identifiers": { "phone": phone } }));
        let key = format!("{source}-key");
        let request = post(source, &key, "application/json", body.to_string());
        assert_eq!(
            world.send(request).await.status,
            StatusCode::ACCEPTED,
            "{source} {phone}"
        );
    }
    let events = world.events();
    let mut tokens: Vec<(&str, Token)> = events
        .iter()
        .map(|(event, personal)| (personal.identifiers[0].value.as_str(), event.anchor))
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    let numbers: Vec<&str> = tokens.iter().map(|(number, _)| *number).collect();
    assert_eq!(
        numbers,
        ["+358407055810", "+46701740605"],
        "each is one identifier"
    );
}

#[tokio::test]
async fn an_event_that_names_nobody_is_its_own_anchor() {
    let world = World::new();
    let mut nobody = event_with(
        "1",
        json!({"identifiers": {"customer_number": "anonymous"}}),
    );
    nobody.as_object_mut().unwrap().remove("references");
    assert_eq!(world.till(&nobody).await.status, StatusCode::ACCEPTED);
    let (event, personal) = world.events().remove(0);
    assert_eq!(event.anchor, event.id.token());
    assert_eq!((event.values.len(), personal.identifiers.len()), (0, 0));
}

#[tokio::test]
async fn an_order_of_a_shared_space_is_one_and_a_ticket_of_two_sources_is_two() {
    let world = World::new();
    let about = json!({"references": {"order": "A-77", "ticket": "1001"}});
    world.till(&event_with("1", about.clone())).await;
    world.web(&event_with("1", about)).await;
    let events = world.events();
    let token = |place: usize, kind: &str| -> Token {
        let values = &events[place].0.values;
        values
            .iter()
            .find(|value| value.kind.as_str() == kind)
            .unwrap()
            .token
    };
    assert_eq!(token(0, "order"), token(1, "order"));
    assert_ne!(token(0, "ticket"), token(1, "ticket"));
    assert_ne!(events[0].0.id, events[1].0.id);
}

#[tokio::test]
async fn a_test_never_touches_a_real_profile() {
    let world = World::new();
    let who = json!({"identifiers": {"email": "aino@example.fi"}, "references": {"order": "A-77"}});
    let mut test = who.clone();
    test["perspective"] = json!("test");
    world.web(&event_with("1", who)).await;
    world.web(&event_with("2", test.clone())).await;
    world.till(&event_with("3", test)).await;
    let (tests, real): (Vec<_>, Vec<_>) = world
        .events()
        .into_iter()
        .map(|(event, _)| event)
        .partition(|event| event.perspective == Perspective::Test);
    let tokens =
        |event: &Event| -> Vec<Token> { event.values.iter().map(|value| value.token).collect() };
    assert_eq!((real.len(), tests.len()), (1, 2));
    assert_eq!(
        tokens(&tests[0]),
        tokens(&tests[1]),
        "two tests of one person meet each other"
    );
    assert!(
        tokens(&tests[0])
            .iter()
            .all(|token| !tokens(&real[0]).contains(token))
    );
    assert_ne!(tests[0].anchor, real[0].anchor);
}

#[tokio::test]
async fn some_refused_items_leave_the_others_accepted() {
    let world = World::new();
    let reply = world
        .till(&json!([
            event("1"),
            event_with(
                "2",
                json!({"tiem": 1, "identifiers": {"e_mail": "a@b.fi", "phone": "112"}})
            ),
            7,
            event_with("4", json!({"kind": "feedback"})),
            event_with("5", json!({"history": true})),
            event_with("6", json!({"recorded_by": "aino"})),
            event("1"),
            event_with("1", json!({"text": "something else"})),
        ]))
        .await;
    assert_eq!(reply.status, StatusCode::MULTI_STATUS);
    insta::assert_json_snapshot!("some_refused", reply.body);
    assert_eq!(world.events().len(), 1);
    assert_eq!(
        world.door.totals(),
        Totals {
            accepted: 1,
            duplicate: 1,
            filtered: 0,
            rejected: 6,
            unavailable: 0
        }
    );
    let mut reasons: Vec<Reason> = world.rejects().iter().map(|reject| reject.reason).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            Reason::Schema,
            Reason::Schema,
            Reason::NotAllowed,
            Reason::NotAllowed,
            Reason::NotAllowed,
            Reason::Conflict
        ]
    );
}

#[tokio::test]
async fn a_request_of_which_nothing_can_be_taken_is_a_problem() {
    let world = World::new();
    let all_bad = world.till(&json!([{"id": "1"}, {"id": "2"}])).await;
    assert_eq!(all_bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(all_bad.headers["content-type"], "application/problem+json");
    insta::assert_json_snapshot!("all_refused", all_bad.body);
    let one_bad = world
        .till(&json!({"id": 1, "kind": "complain", "identifiers": {"phone": "112"}}))
        .await;
    insta::assert_json_snapshot!("one_refused", one_bad.body);
    let forbidden = world.till(&event_with("3", json!({"history": true}))).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);
    let kind = world
        .till(&event_with("4", json!({"kind": "feedback"})))
        .await;
    assert_eq!(kind.status, StatusCode::FORBIDDEN);
    assert_eq!(world.events().len(), 0);
    assert_eq!(world.rejects().len(), 5);
}

#[tokio::test]
async fn a_body_that_cannot_be_parsed_is_kept_and_answered_400() {
    let world = World::new();
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for body in [
        "{oops",
        "",
        "7",
        r#"{"a":1,"a":2}"#,
        r#"{"a":NaN}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\u0000"}"#,
        &deep,
    ] {
        let reply = world
            .send(post(
                "till",
                "till-key",
                "application/json",
                body.to_owned(),
            ))
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let reply = world
        .send(post("till", "till-key", "application/x-ndjson", "{oops\n["))
        .await;
    insta::assert_json_snapshot!("unparseable", reply.body);
    let rejects = world.rejects();
    assert_eq!(rejects.len(), 9);
    assert!(
        rejects
            .iter()
            .all(|reject| reject.reason == Reason::Unparseable)
    );
}

#[tokio::test]
async fn every_form_carries_the_same_event() {
    let world = World::new();
    let one = json!({
        "specversion": "1.0", "source": "shop", "id": "1", "type": "fi.example.sold",
        "time": "2026-01-20T09:31:00+02:00", "data": event("ignored")
    });
    let lines = format!("{}\n{}\n", event("shop#1"), event("2"));
    let cloud = world
        .send(post(
            "till",
            "till-key",
            "application/cloudevents+json",
            one.to_string(),
        ))
        .await;
    assert_eq!(cloud.status, StatusCode::ACCEPTED, "{cloud:?}");
    let ndjson = world
        .send(post("till", "till-key", "application/x-ndjson", lines))
        .await;
    // The first line is what the CloudEvent carried: the same id, the same content.
    assert_eq!(
        (&ndjson.body["accepted"], &ndjson.body["duplicate"]),
        (&json!(1), &json!(1))
    );
    let array = world.till(&json!([event("2"), event("3")])).await;
    assert_eq!(
        (&array.body["accepted"], &array.body["duplicate"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(world.events().len(), 3);
    let empty = world.till(&json!([])).await;
    assert_eq!(empty.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn keys_open_their_own_source_and_nothing_is_written_without_one() {
    let world = World::new();
    for (source, key, status) in [
        ("till", "wrong", StatusCode::UNAUTHORIZED),
        ("till", "web-key", StatusCode::FORBIDDEN),
        ("nobody", "web-key", StatusCode::NOT_FOUND),
        ("nobody", "wrong", StatusCode::UNAUTHORIZED),
        ("desk", "web-key", StatusCode::FORBIDDEN),
        ("till", "till-new-key", StatusCode::ACCEPTED),
        ("till", "till-key", StatusCode::ACCEPTED),
    ] {
        let reply = world
            .send(post(
                source,
                key,
                "application/json",
                event(key).to_string(),
            ))
            .await;
        assert_eq!(reply.status, status, "{source} {key}");
        if status == StatusCode::UNAUTHORIZED {
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
    }
    assert_eq!((world.events().len(), world.rejects().len()), (2, 0));
}

#[tokio::test]
async fn history_and_the_recorder_need_a_permission() {
    let world = World::new();
    let past = event_with("1", json!({"history": true}));
    let archive = world
        .send(post(
            "archive",
            "import-key",
            "application/json",
            past.to_string(),
        ))
        .await;
    assert_eq!(archive.status, StatusCode::ACCEPTED);
    let source = |name: &str| SourceId::new(name).unwrap();
    let all = Permission {
        history: true,
        recorded_by: true,
        ..Permission::default()
    };
    let answer = world
        .door
        .accept(&source("web"), vec![past], all.clone())
        .await
        .unwrap();
    assert_eq!(answer.accepted, 1);
    let recorded = event_with("2", json!({"recorded_by": "aino"}));
    for (name, permission, accepted) in [
        ("desk", all.clone(), 1),
        ("desk", Permission::default(), 0),
        ("till", all.clone(), 0),
    ] {
        let answer = world
            .door
            .accept(&source(name), vec![recorded.clone()], permission)
            .await
            .unwrap();
        assert_eq!(answer.accepted, accepted, "{name}");
    }
    let unknown = world.door.accept(&source("nobody"), vec![], all).await;
    assert!(unknown.is_err());
    assert_eq!(
        world
            .events()
            .iter()
            .filter(|(event, _)| event.history)
            .count(),
        2
    );
}

#[tokio::test]
async fn the_desk_records_in_the_channel_of_its_person_and_by_the_numbers_of_a_matter() {
    let world = World::new();
    let source = |name: &str| SourceId::new(name).unwrap();
    let named = |name: &str, id: &str| {
        let mut said = json!({"references": {"order": "A-77"}, "place": id});
        if name == "desk" {
            said["recorded_by"] = json!("aino");
        }
        event_with(id, said)
    };
    let at_desk = Permission {
        recorded_by: true,
        channel: Some(Channel::Store),
        numbers_of: Some(source("web")),
        ..Permission::default()
    };
    let at_own_numbers = Permission {
        recorded_by: true,
        ..Permission::default()
    };
    for (name, id, permission) in [
        ("web", "1", Permission::default()),
        ("desk", "2", at_desk),
        ("desk", "3", at_own_numbers),
    ] {
        let answer = world
            .door
            .accept(&source(name), vec![named(name, id)], permission)
            .await;
        assert_eq!(answer.unwrap().accepted, 1, "{id}");
    }
    let events = world.events();
    let seen = |id: &str| {
        let mut events = events.iter().map(|(event, _)| event);
        let event = events.find(|event| event.place.as_ref().map(Name::as_str) == Some(id));
        let event = event.unwrap();
        let order = event
            .values
            .iter()
            .find(|value| value.kind.as_str() == "order");
        (event.channel, order.unwrap().token)
    };
    let (web, store, call_centre) = (seen("1"), seen("2"), seen("3"));
    assert_eq!(
        [web.0, store.0, call_centre.0],
        [Channel::Web, Channel::Store, Channel::CallCentre]
    );
    assert_eq!(store.1, web.1, "the order that the web knows");
    assert_ne!(call_centre.1, web.1, "an order of the desk's own");
}

#[tokio::test]
async fn a_repeat_is_counted_and_not_written_and_other_content_is_a_conflict() {
    let world = World::new();
    for duplicate in [0, 1, 1] {
        let reply = world.till(&event("1")).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        assert_eq!(reply.body["duplicate"], duplicate);
    }
    let other = world
        .till(&event_with("1", json!({"references": {"order": "B"}})))
        .await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.body["items"][0]["reason"], "conflict");
    // The order of fields is no content, and another source has ids of its own.
    let turned = r#"{"time":"2026-01-20T09:31:00+02:00","references":{"order":"A-77"},"kind":"complaint","id":"1"}"#;
    let reply = world
        .send(post("till", "till-key", "application/json", turned))
        .await;
    assert_eq!(reply.body["duplicate"], 1);
    assert_eq!(world.web(&event("1")).await.body["accepted"], 1);
    assert_eq!(world.events().len(), 2);
}

#[tokio::test]
async fn a_source_that_corrects_may_say_something_else_under_the_same_id() {
    let world = World::new();
    let first = event("1");
    let other = event_with("1", json!({"references": {"order": "B"}}));
    for (said, accepted, duplicate) in [
        (&first, 1, 0),
        (&first, 0, 1),
        (&other, 1, 0),
        (&other, 0, 1),
        // What it said before is a correction of the correction.
        (&first, 1, 0),
    ] {
        let reply = world.crm(said).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        assert_eq!(reply.body["accepted"], accepted, "{said}");
        assert_eq!(reply.body["duplicate"], duplicate, "{said}");
    }
    // Both in one request, and a repeat between them.
    let reply = world.crm(&json!([other, other, first])).await;
    assert_eq!(reply.body["accepted"], 2);
    assert_eq!(reply.body["duplicate"], 1);

    assert!(world.records(&Topic::Event).is_empty());
    let claims = world.records(&Topic::Claim);
    assert_eq!(claims.len(), 5);
    let ids: BTreeSet<&Vec<u8>> = claims.iter().map(|(key, _)| key).collect();
    assert_eq!(ids.len(), 1, "all stand under the event's id, in order");
    for (event, _) in world.events() {
        assert_eq!((event.standing, event.revision), (Standing::Correctable, 0));
    }
}

#[tokio::test]
async fn what_others_say_is_final_but_for_history() {
    let world = World::new();
    world.till(&event("1")).await;
    let past = event_with("2", json!({"history": true}));
    let sent = post(
        "archive",
        "import-key",
        "application/json",
        past.to_string(),
    );
    assert_eq!(world.send(sent).await.status, StatusCode::ACCEPTED);
    let standings: Vec<Standing> = world
        .events()
        .iter()
        .map(|(event, _)| event.standing)
        .collect();
    assert_eq!(world.records(&Topic::Claim).len(), 1);
    assert!(standings.contains(&Standing::Final) && standings.contains(&Standing::Correctable));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_take_events_is_a_503_and_no_repeat_is_claimed() {
    for (how, retry_after) in [(How::Full, "30"), (How::Away, "5"), (How::Silent, "5")] {
        let world = World::over(Arc::new(Broken { how }));
        for body in [event("1"), event("1"), json!({"id": "bad"})] {
            let reply = world.till(&body).await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(reply.headers["retry-after"], retry_after);
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
        let unparseable = world
            .send(post("till", "till-key", "application/json", "{"))
            .await;
        assert_eq!(unparseable.status, StatusCode::SERVICE_UNAVAILABLE);
        let totals = world.door.totals();
        assert_eq!(
            (totals.unavailable, totals.accepted, totals.rejected),
            (4, 0, 0)
        );
    }
}

#[tokio::test]
async fn new_rules_hold_from_the_next_event_on() {
    let world = World::new();
    let member = event_with("1", json!({"identifiers": {"member": "12"}}));
    assert_eq!(
        world.till(&member).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let mut company = Company {
        version: 4,
        ..Company::default()
    };
    company
        .identifiers
        .insert(Name::new("member").unwrap(), TypeRule::default());
    world.door.set_company(&company);
    assert_eq!(world.till(&member).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.events()[0].0.rules_version, 4);
}

#[tokio::test]
async fn outcomes_add_up_to_what_was_received() {
    let world = World::new();
    world
        .till(&json!([event("1"), event("1"), {"id": 7}]))
        .await;
    world.web(&event("1")).await;
    let counted: f64 = world
        .registry
        .gather()
        .iter()
        .filter(|family| family.name() == "polku_ingest_events_total")
        .flat_map(|family| family.get_metric().to_vec())
        .map(|metric| metric.get_counter().get_value())
        .sum();
    assert!((counted - 4.0).abs() < f64::EPSILON, "{counted}");
    let names: Vec<String> = world
        .registry
        .gather()
        .iter()
        .map(|family| family.name().to_owned())
        .collect();
    assert!(
        names.iter().all(|name| name.starts_with("polku_ingest_")),
        "{names:?}"
    );
}

#[tokio::test]
async fn the_document_describes_the_form_that_is_read() {
    let world = World::new();
    let (_, document) = ingest::routes(world.door.clone()).split_for_parts();
    let document = serde_json::to_value(document).unwrap();
    insta::assert_json_snapshot!(
        "openapi",
        json!({"paths": document["paths"], "components": document["components"]})
    );

    // A number is the wrong value for all but the numbers: of each described field there is a fault, and none is unknown.
    let schemas = &document["components"]["schemas"];
    let fields = |schema: &str| -> Vec<String> {
        schemas[schema]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let numbers = |schema: &str| -> Value {
        fields(schema)
            .into_iter()
            .map(|field| (field, json!(7)))
            .collect()
    };
    let mut event = numbers("Event");
    let reply = world.till(&event).await;
    let faults = reply.body["detail"].as_str().unwrap().to_owned();
    assert!(!faults.contains("is not known"), "{faults}");
    for field in fields("Event") {
        assert!(
            faults.contains(&format!("{field}: ")),
            "{field} is described and not read: {faults}"
        );
    }
    for (field, schema) in [
        ("score", "Score"),
        ("amount", "Amount"),
        ("promise", "Promise"),
        ("customer", "Customer"),
    ] {
        event[field] = numbers(schema);
    }
    let reply = world.till(&event).await;
    assert!(
        !reply.body["detail"]
            .as_str()
            .unwrap()
            .contains("is not known"),
        "{reply:?}"
    );
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "complaint",
            "2026-01-20T09:31:00Z",
            "fi",
            "010594Y9032",
            "a@b.fi"
        ])
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "id",
            "kind",
            "type",
            "time",
            "identifiers",
            "references",
            "score",
            "amount",
            "promise",
            "attributes",
            "customer",
            "email",
            "phone",
            "order",
            "value",
            "metric",
            "min",
            "max",
            "history",
            "text"
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn status(content_type: &str, body: Vec<u8>) -> StatusCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new();
        let reply = world.send(post("web", "web-key", content_type, body)).await;
        let written = world.events().len() + world.rejects().len();
        assert!(reply.status.is_client_error() || reply.body["received"] == 0 || written > 0);
        reply.status
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_answered(
        body in prop::collection::vec(any::<u8>(), 0..200),
        content_type in prop::sample::select(vec!["application/json", "application/x-ndjson", "application/cloudevents+json", "text/plain"]),
    ) {
        let status = status(content_type, body);
        prop_assert!(status.is_success() || status.is_client_error(), "{status}");
    }

    #[test]
    fn any_json_is_answered(
        said in json_value(),
        content_type in prop::sample::select(vec!["application/json", "application/x-ndjson", "application/cloudevents+json"]),
    ) {
        let status = status(content_type, said.to_string().into_bytes());
        prop_assert!(status.is_success() || status.is_client_error(), "{status}");
    }
}
