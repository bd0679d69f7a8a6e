use std::{collections::BTreeMap, time::Duration};

use event::{
    Channel, Event, Kind, Perspective, Standing, Topic,
    event::{Named, Personal},
};
use identifier::{Region, Spaces};
use stream::{Offset, TopicPartition, simulated::Simulated};

use super::*;

const PARTITIONS: u32 = 2;

struct Place {
    log: Simulated,
    config: Config,
    pepper: Pepper,
    /// By what rules the doors read.
    company: Company,
    events: u8,
}

impl Place {
    fn new() -> Place {
        let mut config = Config::read(None).unwrap();
        config.log.partitions = PARTITIONS;
        let log = Simulated::new(3);
        topics::apply(&log, PARTITIONS).unwrap();
        Place {
            log,
            config,
            pepper: Pepper::from_bytes(&[7; 32]).unwrap(),
            company: Company::default(),
            events: 0,
        }
    }

    fn apply(&mut self, text: &str) -> anyhow::Result<Applied> {
        let path = Path::new("company.toml");
        let applied = apply(&self.log, path, text, &self.config, &self.pepper);
        if applied.is_ok() {
            self.company = read(path, text).unwrap();
        }
        applied
    }

    fn value(&self, kind: &str, raw: &str) -> (Value, String) {
        let vocabulary = Vocabulary::new(&self.company);
        let class = [Class::Identifier, Class::Reference]
            .into_iter()
            .find(|class| vocabulary.types(*class).any(|of| of.name.as_str() == kind));
        let region = Region::new("FI").unwrap();
        let space = Spaces::default();
        let till = SourceId::new("till").unwrap();
        let value = vocabulary.value(
            &self.pepper,
            class.unwrap(),
            kind,
            space.of(&till, kind),
            region,
            raw,
        );
        value.unwrap().unwrap()
    }

    fn token(&self, kind: &str, raw: &str) -> Token {
        self.value(kind, raw).0.token
    }

    /// What a door writes of an event that names these.
    fn say(&mut self, named: &[(&str, &str)]) {
        self.events += 1;
        let mut personal = Personal::default();
        let mut values = Vec::new();
        for (kind, raw) in named {
            let (value, written) = self.value(kind, raw);
            let of_class = if value.is_identifier() {
                &mut personal.identifiers
            } else {
                &mut personal.references
            };
            of_class.push(Named {
                kind: value.kind.clone(),
                value: written,
            });
            values.push(value);
        }
        let id = Token::new([self.events; 16]);
        let event = Event {
            id: EventId::new(id),
            source: SourceId::new("till").unwrap(),
            channel: Channel::Store,
            revision: 0,
            kind: Kind::Service,
            name: super::super::name(),
            time: Time::MIN,
            received: Time::MIN,
            time_clamped: false,
            anchor: values[0].token,
            values,
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
            rules_version: self.company.version,
            content: id,
            personal: wire::personal::encode(&personal),
        };
        let record = binding::encode(&Record::Event(event), PARTITIONS);
        block_on(self.log.append(vec![record])).unwrap();
    }

    /// What the decider was told.
    fn links(&self) -> Vec<Link> {
        let at = TopicPartition::new(Topic::IdentityLink, Partition(0));
        let mut reader = self
            .log
            .read(BTreeMap::from([(at, Offset::START)]))
            .unwrap();
        let mut links = Vec::new();
        loop {
            let reads = reader.poll(100, Duration::ZERO).unwrap();
            if reads.is_empty() {
                return links;
            }
            for read in reads {
                let record = wire::decode(&Topic::IdentityLink, &read.value.unwrap()).unwrap();
                let Record::Link(link) = record else {
                    panic!("the topic holds links")
                };
                links.push(link);
            }
        }
    }

    fn blocked(&self) -> Vec<Token> {
        let links = self.links().into_iter().rev();
        let mut rules = links.filter_map(|link| match link {
            Link::Rules(rules) => Some(rules.company.blocked),
            Link::Set(_) | Link::Tick(_) | Link::Decision(_) => None,
        });
        rules.next().unwrap()
    }
}

