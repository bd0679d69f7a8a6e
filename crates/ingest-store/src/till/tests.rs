use ingest::format::{Format as _, Mapped, trial};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Till;
use crate::tests::{anything, mapped, parsed, with_sender};

const EXAMPLE: &str = include_str!("example.json");

#[test]
fn a_purchase_and_what_was_brought_back_are_events_of_their_own() {
    let expected: Value =
        serde_json::from_str(include_str!("example.events.json")).expect("the golden file is JSON");
    let events: Vec<Value> = parsed(&Till, EXAMPLE)
        .iter()
        .flat_map(|payload| match mapped(&Till, payload) {
            Mapped::Events(events) => events,
            other @ (Mapped::Filtered(_) | Mapped::Faulty(_)) => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(Value::Array(events), expected);
}

#[test]
fn what_is_required_is_asked_for_by_its_name() {
    let time = "must be a moment with an offset, like 2026-11-20T09:31:00+02:00";
    let total = "receipt.total: must be an amount, like \"129.90\"";
    for (payload, faults) in [
        (
            json!({}),
            format!(
                "till: is required\nreceipt.number: is required\nreceipt.time: {time}\n{total}"
            ),
        ),
        (
            json!({"till": 7, "receipt": {
                "number": "1", "time": "2026-11-20T09:31:00Z", "currency": "euro", "returns": [{"amount": 1}, {}],
            }}),
            "receipt.currency: must be a currency code like EUR\n\
             receipt.returns.1.amount: must be an amount, like \"129.90\"\n\
             receipt.currency: must be a currency code like EUR"
                .to_owned(),
        ),
        (
            json!({"till": "7", "receipt": []}),
            format!("receipt.number: is required\nreceipt.time: {time}\n{total}"),
        ),
    ] {
        assert_eq!(mapped(&Till, &payload), Mapped::Faulty(faults));
    }
}

#[test]
fn every_place_of_a_receipt_bears_hostile_values() {
    for payload in parsed(&Till, EXAMPLE) {
        with_sender(|sender| {
            let required = [
                "till",
                "receipt.number",
                "receipt.time",
                "receipt.total",
                "receipt.returns.0.amount",
                "receipt.returns.1.amount",
            ];
            trial::endure(&Till, sender, &payload, &required);
        });
    }
}

#[test]
fn amounts_are_read_as_tills_write_them() {
    for (total, value) in [
        (json!("129.90"), Some("129.90")),
        (json!("129,90"), Some("129.90")),
        (json!(129), Some("129")),
        (json!(-20.5), Some("20.5")),
        (json!("1 299,00"), None),
        (json!("12.34567"), None),
        (json!(1e300), None),
        (json!(""), None),
        (json!(null), None),
    ] {
        let payload = json!({"till": 7, "receipt": {"number": 1, "time": "2026-11-20T09:31:00Z", "total": total}});
        let read = match mapped(&Till, &payload) {
            Mapped::Events(events) => events[0]["amount"]["value"].as_str().map(str::to_owned),
            Mapped::Filtered(_) | Mapped::Faulty(_) => None,
        };
        assert_eq!(read.as_deref(), value, "{total}");
    }
}

#[test]
fn a_body_that_holds_no_receipts_is_refused_whole() {
    let parse = |body: &str| Till.parse(&crate::tests::request(body));
    for body in ["", "[]", "{}", "{\"receipts\": {}}", "{\"receipts\":[1,"] {
        assert!(parse(body).is_err(), "{body}");
    }
    assert_eq!(parse("{\"receipts\": []}"), Ok(vec![]));
}

#[test]
fn the_same_number_on_another_day_or_till_is_another_receipt() {
    let id = |till: &str, time: &str| {
        let payload = json!({"till": till, "receipt": {"number": 1, "time": time, "total": 1}});
        match mapped(&Till, &payload) {
            Mapped::Events(events) => events[0]["id"].clone(),
            other @ (Mapped::Filtered(_) | Mapped::Faulty(_)) => panic!("{other:?}"),
        }
    };
    let one = id("7", "2026-11-20T09:31:00+02:00");
    assert_eq!(one, id("7", "2026-11-20T09:31:00+02:00"));
    assert_ne!(one, id("7", "2026-11-21T09:31:00+02:00"));
    assert_ne!(one, id("8", "2026-11-20T09:31:00+02:00"));
}

proptest! {
    /// Whatever a batch holds, a receipt is faulty, or the door takes what it gives.
    #[test]
    fn anything_is_mapped_or_faulty(till in anything(), receipt in anything()) {
        let payload = json!({ "till": till, "receipt": receipt });
        let mapped = mapped(&Till, &payload);
        let good = with_sender(|sender| trial::is_good(&mapped, sender));
        prop_assert!(good || matches!(&mapped, Mapped::Faulty(faults) if !faults.is_empty()), "{mapped:?}");
    }

    /// As many events as purchases and things brought back, however the batch is cut.
    #[test]
    fn good_receipts_give_what_they_hold(bought in prop::collection::vec((0_usize..3, 0_usize..3, 0_u32..100_000), 0..20)) {
        let receipts: Vec<Value> = bought.iter().enumerate().map(|(number, (lines, returns, cents))| {
            let amount = format!("{}.{:02}", cents / 100, cents % 100);
            json!({
                "number": number, "time": "2026-11-20T09:31:00+02:00", "total": amount,
                "lines": vec![json!({ "product": "sofa", "amount": amount }); *lines],
                "returns": vec![json!({ "product": "lamp", "amount": amount }); *returns],
            })
        }).collect();
        let body = json!({ "till": "7", "place": "store:kamppi", "receipts": receipts }).to_string();
        let mut kinds = (0, 0);
        for payload in parsed(&Till, &body) {
            let Mapped::Events(events) = mapped(&Till, &payload) else {
                panic!("the receipts are good")
            };
            for event in events {
                if event["type"] == "purchase.made" { kinds.0 += 1 } else { kinds.1 += 1 }
            }
        }
        let made = bought.iter().filter(|(lines, returns, _)| *lines > 0 || *returns == 0).count();
        let returned: usize = bought.iter().map(|(_, returns, _)| returns).sum();
        prop_assert_eq!(kinds, (made, returned));
    }
}
