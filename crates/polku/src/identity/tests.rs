use std::{collections::BTreeMap, path::Path};

use event::{
    Channel, Class, Event, Kind, Perspective, ProfileId, Record, SourceId, Standing, Time, Token,
    Value,
    event::{Named, Personal},
    link::{Link, Set},
};
use futures::executor::block_on;
use identifier::{Pepper, Region, Vocabulary, event_id};
use stream::{Log as _, simulated::Simulated};

use super::{
    plan::{self, Plan},
    values::{self, Changed},
};
use crate::{binding, company, config::Config, topics};

const PARTITIONS: u32 = 2;
const PATH: &str = "company.toml";

struct Place {
    log: Simulated,
    config: Config,
    pepper: Pepper,
}

impl Place {
    /// By a company that writes devices as they come.
    fn new() -> Place {
        let mut config = Config::read(None).unwrap();
        config.log.partitions = PARTITIONS;
        let log = Simulated::new(3);
        topics::apply(&log, PARTITIONS).unwrap();
        let place = Place {
            log,
            config,
            pepper: Pepper::from_bytes(&[7; 32]).unwrap(),
        };
        place.apply(BEFORE);
        place
    }

    fn apply(&self, text: &str) {
        company::apply(&self.log, Path::new(PATH), text, &self.config, &self.pepper).unwrap();
    }

    fn value(&self, kind: &str, raw: &str) -> (Value, String) {
        let company = company::in_force(&self.log).unwrap();
        let region = Region::new("FI").unwrap();
        let value = Vocabulary::new(&company).value(
            &self.pepper,
            Class::Identifier,
            kind,
            "till",
            region,
            raw,
        );
        value.unwrap().unwrap()
    }

    /// An event as the door of the till writes it, and the set that `unify` reports.
    fn tell(&self, id: &str, named: &[(&str, &str)]) {
        let values: Vec<(Value, String)> = named
            .iter()
            .map(|(kind, raw)| self.value(kind, raw))
            .collect();
        let personal = Personal {
            identifiers: values
                .iter()
                .map(|(value, written)| Named {
                    kind: value.kind.clone(),
                    value: written.clone(),
                })
                .collect(),
            ..Personal::default()
        };
        let values: Vec<Value> = values.into_iter().map(|(value, _)| value).collect();
        let source: SourceId = "till".parse().unwrap();
        let time = Time::from_millis(1_000_000);
        let event = Event {
            id: event_id(&self.pepper, &source, id),
            source: source.clone(),
            channel: Channel::Store,
            revision: 0,
            kind: Kind::Service,
            name: "purchase".parse().unwrap(),
            time,
            received: time,
            time_clamped: false,
            anchor: values[0].token,
            values: values.clone(),
            trusted: true,
            perspective: Perspective::Customer,
            history: false,
            score: None,
            language: None,
            place: None,
            product: None,
            stage: None,
            touchpoint: None,
            party: None,
            amount: None,
            promise: None,
            operational: BTreeMap::new(),
            recorded_by: None,
            standing: Standing::Final,
            rules_version: 1,
            content: Token::hash("content", &[id.as_bytes()]),
            personal: wire::personal::encode(&personal),
        };
        let set = Set {
            anchor: event.anchor,
            values,
            trusted: true,
            source,
            event: event.id,
            time,
            withdrawn: false,
        };
        let records = [Record::Event(event), Record::Link(Link::Set(set))];
        let appends = records
            .iter()
            .map(|record| binding::encode(record, PARTITIONS));
        block_on(self.log.append(appends.collect())).unwrap();
    }

    fn plan(&self, text: &str) -> Plan {
        plan::make(&self.log, Path::new(PATH), text, &self.config, &self.pepper).unwrap()
    }

    fn changed(&self, text: &str) -> Changed {
        let company = company::read(Path::new(PATH), text).unwrap();
        values::changed(&self.log, &company, &self.config, &self.pepper).unwrap()
    }
}

const BEFORE: &str = "[identifiers.device]\nstrength = 50\nlimit = 5\n";
const LOWER: &str = "[identifiers.device]\nstrength = 50\nlimit = 5\nnormaliser = 'lower'\n";
const KIOSK: &str = "[identifiers.device]\nstrength = 50\nlimit = 5\npatterns = ['^kiosk-']\n";
const NARROW: &str = "[identifiers.device]\nstrength = 50\nlimit = 1\n";

