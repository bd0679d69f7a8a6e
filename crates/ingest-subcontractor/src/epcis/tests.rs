use std::collections::BTreeSet;

use ingest::format::{
    Format as _, Mapped, Proof,
    trial::{self, One, Post},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Epcis;

const PARCEL: &str = "urn:epc:id:sscc:0614141.0000000001";
const OTHER: &str = "https://id.gs1.org/00/106141412345678908";

fn parse(body: &Value) -> Result<Vec<Value>, String> {
    Epcis.parse(&Post::new(body.to_string()).request())
}

#[test]
fn events_are_found_in_every_kind_of_body() {
    let event = json!({"type": "ObjectEvent"});
    let list = json!([event, event]);
    for (body, count) in [
        (event.clone(), 1),
        (list.clone(), 2),
        (
            json!({"type": "EPCISDocument", "epcisBody": {"eventList": list}}),
            2,
        ),
        (
            json!({"type": "EPCISDocument", "epcisBody": {"event": event}}),
            1,
        ),
        (
            json!({"type": "EPCISDocument", "epcisBody": {"eventList": []}}),
            0,
        ),
        (
            json!({"epcisBody": {"queryResults": {"resultsBody": {"eventList": list}}}}),
            2,
        ),
    ] {
        assert_eq!(parse(&body).unwrap().len(), count, "{body}");
    }
    for body in [
        json!(7),
        json!("x"),
        json!({"epcisBody": {}}),
        json!({"epcisBody": null}),
    ] {
        assert!(parse(&body).is_err(), "{body}");
    }
    assert!(Epcis.parse(&Post::new("{").request()).is_err());
    assert_eq!(Epcis.proof(), Proof::Key);
    assert!(Epcis.authenticate(&Post::new("").request(), &[]).is_err());
}

fn one() -> One {
    One::new(
        "subcontractor",
        json!({"format": "epcis", "defaults": {"stage": "delivery"}}),
    )
}

fn map(payload: &Value) -> Mapped {
    Epcis.map(payload, &one().sender())
}

fn events(payload: &Value) -> Vec<Value> {
    match map(payload) {
        Mapped::Events(events) => events,
        other @ (Mapped::Filtered(_) | Mapped::Faulty(_)) => panic!("{other:?}"),
    }
}

fn object_event() -> Value {
    json!({
        "eventID": "ni:///sha-256;01?ver=CBV2.0", "type": "ObjectEvent", "action": "OBSERVE",
        "bizStep": "shipping", "disposition": "in_transit", "epcList": [PARCEL],
        "eventTime": "2026-11-20T09:31:00.000+02:00", "eventTimeZoneOffset": "+02:00",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.00777.0"}, "bizLocation": {"id": "urn:epc:id:sgln:0614141.00888.0"},
        "bizTransactionList": [{"type": "po", "bizTransaction": "http://shop.example/po/A-77"}],
        "example:van": 7,
    })
}

#[test]
fn an_object_event_in_full() {
    assert_eq!(
        events(&object_event()),
        [json!({
            "id": "ni:///sha-256;01?ver=CBV2.0",
            "kind": "service",
            "type": "shipment.shipped",
            "time": "2026-11-20T07:31:00Z",
            "references": {"shipment": "006141410000000012", "order": "A-77"},
            "place": "sgln:0614141:00888:0",
            "stage": "delivery",
            "party": "one",
            "attributes": {
                "action": "OBSERVE", "step": "shipping", "disposition": "in_transit",
                "event_id": "ni:///sha-256;01?ver=CBV2.0",
            },
        })]
    );
}

/// Each may be another customer's: one event that named both would join their matters.
#[test]
fn every_shipment_has_an_event_of_its_own() {
    let mut payload = object_event();
    payload["epcList"] = json!([PARCEL, OTHER]);
    let made = events(&payload);
    let ids: BTreeSet<&str> = made
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    let shipments: Vec<&Value> = made
        .iter()
        .map(|event| &event["references"]["shipment"])
        .collect();
    assert_eq!(shipments, ["006141410000000012", "106141412345678908"]);
    assert!(
        made.iter()
            .all(|event| event["references"]["order"] == "A-77")
    );
    payload["bizTransactionList"] = json!([
        {"type": "po", "bizTransaction": "http://shop.example/po/A-77"},
        {"type": "po", "bizTransaction": "http://shop.example/po/A-78"},
        {"type": "desadv", "bizTransaction": "http://shop.example/asn/D-9"},
    ]);
    for event in events(&payload) {
        assert_eq!(event["references"]["order"], Value::Null);
        assert_eq!(
            event["attributes"]["order_numbers"],
            json!(["A-77", "A-78"])
        );
        assert_eq!(event["references"]["shipment"][1], "D-9");
    }
}

#[test]
fn party_and_place_are_the_best_that_is_known() {
    let named = One::new("subcontractor", json!({"defaults": {"party": "posti"}}));
    let Mapped::Events(made) = Epcis.map(&object_event(), &named.sender()) else {
        panic!("it is an event");
    };
    assert_eq!(made[0]["party"], "posti");
    for (location, point, expected) in [
        (
            json!({"id": "urn:epc:id:sgln:1.2.3"}),
            json!({"id": "urn:epc:id:sgln:4.5.6"}),
            json!("sgln:1:2:3"),
        ),
        (
            Value::Null,
            json!({"id": "urn:epc:id:sgln:4.5.6"}),
            json!("sgln:4:5:6"),
        ),
        (
            json!({}),
            json!("urn:epc:id:sgln:4.5.6"),
            json!("sgln:4:5:6"),
        ),
        (Value::Null, Value::Null, Value::Null),
    ] {
        let mut payload = object_event();
        payload["bizLocation"] = location;
        payload["readPoint"] = point;
        assert_eq!(events(&payload)[0]["place"], expected);
    }
}

#[test]
fn a_pallet_speaks_for_the_parcels_on_it() {
    let mut payload = object_event();
    payload["type"] = json!("AggregationEvent");
    payload["epcList"] = Value::Null;
    payload["parentID"] = json!(OTHER);
    payload["childEPCs"] = json!([PARCEL]);
    let made = events(&payload);
    assert_eq!(made[0]["references"]["shipment"], "006141410000000012");
    assert_eq!(made[0]["attributes"]["parent"], OTHER);
}

#[test]
fn an_error_is_an_event_beside_the_one_it_takes_back() {
    let mut payload = object_event();
    payload["errorDeclaration"] = json!({
        "declarationTime": "2026-11-21T00:00:00Z", "reason": "urn:epcglobal:cbv:er:incorrect_data",
    });
    let made = events(&payload);
    assert_eq!(made[0]["id"], "ni:///sha-256;01?ver=CBV2.0#error");
    assert_eq!(made[0]["type"], "shipment.correction");
    assert_eq!(made[0]["time"], "2026-11-21T00:00:00Z");
    assert_eq!(made[0]["attributes"]["error"], "incorrect_data");
}

#[test]
fn an_event_without_an_id_has_the_hash_of_what_it_says() {
    let mut payload = object_event();
    payload["eventID"] = Value::Null;
    let id = events(&payload)[0]["id"].clone();
    assert!(id.as_str().unwrap().starts_with("sha256:"));
    payload["recordTime"] = json!("2026-11-20T10:00:00Z");
    assert_eq!(events(&payload)[0]["id"], id);
    payload["disposition"] = json!("damaged");
    assert_ne!(events(&payload)[0]["id"], id);
}

#[test]
fn a_moment_has_its_own_offset_or_the_one_beside_it() {
    for (time, offset, expected) in [
        (
            "2026-11-20T09:31:00+02:00",
            json!("+02:00"),
            Some("2026-11-20T07:31:00Z"),
        ),
        (
            "2026-11-20T07:31:00Z",
            json!("+02:00"),
            Some("2026-11-20T07:31:00Z"),
        ),
        (
            "2026-11-20T09:31:00",
            json!("+02:00"),
            Some("2026-11-20T07:31:00Z"),
        ),
        (
            "2026-11-20T07:31:00Z",
            Value::Null,
            Some("2026-11-20T07:31:00Z"),
        ),
        ("2026-11-20T09:31:00", Value::Null, None),
        ("20.11.2026", json!("+02:00"), None),
        ("1900-01-01T00:00:00Z", json!("+00:00"), None),
    ] {
        let mut payload = object_event();
        payload["eventTime"] = json!(time);
        payload["eventTimeZoneOffset"] = offset;
        match (map(&payload), expected) {
            (Mapped::Events(events), Some(expected)) => assert_eq!(events[0]["time"], expected),
            (Mapped::Faulty(detail), None) => assert!(detail.starts_with("eventTime:"), "{detail}"),
            (other, _) => panic!("{time}: {other:?}"),
        }
    }
}

#[test]
fn types_are_known_in_every_spelling() {
    for (class, is_event) in [
        ("ObjectEvent", true),
        ("epcis:TransformationEvent", true),
        ("https://ref.gs1.org/epcis/AssociationEvent", true),
        ("EPCISMasterData", false),
    ] {
        let mut payload = object_event();
        payload["type"] = json!(class);
        assert_eq!(
            matches!(map(&payload), Mapped::Events(_)),
            is_event,
            "{class}"
        );
    }
    let mut old = object_event();
    old["type"] = Value::Null;
    old["isA"] = json!("ObjectEvent");
    assert!(matches!(map(&old), Mapped::Events(_)));
    old["isA"] = Value::Null;
    assert_eq!(map(&old), Mapped::Faulty("type: is required".to_owned()));
}

#[test]
fn an_inventory_is_too_much_for_one_event() {
    let mut payload = object_event();
    let parcels = |count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("urn:epc:id:sscc:0614141.{number:010}"))
            .collect()
    };
    payload["epcList"] = json!(parcels(1000));
    assert_eq!(events(&payload).len(), 1000);
    payload["epcList"] = json!(parcels(1001));
    assert!(matches!(map(&payload), Mapped::Faulty(detail) if detail.starts_with("epcList:")));
}

