//! Which shipments and orders an event is about.

use ingest::format::look;
use serde_json::Value;

use super::name::{digital_link, word};

/// More than this in one event is a warehouse's inventory.
pub(super) const SHIPMENTS_MAX: usize = 1000;

/// What an event names. Shipments are apart from each other: each may be another customer's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Subjects {
    pub(super) shipments: Vec<String>,
    pub(super) orders: Vec<String>,
    /// Despatch advices and bills of lading: a shipment's papers.
    pub(super) papers: Vec<String>,
}

/// Lists of things of which each is a subject of its own.
const LISTS: [&str; 4] = ["epcList", "childEPCs", "inputEPCList", "outputEPCList"];

pub(super) fn of(event: &Value) -> Subjects {
    let things: Vec<&str> = LISTS
        .iter()
        .flat_map(|list| look::texts(event, list))
        .collect();
    let parent = look::text(event, "parentID");
    let mut subjects = Subjects::default();
    for transaction in look::items(event, "bizTransactionList") {
        let number = look::text(transaction, "bizTransaction").map(word);
        let list = match look::text(transaction, "type").map(word) {
            Some("po" | "poc") => &mut subjects.orders,
            Some("desadv" | "bol") => &mut subjects.papers,
            Some(_) | None => continue,
        };
        add(
            list,
            number
                .filter(|number| !number.is_empty())
                .map(str::to_owned),
        );
    }
    for thing in &things {
        add(&mut subjects.shipments, sscc(thing));
    }
    // Goods on a pallet have no number of their own that a customer would know: the pallet's is theirs.
    if subjects.shipments.is_empty() {
        add(&mut subjects.shipments, parent.and_then(sscc));
    }
    let is_anonymous =
        subjects.shipments.is_empty() && subjects.orders.is_empty() && subjects.papers.is_empty();
    if is_anonymous {
        for thing in things.into_iter().chain(parent) {
            add(&mut subjects.shipments, Some(thing.to_owned()));
        }
    }
    subjects
}

fn add(list: &mut Vec<String>, value: Option<String>) {
    if let Some(value) = value.filter(|value| list.len() <= SHIPMENTS_MAX && !list.contains(value))
    {
        list.push(value);
    }
}

/// The eighteen digits on a transport label, from `urn:epc:id:sscc:0614141.1234567890` or `https://id.gs1.org/00/106141412345678908`.
fn sscc(address: &str) -> Option<String> {
    if let Some(digits) = digital_link(address, "00") {
        return (digits.len() == 18).then(|| digits.to_owned());
    }
    let (company, serial) = address.strip_prefix("urn:epc:id:sscc:")?.split_once('.')?;
    let is_whole = company.len() + serial.len() == 17
        && !serial.is_empty()
        && [company, serial]
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_whole {
        return None;
    }
    let (extension, serial) = serial.split_at(1);
    let digits = format!("{extension}{company}{serial}");
    let check = check_digit(&digits);
    Some(format!("{digits}{check}"))
}

/// GS1's: weights 3 and 1 in turn, from the right.
fn check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_label_has_one_number_in_both_spellings() {
        for (address, expected) in [
            (
                "urn:epc:id:sscc:0614141.1234567890",
                Some("106141412345678908"),
            ),
            (
                "https://id.gs1.org/00/106141412345678908",
                Some("106141412345678908"),
            ),
            (
                "https://carrier.example/track/00/106141412345678908?lang=fi",
                Some("106141412345678908"),
            ),
            (
                "urn:epc:id:sscc:6430030.3000000007",
                Some("364300300000000070"),
            ),
            ("urn:epc:id:sscc:0614141.123", None),
            ("urn:epc:id:sscc:0614141.", None),
            ("urn:epc:id:sscc:06141411234567890.", None),
            ("urn:epc:id:sscc:061414a.1234567890", None),
            ("https://id.gs1.org/00/12", None),
            ("urn:epc:id:sgtin:0614141.107346.2017", None),
        ] {
            assert_eq!(sscc(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn shipments_are_told_by_the_number_that_customers_know() {
        let goods = [
            "urn:epc:id:sgtin:0614141.107346.2017",
            "urn:epc:id:sgtin:0614141.107346.2018",
        ];
        let pallet = "urn:epc:id:sscc:0614141.1234567890";
        let parcel = "urn:epc:id:sscc:0614141.0000000001";
        let order = json!([{"type": "po", "bizTransaction": "http://shop.example/po/A-77"}]);
        for (event, shipments, orders) in [
            (
                json!({"epcList": [parcel, parcel, goods[0]]}),
                vec!["006141410000000012"],
                vec![],
            ),
            (
                json!({"parentID": pallet, "childEPCs": [parcel]}),
                vec!["006141410000000012"],
                vec![],
            ),
            (
                json!({"parentID": pallet, "childEPCs": goods}),
                vec!["106141412345678908"],
                vec![],
            ),
            (
                json!({"epcList": goods, "bizTransactionList": order}),
                vec![],
                vec!["A-77"],
            ),
            (json!({"epcList": goods}), goods.to_vec(), vec![]),
            (json!({"epcList": goods[0]}), vec![goods[0]], vec![]),
            (
                json!({"quantityList": [{"epcClass": "x", "quantity": 5}]}),
                vec![],
                vec![],
            ),
        ] {
            let subjects = of(&event);
            assert_eq!(subjects.shipments, shipments, "{event}");
            assert_eq!(subjects.orders, orders, "{event}");
        }
    }

    #[test]
    fn business_transactions_are_told_by_their_type() {
        let event = json!({"bizTransactionList": [
            {"type": "urn:epcglobal:cbv:btt:po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"},
            {"type": "https://ref.gs1.org/cbv/BTT-desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:D-9"},
            {"type": "inv", "bizTransaction": "http://shop.example/invoice/5"},
            {"bizTransaction": "http://shop.example/x/6"},
            {"type": "po"}, "po", null,
        ]});
        let subjects = of(&event);
        assert_eq!(subjects.orders, ["1152"]);
        assert_eq!(subjects.papers, ["D-9"]);
    }
}
