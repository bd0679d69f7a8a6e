use event::{
    Channel, Kind, Millis,
    rules::{Department, Unit},
};

use super::*;
use crate::samples::{company_of, department, name, signal};

fn route(name: &str, receiver: Option<&str>, matchers: Matcher, routes: Vec<Route>) -> Route {
    Route {
        name: Some(self::name(name)),
        receiver: receiver.map(department),
        matchers,
        routes,
        ..Route::default()
    }
}

fn of_type(pattern: &str) -> Matcher {
    Matcher {
        name: Some(pattern.to_owned()),
        ..Matcher::default()
    }
}

fn tree() -> Company {
    let mut company = company_of(&["care", "delivery", "finance", "quality", "posti-desk"]);
    let posti = Matcher {
        party: Some("posti".to_owned()),
        ..Matcher::default()
    };
    let in_store = Matcher {
        channel: Some(Channel::Store),
        ..Matcher::default()
    };
    company.routes = Route {
        receiver: Some(department("care")),
        routes: vec![
            Route {
                goes_on: true,
                ..route(
                    "quality-watches",
                    Some("quality"),
                    of_type("product.*"),
                    vec![],
                )
            },
            Route {
                severity: Some(Severity::High),
                ..route(
                    "deliveries",
                    Some("delivery"),
                    of_type("delivery.*"),
                    vec![
                        route("by-posti", Some("posti-desk"), posti, vec![]),
                        route("at-the-counter", None, in_store, vec![]),
                    ],
                )
            },
            route("money", Some("finance"), of_type("invoice"), vec![]),
            route(
                "products",
                Some("finance"),
                of_type("product.refund"),
                vec![],
            ),
        ],
        ..Route::default()
    };
    company
}

#[test]
fn the_first_child_that_matches_takes_it_and_what_it_leaves_out_is_inherited() {
    let company = tree();
    assert_eq!(check(&company), []);
    for (kind, party, channel, owner, also, names, severity) in [
        (
            "greeting",
            None,
            Channel::Web,
            "care",
            &[][..],
            &[][..],
            None,
        ),
        (
            "delivery.late",
            None,
            Channel::Web,
            "delivery",
            &[],
            &["deliveries"],
            Some(Severity::High),
        ),
        ("delivery", None, Channel::Web, "care", &[], &[], None),
        (
            "delivery.late",
            Some("posti"),
            Channel::Store,
            "posti-desk",
            &[],
            &["deliveries", "by-posti"],
            Some(Severity::High),
        ),
        (
            "delivery.late",
            Some("dhl"),
            Channel::Store,
            "delivery",
            &[],
            &["deliveries", "at-the-counter"],
            Some(Severity::High),
        ),
        (
            "invoice",
            None,
            Channel::Web,
            "finance",
            &[],
            &["money"],
            None,
        ),
        ("invoice.wrong", None, Channel::Web, "care", &[], &[], None),
        (
            "product.refund",
            None,
            Channel::Web,
            "quality",
            &["finance"],
            &["quality-watches"],
            None,
        ),
        (
            "product.broken",
            None,
            Channel::Web,
            "quality",
            &[],
            &["quality-watches"],
            None,
        ),
    ] {
        let mut asked = signal(1, Kind::Complaint, kind);
        asked.party = party.map(name);
        asked.channel = channel;
        let decision = decide(&company, &asked);
        let expected = Decision {
            owner: department(owner),
            also: also.iter().copied().map(department).collect(),
            names: names.iter().copied().map(name).collect(),
            severity,
        };
        assert_eq!(decision, expected, "{kind} {party:?} {channel:?}");
    }
}

#[test]
fn somebody_receives_it_whatever_is_configured() {
    let asked = signal(1, Kind::Complaint, "delivery.late");
    assert_eq!(
        decide(&Company::default(), &asked).owner,
        department("customer-care")
    );
    assert_eq!(check(&Company::default()), []);
    let mut test = asked;
    test.perspective = Perspective::Test;
    assert_eq!(decide(&tree(), &test).owner, department("canary"));
}

