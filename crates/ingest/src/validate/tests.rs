use serde_json::json;

use super::*;

fn received() -> Time {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn read(said: &Value) -> Result<Draft, String> {
    let mut faults = Faults::default();
    let operational = ["till".to_owned()];
    let draft = draft(
        said,
        id(said).is_some(),
        received(),
        &operational,
        &mut faults,
    );
    match draft {
        Some(draft) if faults.is_empty() => Ok(draft),
        Some(_) | None => Err(faults.detail()),
    }
}

/// The smallest event, with some fields more.
fn with(more: Value) -> Value {
    let mut event = json!({"id": "1", "kind": "feedback", "time": "2026-11-20T09:31:00+02:00"});
    let (Value::Object(event_fields), Value::Object(more)) = (&mut event, more) else {
        panic!("objects")
    };
    event_fields.extend(more);
    event
}

fn check(more: Value, faults: &str) {
    assert_eq!(read(&with(more.clone())).unwrap_err(), faults, "{more}");
}

#[test]
fn the_form_of_the_surface_page_reads_whole() {
    let said = json!({
        "id": "till-7-000123", "kind": "complaint", "type": "delivery.late",
        "time": "2026-11-20T09:31:00+02:00",
        "identifiers": {"customer_number": "100234", "email": ["aino@example.fi"], "phone": "040 705 5810"},
        "references": {"order": "A-77", "shipment": "JJFI6512"},
        "score": {"metric": "nps", "value": 3, "min": 0, "max": 10},
        "text": "Paketti tuli kaksi päivää myöhässä", "language": "fi", "name": "Aino K.",
        "place": "store:kamppi", "product": "sofa", "stage": "delivery", "touchpoint": "pickup-point",
        "party": "posti",
        "amount": {"value": "129.90", "currency": "EUR", "of": "purchase"},
        "promise": {"id": "p-1", "what": "refund", "due": "2026-11-25T16:00:00+02:00",
                    "by": "call-centre", "keeper": "finance", "state": "made"},
        "perspective": "customer",
        "attributes": {"till": 7, "note": {"b": 1, "a": 2}}
    });
    let draft = read(&said).unwrap();
    assert_eq!(draft.name.as_str(), "delivery.late");
    assert_eq!(draft.identifiers.len(), 3);
    assert_eq!(draft.identifiers[0].field, "identifiers.customer_number");
    assert_eq!(draft.operational["till"], "7");
    assert_eq!(
        draft.attributes.as_deref(),
        Some(r#"{"note":{"a":2,"b":1},"till":7}"#)
    );
    assert!(!draft.time_clamped);
    assert!(draft.promise.unwrap().due.unwrap() > received());
}

#[test]
fn what_is_left_out_has_its_default_and_null_is_left_out() {
    let draft = read(&with(json!({"text": null, "identifiers": {"email": null}}))).unwrap();
    assert_eq!(draft.name.as_str(), "feedback");
    assert_eq!(draft.perspective, Perspective::Customer);
    assert_eq!((draft.text, draft.identifiers), (None, vec![]));
    assert!(!draft.history);
}

#[test]
fn a_time_in_the_future_is_set_to_the_reception_and_marked() {
    let draft = read(&with(json!({"time": "2026-11-20T12:00:00.001Z"}))).unwrap();
    assert_eq!((draft.time, draft.time_clamped), (received(), true));
    let draft = read(&with(json!({"time": "2026-11-20T14:00:00+02:00"}))).unwrap();
    assert_eq!((draft.time, draft.time_clamped), (received(), false));
}

#[test]
fn all_faults_are_named_at_once_by_their_fields() {
    let said = json!({
        "kind": "complain", "tiem": "2026-11-20T09:31:00+02:00",
        "score": {"metric": "NPS", "value": "3", "max": 10, "of": 1},
        "amount": {"value": 129.9, "currency": "eur", "of": "refnd"},
        "place": "Store Kamppi", "history": "yes"
    });
    let expected = "\
id: a text of 1 to 256 characters is required
kind: must be one of feedback, complaint, service; did you mean `complaint`?
time: is required
place: must match [a-z0-9][a-z0-9._:-]{0,63}
history: must be true or false
score.metric: must match [a-z0-9][a-z0-9._:-]{0,63}
score.value: must be a number
score.min: is required
score.of: is not known; what is your own goes into `attributes`
amount.value: must be a text
amount.currency: must be a currency code like EUR
amount.of: must be one of purchase, refund, compensation, service_cost; did you mean `refund`?
tiem: is not known; did you mean `time`?";
    assert_eq!(read(&said).unwrap_err(), expected);
}

#[test]
fn each_fault_has_its_words() {
    for (time, said) in [
        (
            "2026-11-20T09:31:00",
            "must be a moment with an offset, like 2026-11-20T09:31:00+02:00",
        ),
        (
            "20.11.2026 9.31",
            "must be a moment with an offset, like 2026-11-20T09:31:00+02:00",
        ),
        (
            "0001-01-01T00:00:00Z",
            "lies before 1970; leave out what has no known time",
        ),
    ] {
        check(json!({"time": time}), &format!("time: {said}"));
    }
    check(json!({"time": 1_763_628_660}), "time: must be a text");
    check(
        json!({"id": 7}),
        "id: a text of 1 to 256 characters is required",
    );
    check(
        json!({"score": {"metric": "nps", "value": 11, "min": 0, "max": 10}}),
        "score.value: must lie within min and max",
    );
    check(
        json!({"score": {"metric": "nps", "value": 1, "min": 1, "max": 1}}),
        "score.max: must be above min",
    );
    check(json!({"score": 3}), "score: must be an object");
    check(
        json!({"identifiers": {"email": ["a@b.fi", 7]}}),
        "identifiers.email: must be a text or an array of texts",
    );
    check(
        json!({"identifiers": {"email": " "}}),
        "identifiers.email: is empty; leave it out",
    );
    check(
        json!({"identifiers": {"email": vec!["a@b.fi"; 33]}}),
        "identifiers: names more than 32 values",
    );
    check(
        json!({"text": "ä".repeat(20_001)}),
        "text: has more than 20000 characters",
    );
    check(
        json!({"language": "finnish language"}),
        "language: must be a language tag like fi or sv-FI",
    );
    check(
        json!({"amount": {"value": "1,5", "currency": "EUR", "of": "refund"}}),
        "amount.value: must be a decimal number in a text, like \"129.90\"",
    );
    check(
        json!({"promise": {"what": "refund", "by": "Call Centre"}}),
        "promise.id: is required\npromise.by: must match [a-z][a-z0-9-]{0,47}",
    );
    check(
        json!({"attributes": {"till": [7]}}),
        "attributes.till: must be a text, a number or a boolean: the source is configured to copy it",
    );
    check(
        json!({"attributes": {"a": "b".repeat(33_000)}}),
        "attributes: is longer than 32768 bytes",
    );
    check(
        json!({"customer": {"tier": "gold"}}),
        "customer: goes only with the type customer.updated",
    );
}

#[test]
fn a_masked_identifier_is_a_fault_and_so_is_a_masked_name() {
    let mut said = with(json!({
        "identifiers": {"customer_number": "010594Y9032"},
        "references": {"order": "4111 1111 1111 1111"},
        "place": "010594-9032"
    }));
    mask::json(&mut said);
    let faults = read(&said).unwrap_err();
    for field in [
        "identifiers.customer_number: holds",
        "references.order: holds",
        "place: holds",
    ] {
        assert!(faults.contains(field), "{faults}");
    }
}

#[test]
fn faults_tell_no_value_and_no_key_that_could_be_one() {
    let said = json!({
        "id": "x", "kind": "aino@example.fi", "time": "aino@example.fi", "type": "aino@example.fi",
        "aino@example.fi": 1, "0407055810": 2, "phone0407055810": 3,
        "identifiers": {"aino@example.fi": {}, "email": 407_055_810},
        "language": "aino@example.fi", "place": "aino@example.fi"
    });
    let faults = read(&said).unwrap_err();
    assert!(
        !faults.contains("aino@") && !faults.contains("0407"),
        "{faults}"
    );
    assert_eq!(faults.matches("(a field)").count(), 4, "{faults}");
}
