//! A merge storm: values that stood alone are linked by the thousand while unify is killed and a second instance joins.
//!
//! What is in the topics afterwards is compared with a union-find over what was sent.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use event::{
    Channel, Class, Event, EventId, Kind, Name, Partition, Perspective, ProfileId, Record,
    SourceId, Standing, Time, Token, Topic, Value, timeline::Timeline,
};
use futures::executor::block_on;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use stream::{
    Append,
    kafka::{Config, Kafka},
    log::{End, Log, Offset, Reader, TopicPartition},
};
use tests::{
    broker, environment,
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    turn, wait,
};

const PARTITIONS: u32 = 8;
/// How many events link two values, unless `POLKU_STORM_LINKS` says otherwise; there are twice as many values.
const LINKS: usize = 20_000;
const SEED: u64 = 20_261_122;
/// Fewer than a profile may have, so that no ceiling is met.
const LARGEST: usize = 12;
/// One customer in so many has a customer number.
const NUMBERED: usize = 3;
/// Events appended at once.
const CHUNK: usize = 2_000;
const READY: Duration = Duration::from_secs(90);

fn links_wanted() -> usize {
    environment("POLKU_STORM_LINKS").map_or(LINKS, |text| text.parse().expect("a number of links"))
}

/// Half a minute for each ten thousand links, and what a small storm takes.
fn bound(links: usize) -> Duration {
    Duration::from_secs(300 + links as u64 / 333)
}

#[test]
fn a_merge_storm_with_kill_9_and_a_second_instance_ends_as_a_union_find_says() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let _turn = turn::take();
    let storm = Storm::new(SEED, links_wanted());
    let namespace = format!("storm-{}.", std::process::id());
    let company = Company::new(&format!(
        "log = {{ kind = \"kafka\", partitions = {PARTITIONS}, session_ms = 6000 }}\n\
         kafka = {{ bootstrap = \"{}\", namespace = \"{namespace}\" }}",
        broker.bootstrap()
    ));
    run(&company, &["topics", "apply"]);
    let rules = company.company_file();
    run(
        &company,
        &["company", "apply", rules.to_str().expect("a plain path")],
    );
    let log = Kafka::connect(Config {
        namespace,
        ..Config::plaintext(broker.bootstrap())
    })
    .expect("the broker answers");

    let started = service::clock::instant();
    let told = |what: &str| eprintln!("{what} after {} s", started.elapsed().as_secs());
    let bound = bound(storm.links.len());
    let http = Http::default();
    let address = role::free_address();
    let mut first = Process::start(&company, Role::Unify, address);
    let mut shown = Shown::new(&log);
    append(&log, &storm.alone);
    shown.until("half of the single events are shown", bound, |shown| {
        shown.events() >= storm.alone.len() / 2
    });
    append(&log, &storm.links);
    told("all sent");
    shown.until("a quarter of the links is shown", bound, |shown| {
        shown.events() >= storm.alone.len() + storm.links.len() / 4
    });
    let mut second = Process::start(&company, Role::Unify, role::free_address());
    second.await_ready(&http, READY);
    told("a second instance is ready");
    first.kill();
    told("kill -9 of the first");
    shown.until("half of the links is shown", bound, |shown| {
        shown.events() >= storm.alone.len() + storm.links.len() / 2
    });
    let mut first = Process::start(&company, Role::Unify, address);
    first.await_ready(&http, READY);
    told("the first is ready again");

    let expected = storm.people();
    shown.until("all is as it was sent", bound, |shown| {
        shown.events() == storm.events()
            && shown.owners == expected.owners
            && shown.pages() == expected.pages
    });
    told("all is as it was sent");
    shown.until_still();
    assert!(
        shown.owners == expected.owners,
        "a value changed its owner at rest"
    );
    assert!(shown.pages() == expected.pages, "an event moved at rest");
    told("all is at rest");
    eprintln!(
        "{} events, {} links, {} customers, the largest of {} values; {:.0} events a second",
        storm.events(),
        storm.links.len(),
        expected.pages.len(),
        storm.groups.iter().map(Vec::len).max().unwrap_or_default(),
        storm.events() as f64 / started.elapsed().as_secs_f64()
    );
}