#[test]
fn a_new_pattern_blocks_what_came_in_before() {
    let mut place = Place::new();
    place.apply("name = 'A'\n").unwrap();
    place.say(&[("email", "staff-7@shop.example"), ("phone", "040 705 5810")]);
    place.say(&[("email", "aino@example.fi")]);
    let (staff, aino) = (
        place.token("email", "staff-7@shop.example"),
        place.token("email", "aino@example.fi"),
    );
    assert!(!place.blocked().contains(&staff));

    let text = "[identifiers.email]\nstrength = 30\nnormaliser = 'email'\npatterns = ['^staff-[0-9]+@shop']\n";
    let applied = place.apply(text).unwrap();
    assert_eq!(
        applied,
        Applied::New {
            version: 2,
            blocked: 1,
            renamed: 0
        }
    );
    assert!(place.blocked().contains(&staff) && !place.blocked().contains(&aino));
    assert_eq!(
        place.apply(text).unwrap(),
        Applied::Unchanged { version: 2 }
    );
    // A later company with the same pattern goes on blocking it, one without lets it in again.
    place.apply(&format!("name = 'B'\n{text}")).unwrap();
    assert!(place.blocked().contains(&staff));
    place.apply("name = 'C'\n").unwrap();
    assert!(!place.blocked().contains(&staff));
}

#[test]
fn a_new_normaliser_makes_one_of_what_it_writes_alike() {
    let mut place = Place::new();
    let badge = |normaliser: &str| {
        format!(
            "[identifiers.badge]\nstrength = 60\nnormaliser = '{normaliser}'\n[references.receipt]\nstrength = 50\nnormaliser = '{normaliser}'\n"
        )
    };
    place.apply(&badge("verbatim")).unwrap();
    for named in [
        &[("badge", "A 12"), ("email", "aino@example.fi")][..],
        &[("badge", "A-12")],
        &[("badge", "12"), ("receipt", "R-7")],
    ] {
        place.say(named);
    }
    let old = ["A 12", "A-12"].map(|raw| place.token("badge", raw));
    let old_receipt = place.token("receipt", "R-7");
    let before = place.links().len();

    let applied = place.apply(&badge("digits")).unwrap();
    let Applied::New {
        version: 2,
        blocked: 0,
        renamed: 3,
    } = applied
    else {
        panic!("{applied:?}")
    };
    let new = place.token("badge", "12");
    let new_receipt = place.token("receipt", "7");
    let links = place.links().split_off(before);
    assert!(
        matches!(links.first(), Some(Link::Rules(_))),
        "the rules come first"
    );
    let decisions: Vec<&Decision> = links
        .iter()
        .filter_map(|link| match link {
            Link::Decision(decision) => Some(decision),
            Link::Set(_) | Link::Tick(_) | Link::Rules(_) => None,
        })
        .collect();
    let [decision] = &decisions[..] else {
        panic!("{decisions:?}")
    };
    assert_eq!(decision.what, DecisionKind::Together);
    let one: BTreeSet<Token> = decision.one.iter().copied().collect();
    assert_eq!(
        (one, &decision.other[..]),
        (BTreeSet::from(old), &[new][..])
    );
    let sets: BTreeMap<Token, Vec<Token>> = links
        .iter()
        .filter_map(|link| match link {
            Link::Set(set) => Some((
                set.anchor,
                set.values.iter().map(|value| value.token).collect(),
            )),
            Link::Decision(_) | Link::Tick(_) | Link::Rules(_) => None,
        })
        .collect();
    let expected = [
        (new, vec![new]),
        (new_receipt, vec![new_receipt, old_receipt]),
    ];
    assert_eq!(sets, BTreeMap::from(expected));

    // Once is enough.
    let told = place.links().len();
    place
        .apply(&format!("name = 'B'\n{}", badge("digits")))
        .unwrap();
    assert_eq!(place.links().len(), told + 1);
}

#[test]
fn the_order_of_strength_may_not_change() {
    let mut place = Place::new();
    place.apply("name = 'A'\n").unwrap();
    let error = place
        .apply("[identifiers.email]\nstrength = 5\n")
        .unwrap_err();
    assert!(error.to_string().contains("order of strength"), "{error}");
}