#[test]
fn unknown_absent_and_hostile_fields_are_borne() {
    let one = one();
    let mut pallet = object_event();
    pallet["type"] = json!("AggregationEvent");
    pallet["parentID"] = json!(OTHER);
    pallet["childEPCs"] = json!([PARCEL]);
    for payload in [object_event(), pallet] {
        // An event without an id is another with another field; that is tried above.
        trial::endure(&Epcis, &one.sender(), &payload, &["type", "eventTime"]);
    }
}

#[test]
fn the_standards_own_examples_map() {
    // File, the types of its events in order, and how many references they name in all.
    let expected: [(&str, &[&str], usize); 7] = [
        (
            "object-events.jsonld",
            &["shipment.shipped", "shipment.received"],
            3,
        ),
        (
            "query-document.jsonld",
            &["shipment.shipped", "shipment.received"],
            3,
        ),
        ("aggregation-event.jsonld", &["shipment.received"], 1),
        (
            "association-event.jsonld",
            &["shipment.assembled", "shipment.assembled"],
            2,
        ),
        ("object-event.extension.jsonld", &["shipment.received"], 0),
        ("sensor-data.jsonld", &["shipment.inspected"], 1),
        (
            "transaction-events.jsonld",
            &["shipment.summarising-discharge", "shipment.in-transit"],
            2,
        ),
    ];
    let one = one();
    for (file, types, references) in expected {
        let Some(body) = trial::sample(&format!("gs1-epcis/{file}")) else {
            return;
        };
        let payloads = Epcis.parse(&Post::new(body).request()).unwrap();
        let mut made = Vec::new();
        for payload in &payloads {
            let mapped = map(payload);
            assert!(trial::is_good(&mapped, &one.sender()), "{file}");
            made.extend(events(payload));
            // What carries no id of its own is another event with every change.
            if payload.get("eventID").is_some() {
                trial::endure(
                    &Epcis,
                    &one.sender(),
                    payload,
                    &["type", "eventTime", "eventTimeZoneOffset"],
                );
            }
        }
        let names: Vec<&str> = made
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        assert_eq!(names, types, "{file}");
        let named = |event: &Value| {
            event["references"]
                .as_object()
                .map_or(0, |named| named.len())
        };
        assert_eq!(made.iter().map(named).sum::<usize>(), references, "{file}");
        let ids: BTreeSet<&str> = made
            .iter()
            .map(|event| event["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), made.len(), "{file}");
        assert!(made.iter().all(|event| event["party"] == "one"), "{file}");
    }
}

proptest! {
    #[test]
    fn any_json_is_borne(payload in crate::any_json(&[
        "type", "ObjectEvent", "AggregationEvent", "eventID", "eventTime", "2026-11-20T09:31:00Z", "eventTimeZoneOffset", "+02:00",
        "bizStep", "shipping", "disposition", "damaged", "epcList", "childEPCs", "parentID", PARCEL, OTHER, "readPoint", "id",
        "bizTransactionList", "bizTransaction", "po", "errorDeclaration", "reason", "urn:epc:id:sgln:0614141.00777.0",
    ])) {
        let one = one();
        if let Mapped::Events(events) = Epcis.map(&payload, &one.sender()) {
            for event in events {
                prop_assert_eq!(trial::faults(&event, &one.sender()), "");
            }
        }
    }
}