fn run(company: &Company, arguments: &[&str]) {
    let output = role::command(company, arguments)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn append(log: &Arc<Kafka>, events: &[Event]) {
    for some in events.chunks(CHUNK) {
        let appends = some.iter().map(|event| {
            let record = Record::Event(event.clone());
            Append::keyed(
                Topic::Event,
                record.key(),
                Some(wire::encode(&record)),
                PARTITIONS,
            )
        });
        block_on(log.append(appends.collect())).expect("the broker takes it");
    }
}

/// What is sent.
struct Storm {
    /// The values that belong together, the strongest first.
    groups: Vec<Vec<Value>>,
    /// An event for each value, and one for each link.
    alone: Vec<Event>,
    links: Vec<Event>,
}

impl Storm {
    /// Groups of one to `LARGEST` values, two on average, each linked into a tree by as many events as that needs; all in any order.
    fn new(seed: u64, links: usize) -> Storm {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut groups, mut pairs) = (Vec::new(), Vec::new());
        let mut values = 0;
        while pairs.len() < links {
            let mut size = 1;
            while size < LARGEST && rng.random_bool(0.5) {
                size += 1;
            }
            let mut group: Vec<Value> = (values..values + size)
                .map(|number| value("email", number))
                .collect();
            values += size;
            if groups.len() % NUMBERED == 0 {
                group[0] = value("customer_number", values);
            }
            group.sort_by_key(|value| (value.kind.as_str() != "customer_number", value.token));
            for later in 1..size {
                let earlier = rng.random_range(0..later);
                pairs.push([group[earlier].clone(), group[later].clone()]);
            }
            groups.push(group);
        }
        let mut all: Vec<Value> = groups.iter().flatten().cloned().collect();
        all.shuffle(&mut rng);
        pairs.shuffle(&mut rng);
        let (first, count) = (0_usize.., all.len());
        Storm {
            alone: first
                .clone()
                .zip(all)
                .map(|(number, value)| event(number, vec![value]))
                .collect(),
            links: first
                .zip(pairs)
                .map(|(number, pair)| event(count + number, pair.into()))
                .collect(),
            groups,
        }
    }

    fn events(&self) -> usize {
        self.alone.len() + self.links.len()
    }

    /// Who is who, by a union-find over the events: each event that names two values makes one of their two customers.
    fn people(&self) -> People {
        let mut above: HashMap<Token, Token> = HashMap::new();
        let root = |above: &HashMap<Token, Token>, mut token: Token| {
            while let Some(next) = above.get(&token) {
                token = *next;
            }
            token
        };
        // The stronger goes above; of two of a type the smaller.
        let strength: HashMap<Token, (bool, Token)> = self
            .groups
            .iter()
            .flatten()
            .map(|value| {
                (
                    value.token,
                    (value.kind.as_str() != "customer_number", value.token),
                )
            })
            .collect();
        for event in &self.links {
            let roots = [0, 1].map(|place: usize| root(&above, event.values[place].token));
            let [one, other] = roots;
            if one != other {
                let (over, under) = if strength[&one] < strength[&other] {
                    (one, other)
                } else {
                    (other, one)
                };
                above.insert(under, over);
            }
        }
        let mut people = People::default();
        for event in self.alone.iter().chain(&self.links) {
            let owner = root(&above, event.anchor);
            people
                .pages
                .entry(owner)
                .or_default()
                .insert(event.id.token());
            for value in &event.values {
                let owner = root(&above, value.token);
                if owner != value.token {
                    people.owners.insert(value.token, owner);
                }
            }
        }
        people
    }
}

/// Who is who, and what stands on whose page.
#[derive(Default)]
struct People {
    /// Of the values that are not their own.
    owners: BTreeMap<Token, Token>,
    pages: BTreeMap<Token, BTreeSet<Token>>,
}

fn value(kind: &str, number: usize) -> Value {
    Value {
        token: Token::hash("storm", &[kind.as_bytes(), &number.to_be_bytes()]),
        class: Class::Identifier,
        kind: Name::new(kind).expect("a name"),
    }
}

