//! Values, events and rules to test with, and a machine with its state.

use std::collections::BTreeMap;

use event::{
    Channel, Class, Company, Event, EventId, Kind, Name, Partition, Perspective, ProfileId, Record,
    SourceId, Time, Token, Value,
    link::{Link, Set},
    rules::Rules,
    timeline_input::{Out, TimelineInput},
};
use machine::{Effects, Input, Key as _, Machine, Outcome, Overlay, RECORDS_MAX, Shard, State};
use unifier::{identify, unify};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// `email:3` is the third e-mail address; `order:A` an order.
pub(crate) fn value(text: &str) -> Value {
    let (kind, _) = text.split_once(':').unwrap();
    let class = match kind {
        "order" | "shipment" | "ticket" | "thread" => Class::Reference,
        _ => Class::Identifier,
    };
    Value {
        token: token(text),
        class,
        kind: name(kind),
    }
}

pub(crate) fn token(text: &str) -> Token {
    Token::hash("sample", &[text.as_bytes()])
}

pub(crate) fn profile(text: &str) -> ProfileId {
    ProfileId::new(token(text))
}

/// The values of a text such as `email:1 phone:2`, in order of strength under the default rules.
pub(crate) fn values(text: &str) -> Vec<Value> {
    let types = Company::default().types();
    let mut values: Vec<Value> = text.split_whitespace().map(value).collect();
    values.sort_by_key(|value| {
        let place = types.iter().position(|of| of.name == value.kind);
        (value.class, place, value.token)
    });
    values
}

pub(crate) fn set(text: &str, trusted: bool) -> Set {
    let values = values(text);
    Set {
        anchor: values[0].token,
        values,
        trusted,
        source: SourceId::new("till").unwrap(),
        event: EventId::new(token(text)),
        time: Time::from_millis(0),
        withdrawn: false,
    }
}

/// A trusted service event of type `delivery.late` that names these values.
pub(crate) fn event(id: &str, time: i64, text: &str) -> Event {
    let values = values(text);
    Event {
        id: EventId::new(token(id)),
        source: SourceId::new("till").unwrap(),
        channel: Channel::Store,
        revision: 0,
        kind: Kind::Service,
        name: name("delivery.late"),
        time: Time::from_millis(time),
        received: Time::from_millis(time),
        time_clamped: false,
        anchor: values.first().map_or(token(id), |value| value.token),
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
        standing: event::Standing::Final,
        rules_version: 0,
        content: token(id),
        personal: Vec::new(),
    }
}

pub(crate) fn company(version: u64, blocked: &[&str]) -> Company {
    Company {
        version,
        blocked: blocked.iter().map(|text| token(text)).collect(),
        ..Company::default()
    }
}

pub(crate) fn rules(company: &Company, partition: Partition) -> Rules {
    Rules {
        partition,
        company: Box::new(company.clone()),
    }
}

pub(crate) const ALONE: Shard = Shard {
    partition: Partition(0),
    partitions: 1,
};

/// What an input that changes something leads to.
pub(crate) fn applied<T>((outcome, told): (Outcome, T)) -> T {
    assert_eq!(outcome, Outcome::Applied);
    told
}

/// A machine with the committed state of one shard.
pub(crate) struct Runner<M: Machine> {
    machine: M,
    pub(crate) shard: Shard,
    pub(crate) state: State<M::Key, M::Row>,
    pub(crate) records_max: usize,
}

impl<M: Machine> Runner<M> {
    pub(crate) fn new(machine: M, shard: Shard) -> Self {
        Self {
            machine,
            shard,
            state: State::new(),
            records_max: RECORDS_MAX,
        }
    }

    pub(crate) fn take(&mut self, record: M::Record) -> (Outcome, Vec<Record>) {
        self.step(Input::Record(record))
    }

    pub(crate) fn tick(&mut self) -> Vec<Record> {
        self.tick_at(Time::MIN)
    }

    pub(crate) fn tick_at(&mut self, due: Time) -> Vec<Record> {
        let (outcome, records) = self.step(Input::Tick { due });
        assert_eq!(outcome, Outcome::Ticked);
        records
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        self.machine.next_due(&Overlay::trial(&self.state))
    }

    fn step(&mut self, input: Input<M::Record>) -> (Outcome, Vec<Record>) {
        let mut overlay = self.state.overlay();
        let mut effects = Effects::with_room(self.records_max);
        let now = Time::from_millis(0);
        let outcome = self
            .machine
            .step(now, self.shard, input, &mut overlay, &mut effects);
        self.state.commit();
        (outcome, effects.into_records())
    }

    /// Work is queued; timers are not looked at.
    pub(crate) fn waits(&self) -> bool {
        self.next_due() == Some(Time::MIN)
    }

    /// The state is read back from bytes as it was.
    pub(crate) fn check_rows(&self) {
        for (key, row) in self.state.iter() {
            let bytes = postcard::to_stdvec(&(key, row)).unwrap();
            let read: (M::Key, M::Row) = postcard::from_bytes(&bytes).unwrap();
            assert_eq!((&read.0, &read.1), (key, row));
        }
        let mut keys: Vec<_> = self.state.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        for pair in keys.windows(2) {
            let one_shelf = pair[0].shelf() == pair[1].shelf();
            assert!(!one_shelf || pair[0].rank() <= pair[1].rank(), "{pair:?}");
        }
    }

    /// Everything the machine still has to say.
    pub(crate) fn drain(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for _ in 0..100_000 {
            if !self.waits() {
                return records;
            }
            records.extend(self.tick());
        }
        panic!("a tick with work waiting gets on");
    }
}

pub(crate) type Unifier = Runner<unify::Unify>;
pub(crate) type Identifier = Runner<identify::Identify>;

impl Unifier {
    pub(crate) fn alone() -> Self {
        Runner::new(unify::Unify::new(), ALONE)
    }

    pub(crate) fn event(&mut self, event: Event) -> (Outcome, Vec<Record>) {
        self.take(unify::Record::Event(event))
    }

    pub(crate) fn claim(&mut self, event: Event) -> (Outcome, Vec<Record>) {
        self.take(unify::Record::Claim(event))
    }

    /// The next change of the list of values that are out.
    pub(crate) fn out(
        &mut self,
        number: u64,
        out: &[&str],
        back: &[&str],
    ) -> (Outcome, Vec<Record>) {
        self.timeline(TimelineInput::Out(Out {
            partition: self.shard.partition,
            number,
            out: out.iter().map(|text| token(text)).collect(),
            back: back.iter().map(|text| token(text)).collect(),
        }))
    }

    pub(crate) fn timeline(&mut self, input: TimelineInput) -> (Outcome, Vec<Record>) {
        self.take(unify::Record::Timeline(input))
    }

    pub(crate) fn rules(&mut self, company: &Company) -> (Outcome, Vec<Record>) {
        let rules = rules(company, self.shard.partition);
        self.timeline(TimelineInput::Rules(rules))
    }
}

impl Identifier {
    pub(crate) fn single() -> Self {
        Self::for_partitions(1)
    }

    pub(crate) fn for_partitions(partitions: u32) -> Self {
        Runner::new(identify::Identify::new(partitions), ALONE)
    }

    pub(crate) fn link(&mut self, link: Link) -> (Outcome, Vec<Record>) {
        self.take(identify::Record::Link(link))
    }
}