#[test]
fn a_plan_of_the_rules_in_force_moves_nothing() {
    let place = Place::new();
    place.tell("1", &[("email", "aino@example.fi"), ("device", "kiosk-1")]);
    let plan = place.plan(BEFORE);
    assert_eq!(
        (plan.version, plan.moved, plan.out, plan.blocked),
        (1, 0, 0, 0)
    );
    assert!(
        plan.to_string().starts_with("against version 1, by "),
        "{plan}"
    );
}

#[test]
fn a_narrower_limit_parts_and_a_wider_one_brings_together_again() {
    let place = Place::new();
    place.tell("1", &[("email", "aino@example.fi"), ("device", "tablet")]);
    place.tell("2", &[("email", "bea@example.fi"), ("device", "tablet")]);
    let plan = place.plan(NARROW);
    assert_eq!((plan.out, plan.back), (1, 0), "{plan}");
    assert_eq!((plan.merged.len(), plan.split.len()), (0, 2), "{plan}");
    let emails =
        ["aino", "bea"].map(|who| place.value("email", &format!("{who}@example.fi")).0.token);
    let weaker = *emails.iter().max().unwrap();
    let example = plan
        .split
        .iter()
        .find(|example| example.value == weaker)
        .unwrap();
    assert_eq!(example.from, ProfileId::new(*emails.iter().min().unwrap()));
    assert_eq!(
        (example.events, example.shown.as_deref()),
        (1, Some("email ••@example.fi"))
    );
    assert_eq!(plan.events_moved, 1, "the other stays where it is");
    assert!(plan.to_string().contains("1 values go out"), "{plan}");
    // Nothing of it happened.
    assert_eq!(place.plan(NARROW), plan);
    place.apply(NARROW);
    let back = place.plan(BEFORE);
    assert_eq!((back.version, back.out, back.back), (2, 0, 1), "{back}");
    assert_eq!((back.merged.len(), back.split.len()), (2, 0), "{back}");
}

#[test]
fn a_pattern_blocks_what_came_in_before() {
    let place = Place::new();
    place.tell("1", &[("email", "aino@example.fi"), ("device", "kiosk-1")]);
    place.tell("2", &[("email", "bea@example.fi"), ("device", "kiosk-1")]);
    place.tell("3", &[("email", "bea@example.fi"), ("device", "phone-7")]);
    let changed = place.changed(KIOSK);
    assert_eq!(changed.blocked, [place.value("device", "kiosk-1").0.token]);
    assert_eq!((changed.renamed.len(), changed.events), (0, 3));
    let plan = place.plan(KIOSK);
    assert_eq!((plan.blocked, plan.out), (1, 1), "{plan}");
    assert!(plan.events_moved > 0, "{plan}");
    assert!(!plan.in_force);
    // Once that is so, nothing more would be.
    place.apply(KIOSK);
    let plan = place.plan(KIOSK);
    assert!(plan.in_force);
    assert_eq!(
        (plan.blocked, plan.out, plan.events_moved),
        (0, 0, 0),
        "{plan}"
    );
}

#[test]
fn a_normaliser_makes_one_of_what_it_writes_alike() {
    let place = Place::new();
    place.tell("1", &[("email", "aino@example.fi"), ("device", "Tablet-A")]);
    place.tell("2", &[("email", "bea@example.fi"), ("device", "TABLET-a")]);
    place.tell("3", &[("device", "tablet-b")]);
    let changed = place.changed(LOWER);
    let (a, b) = (
        place.value("device", "Tablet-A").0,
        place.value("device", "TABLET-a").0,
    );
    let mut olds: Vec<Token> = changed.renamed.iter().map(|(old, _)| old.token).collect();
    olds.sort();
    let mut expected = vec![a.token, b.token];
    expected.sort();
    assert_eq!(olds, expected);
    assert_eq!(
        changed.renamed[0].1, changed.renamed[1].1,
        "both are written alike"
    );
    let plan = place.plan(LOWER);
    assert_eq!(
        (plan.renamed, plan.merged.len()),
        (2, 1),
        "one e-mail's customer comes into the other's: {plan}"
    );
}

#[test]
fn what_is_wrong_with_a_company_is_said_before_anything_is_read() {
    let place = Place::new();
    let text = "[identifiers.device]\nstrength = 1\n";
    let made = plan::make(
        &place.log,
        Path::new(PATH),
        text,
        &place.config,
        &place.pepper,
    );
    let error = made
        .expect_err("it changes the order of strength")
        .to_string();
    assert!(error.contains("order of strength"), "{error}");
}