/// Its values are in order of strength.
fn event(number: usize, values: Vec<Value>) -> Event {
    let id = Token::hash("storm event", &[&number.to_be_bytes()]);
    let time = Time::from_millis(1_760_000_000_000 + number as i64);
    Event {
        id: EventId::new(id),
        source: SourceId::new("till").expect("a source's id"),
        channel: Channel::Store,
        revision: 0,
        kind: Kind::Service,
        name: Name::new("purchase.made").expect("a name"),
        time,
        received: time,
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
        rules_version: 1,
        content: id,
        personal: vec![0],
    }
}

/// What the topics show to whoever reads what is committed.
struct Shown {
    log: Arc<Kafka>,
    reader: Box<dyn Reader>,
    owners: BTreeMap<Token, Token>,
    /// By event the profiles that have it.
    places: HashMap<Token, BTreeSet<Token>>,
}

const WAIT: Duration = Duration::from_millis(50);
/// Looks at the ends of the topics that must find nothing new.
const STILL_LOOKS: usize = 20;
/// Where work for a machine waits.
const WORK: [Topic; 3] = [Topic::IdentityLink, Topic::TimelineInput, Topic::Timeline];

impl Shown {
    fn new(log: &Arc<Kafka>) -> Shown {
        let from = [Topic::Timeline, Topic::IdentityAssignment]
            .into_iter()
            .flat_map(|topic| {
                Partition::all(PARTITIONS)
                    .map(move |number| TopicPartition::new(topic.clone(), number))
            })
            .map(|at| (at, Offset::START));
        Shown {
            reader: log.read(from.collect()).expect("the topics are there"),
            log: Arc::clone(log),
            owners: BTreeMap::new(),
            places: HashMap::new(),
        }
    }

    fn read(&mut self) {
        for read in self.reader.poll(20_000, WAIT).expect("the broker answers") {
            let value = read.value.expect("nothing here is removed by null");
            let record = wire::decode(&read.at.topic, &value).expect("it can be read");
            if let Record::Assignment(assignment) = record {
                let (value, owner) = (assignment.value.token, assignment.profile.token());
                if value == owner {
                    self.owners.remove(&value);
                } else {
                    self.owners.insert(value, owner);
                }
            } else if let Record::Timeline(Timeline::Entry(entry)) = record {
                self.at(entry.event.token()).insert(entry.profile.token());
            } else if let Record::Timeline(Timeline::Moved(moved)) = record {
                self.at(moved.entry)
                    .remove(&ProfileId::token(&moved.profile));
            } else {
                panic!("nobody wrote {record:?} here");
            }
        }
    }

    fn at(&mut self, event: Token) -> &mut BTreeSet<Token> {
        self.places.entry(event).or_default()
    }

    /// How many were shown at some time.
    fn events(&self) -> usize {
        self.places.len()
    }

    fn pages(&self) -> BTreeMap<Token, BTreeSet<Token>> {
        let mut pages: BTreeMap<Token, BTreeSet<Token>> = BTreeMap::new();
        for (event, profiles) in &self.places {
            for profile in profiles {
                pages.entry(*profile).or_default().insert(*event);
            }
        }
        pages
    }

    fn until(&mut self, what: &str, bound: Duration, done: impl Fn(&Shown) -> bool) {
        wait::until(what, bound, || {
            self.read();
            done(self).then_some(())
        });
    }

    /// Reads until nothing has come for a while: no machine has work left.
    fn until_still(&mut self) {
        let mut last = Vec::new();
        let mut still = 0;
        wait::until("nothing more comes", READY, || {
            self.read();
            let ends: Vec<_> = WORK
                .into_iter()
                .flat_map(|topic| {
                    let count = topic.partitions().count(PARTITIONS);
                    Partition::all(count)
                        .map(move |number| TopicPartition::new(topic.clone(), number))
                })
                .map(|at| self.log.end(&at, End::Written).expect("the broker answers"))
                .collect();
            still = if ends == last { still + 1 } else { 0 };
            last = ends;
            (still == STILL_LOOKS).then_some(())
        });
    }
}