#[test]
fn every_fault_is_named_by_its_field() {
    let mut company = tree();
    company.deadlines.again = Millis::ZERO;
    company.cases.opens_below = 3.0;
    let sales = Department {
        zone: "Helsinki".to_owned(),
        escalates_to: Some(department("board")),
        ..Department::default()
    };
    let unit = |places: &[&str]| Unit {
        places: places.iter().map(|place| (*place).to_owned()).collect(),
        ..Unit::default()
    };
    let stores = Department {
        units: [
            (name("empty"), unit(&[])),
            (
                name("kamppi"),
                unit(&["store:kamppi", "Kamppi", "*", "store:*"]),
            ),
            (name("rest"), unit(&["store:*"])),
        ]
        .into(),
        ..Department::default()
    };
    company.departments.insert(department("outlets"), stores);
    company.cases.opens = vec![name("ticket.solved")];
    company.cases.reopened = vec![name("ticket.solved")];
    let labels = [
        (name("sofa"), "Sohva".to_owned()),
        (name("bed"), " ".to_owned()),
    ];
    company.labels = [
        ("fi".to_owned(), labels.into()),
        ("Finnish".to_owned(), [].into()),
    ]
    .into();
    company.departments.insert(department("sales"), sales);
    let complaints = Matcher {
        kind: Some(Kind::Complaint),
        ..Matcher::default()
    };
    let feedback = Matcher {
        kind: Some(Kind::Feedback),
        ..Matcher::default()
    };
    company.routes.routes = vec![
        route(
            "a",
            Some("nobody"),
            of_type("delivery.*"),
            vec![route("aa", None, of_type("invoice.*"), vec![])],
        ),
        route("b", None, of_type("delivery.late"), vec![]),
        route("c", None, of_type("a*b"), vec![]),
        route(
            "d",
            None,
            complaints,
            vec![route("da", None, feedback, vec![])],
        ),
        route("e", None, Matcher::default(), vec![]),
        route("f", None, of_type("x"), vec![]),
    ];
    let fields: Vec<String> = check(&company)
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(
        fields,
        [
            "departments.outlets.units.empty.places",
            "departments.outlets.units.kamppi.places[1]",
            "departments.outlets.units.rest.places[0]",
            "departments.sales.zone",
            "departments.sales.escalates_to",
            "deadlines.again",
            "cases.opens_below",
            "cases.reopened[0]",
            "cases.opens[0]",
            "labels.Finnish",
            "labels.fi.bed",
            "routes.routes[0].receiver",
            "routes.routes[0].routes[0]",
            "routes.routes[1]",
            "routes.routes[2].match.type",
            "routes.routes[3].routes[0]",
            "routes.routes[5]",
        ]
    );
    company.routes = Route::default();
    let last = check(&company).pop().unwrap();
    assert_eq!(last.field, "routes.receiver");
}

/// `(rules beside those of the tree, the fields at fault)`.
#[test]
fn what_is_written_in_vain_is_a_fault() {
    let good = r#"
        [journeys.purchase]
        stages = ["buying", "delivery"]
        touchpoints = { pickup-point = "delivery" }
        owners = { delivery = "delivery" }
        parties = { delivery = "posti" }
        roles = { buying = ["seller"] }
        guides.delivery = { fi = "Soita." }
        offers.pickup-point = { fi = "Lahjakortti." }
        [promises.two-days]
        said = "Perillä kahdessa päivässä"
        starts_on = ["order.placed"]
        kept_by = ["shipment"]
        within = "20h"
        warn_before = "5h"
        keeper = "delivery"
    "#;
    let table: [(&str, &str, &[&str]); 17] = [
        ("", "", &[]),
        (
            r#"pickup-point = "delivery""#,
            r#"pickup-point = "delivry""#,
            &["journeys.purchase.touchpoints.pickup-point"],
        ),
        (
            "owners = { delivery",
            "owners = { delivry",
            &["journeys.purchase.owners.delivry"],
        ),
        (
            r#"{ delivery = "delivery" }"#,
            r#"{ delivery = "nobody" }"#,
            &["journeys.purchase.owners.delivery"],
        ),
        (
            "parties = { delivery",
            "parties = { by",
            &["journeys.purchase.parties.by"],
        ),
        (
            "roles = { buying",
            "roles = { bying",
            &["journeys.purchase.roles.bying"],
        ),
        (
            "roles =",
            "units.delivery = 'kamppi'\nroles =",
            &["journeys.purchase.units.delivery"],
        ),
        (
            "roles =",
            "units.buying = 'kamppi'\nroles =",
            &["journeys.purchase.units.buying"],
        ),
        (
            "guides.delivery",
            "guides.pickup",
            &["journeys.purchase.guides.pickup"],
        ),
        (
            "offers.pickup-point",
            "offers.desk",
            &["journeys.purchase.offers.desk"],
        ),
        (
            r#"{ fi = "Soita." }"#,
            r#"{ Finnish = "Soita." }"#,
            &["journeys.purchase.guides.delivery.Finnish"],
        ),
        (
            r#""Soita.""#,
            r#"" ""#,
            &["journeys.purchase.guides.delivery.fi"],
        ),
        (
            r#"said = "Perillä kahdessa päivässä""#,
            r#"said = """#,
            &["promises.two-days.said"],
        ),
        (
            r#"starts_on = ["order.placed"]"#,
            "starts_on = []",
            &["promises.two-days.starts_on"],
        ),
        (r#""20h""#, r#""5h""#, &["promises.two-days.warn_before"]),
        (
            r#"keeper = "delivery""#,
            r#"keeper = "nobody""#,
            &["promises.two-days.keeper"],
        ),
        (
            "[promises",
            "[signs]\ncontacts = 101\nscore_drop = 2.0\nopens = ['complaint']\n[promises",
            &["signs.contacts", "signs.score_drop", "signs.opens[0]"],
        ),
    ];
    for (right, wrong, expected) in table {
        let text = good.replacen(right, wrong, usize::from(!right.is_empty()));
        let mut company: Company = toml::from_str(&text).unwrap();
        let tree = tree();
        (company.departments, company.routes) = (tree.departments, tree.routes);
        let faults = check(&company).into_iter().map(|fault| fault.field);
        assert_eq!(faults.collect::<Vec<_>>(), expected, "{wrong}");
    }
}
