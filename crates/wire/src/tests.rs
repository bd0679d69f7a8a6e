//! The records of all schemas, made up by their schemas, through both ways of reading: the library's values and our types.

use std::sync::LazyLock;

use apache_avro::{
    Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter,
};
use event::{
    Company, DepartmentId, Event, Partition, Record, Topic, case_input::CaseInput, link::Link,
    rules::Rules, timeline_input::TimelineInput,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    Error, Kind, Shipped,
    catalogue::{Catalogue, parse},
    decode, encode, personal,
    record::decode_by,
    schemas,
};

/// The topics a kind may be in. Notices are all for the department `a`.
fn topics(kind: Kind) -> Vec<Topic> {
    match kind {
        Kind::Event => vec![Topic::Event, Topic::Claim],
        Kind::Personal => vec![],
        Kind::LinkSet | Kind::LinkTick | Kind::LinkDecision => vec![Topic::IdentityLink],
        Kind::Rules => vec![Topic::IdentityLink, Topic::TimelineInput, Topic::CaseInput],
        Kind::Assignment => vec![Topic::IdentityAssignment],
        Kind::Digest | Kind::Move | Kind::Out | Kind::StepNote => vec![Topic::TimelineInput],
        Kind::Entry | Kind::StepEntry | Kind::Moved => vec![Topic::Timeline],
        Kind::Signal | Kind::Command | Kind::Regroup | Kind::Absorb => vec![Topic::CaseInput],
        Kind::CaseState | Kind::CaseStep => vec![Topic::Case],
        Kind::CommandOutcome => vec![Topic::CommandOutcome],
        Kind::Notice => vec![notices()],
        Kind::Reject => vec![Topic::Reject],
        Kind::Config => vec![Topic::Config],
        Kind::Access => vec![Topic::Access],
        Kind::Sent => vec![Topic::Sent],
    }
}

fn notices() -> Topic {
    Topic::Notice(DepartmentId::new("a").unwrap())
}

fn all_topics() -> Vec<Topic> {
    Topic::FIXED.into_iter().chain([notices()]).collect()
}

fn schema(kind: Kind) -> &'static Schema {
    static PARSED: LazyLock<Vec<Schema>> =
        LazyLock::new(|| schemas().iter().map(|it| parse(it.avsc).unwrap()).collect());
    &PARSED[row(kind)]
}

fn row(kind: Kind) -> usize {
    schemas().iter().rposition(|it| it.kind == kind).unwrap()
}

/// Fields that may hold any text; every other text is a name.
const FREE: [&str; 13] = [
    "value",
    "currency",
    "name",
    "text",
    "promise",
    "attributes",
    "customer",
    "operational",
    "reason",
    "record",
    "detail",
    "metric",
    "document",
];

/// Any value that the schema allows and our types can hold: counts of 32 bits, names where names belong.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a type that no schema of ours has stops the test"
)]
fn any_value(schema: &'static Schema, record: &str, field: &str) -> BoxedStrategy<Value> {
    match schema {
        Schema::Record(of) => {
            let fields: Vec<BoxedStrategy<(String, Value)>> = of
                .fields
                .iter()
                .map(|field| {
                    let name = field.name.clone();
                    any_value(&field.schema, of.name.name(), &field.name)
                        .prop_map(move |value| (name.clone(), value))
                        .boxed()
                })
                .collect();
            fields.prop_map(Value::Record).boxed()
        }
        Schema::Enum(of) => (0..of.symbols.len())
            .prop_map(|index| Value::Enum(u32::try_from(index).unwrap(), of.symbols[index].clone()))
            .boxed(),
        Schema::Fixed(of) => vec(any::<u8>(), of.size)
            .prop_map(|bytes| Value::Fixed(bytes.len(), bytes))
            .boxed(),
        Schema::Array(of) => vec(any_value(&of.items, record, field), 0..4)
            .prop_map(Value::Array)
            .boxed(),
        Schema::Map(of) => {
            let values = any_value(&of.types, record, field);
            proptest::collection::hash_map(".{0,8}", values, 0..4)
                .prop_map(Value::Map)
                .boxed()
        }
        Schema::Union(of) => {
            let some = any_value(&of.variants()[1], record, field)
                .prop_map(|value| Value::Union(1, Box::new(value)));
            prop_oneof![Just(Value::Union(0, Box::new(Value::Null))), some].boxed()
        }
        Schema::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Schema::Long => any::<u32>()
            .prop_map(|count| Value::Long(count.into()))
            .boxed(),
        Schema::TimestampMillis => any::<i64>().prop_map(Value::TimestampMillis).boxed(),
        Schema::Double => (-1e9..1e9).prop_map(Value::Double).boxed(),
        Schema::Bytes => vec(any::<u8>(), 0..40).prop_map(Value::Bytes).boxed(),
        Schema::String => text(record, field).prop_map(Value::String).boxed(),
        other => panic!("no schema of ours has {other:?}"),
    }
}

fn text(record: &str, field: &str) -> BoxedStrategy<String> {
    match (record, field) {
        ("Notice", "department") => Just("a".to_owned()).boxed(),
        ("Rules", "document") => Just(serde_json::to_string(&Company::default()).unwrap()).boxed(),
        // These fields have the names of free ones.
        ("Config", "name") | ("Score", "metric") => "[a-z0-9][a-z0-9._:-]{0,63}".boxed(),
        (_, field) if FREE.contains(&field) => ".{0,24}".boxed(),
        _ => "[a-z][a-z0-9-]{0,47}".boxed(),
    }
}

fn any_kind() -> impl Strategy<Value = Kind> {
    select(Kind::ALL.to_vec())
}

/// A record as the library writes it from a value.
fn any_message() -> impl Strategy<Value = (Kind, Value, Vec<u8>)> {
    any_kind().prop_flat_map(|kind| {
        any_value(schema(kind), "", "").prop_map(move |mut value| {
            if kind == Kind::Rules {
                version_of_the_document(&mut value);
            }
            let bytes = message(row(kind), schema(kind), &value);
            (kind, value, bytes)
        })
    })
}

fn version_of_the_document(value: &mut Value) {
    if let Value::Record(fields) = value {
        fields[1].1 = Value::Long(0);
    }
}

fn message(row: usize, schema: &Schema, value: &Value) -> Vec<u8> {
    let mut bytes = vec![0, 0x50, 0, 0, u8::try_from(row).unwrap()];
    GenericDatumWriter::builder(schema)
        .resolved_schemata(apache_avro::schema::ResolvedSchema::new(&Schema::Null).unwrap())
        .build()
        .unwrap()
        .write_value(&mut bytes, value.clone())
        .unwrap();
    bytes
}

fn value_of(kind: Kind, bytes: &[u8]) -> Value {
    GenericDatumReader::builder(schema(kind))
        .resolved_writer_schemata(apache_avro::schema::ResolvedSchema::new(&Schema::Null).unwrap())
        .build()
        .unwrap()
        .read_value(&mut &bytes[5..])
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// The library's path through values is the oracle for the direct one, in both directions.
    #[test]
    fn every_record_means_to_us_what_it_means_to_any_avro_reader((kind, value, bytes) in any_message()) {
        if kind == Kind::Personal {
            let personal = personal::decode(&bytes).unwrap();
            let again = personal::encode(&personal);
            prop_assert_eq!(&value_of(kind, &again), &value);
            prop_assert_eq!(personal::decode(&again).unwrap(), personal);
        }
        for topic in topics(kind) {
            let record = decode(&topic, &bytes).unwrap();
            prop_assert_eq!(record.topic(), topic.clone());
            let again = encode(&record);
            prop_assert_eq!(&again[..5], &bytes[..5]);
            if kind != Kind::Rules {
                prop_assert_eq!(&value_of(kind, &again), &value);
            }
            prop_assert_eq!(decode(&topic, &again).unwrap(), record);
        }
    }

    #[test]
    fn a_record_is_taken_only_where_it_belongs((kind, _, bytes) in any_message()) {
        for topic in all_topics() {
            let taken = decode(&topic, &bytes);
            if topics(kind).contains(&topic) {
                prop_assert!(taken.is_ok(), "{topic}: {taken:?}");
            } else {
                prop_assert!(matches!(taken, Err(Error::WrongRecord { .. })), "{topic}: {taken:?}");
            }
        }
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_refused((kind, _, bytes) in any_message(), cut in any::<prop::sample::Index>(), more in vec(any::<u8>(), 1..4)) {
        let shorter = &bytes[..cut.index(bytes.len())];
        let longer = [&bytes[..], &more].concat();
        if kind == Kind::Personal {
            prop_assert!(personal::decode(shorter).is_err());
            prop_assert!(personal::decode(&longer).is_err());
        }
        for topic in topics(kind) {
            prop_assert!(decode(&topic, shorter).is_err());
            let refused = decode(&topic, &longer);
            prop_assert!(matches!(refused, Err(Error::Trailing { .. })), "{refused:?}");
        }
    }

    /// Whatever a damaged message is taken for can be written again.
    #[test]
    fn damage_never_panics((kind, _, mut bytes) in any_message(), hits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        for (place, byte) in hits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        for topic in topics(kind) {
            if let Ok(record) = decode(&topic, &bytes) {
                prop_assert_eq!(decode(&topic, &encode(&record)).unwrap().topic(), topic);
            }
        }
    }

    #[test]
    fn noise_never_panics(kind in any_kind(), noise in vec(any::<u8>(), 0..200)) {
        let header = &message(row(kind), &Schema::Null, &Value::Null)[..];
        let framed = [header, &noise].concat();
        for topic in all_topics() {
            prop_assert!(decode(&topic, &noise).is_err() || noise.len() > 5);
            drop(decode(&topic, &framed));
        }
        drop(personal::decode(&framed));
    }
}

#[test]
fn a_length_that_the_bytes_do_not_have_sets_no_memory_aside() {
    let topic = Topic::IdentityLink;
    let rules = Rules {
        partition: Partition(0),
        company: Box::default(),
    };
    let good = encode(&Record::Link(Link::Rules(rules)));
    // Partition 0 and version 0 are one byte each; then comes the length of the document.
    let lengths: [&[u8]; 3] = [
        &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        &[0x01],
    ];
    for (length, expected) in
        lengths
            .into_iter()
            .zip(["a length of", "a length of", "a length of -1"])
    {
        let bytes = [&good[..7], length, b"{}"].concat();
        let Err(Error::Malformed { source, .. }) = decode(&topic, &bytes) else {
            panic!("{length:?} was believed");
        };
        assert!(source.to_string().contains(expected), "{source}");
    }
}

#[test]
fn what_is_not_the_wire_format_is_named() {
    let good = encode(&Record::Link(Link::Tick(event::link::Tick {
        time: event::Time::from_millis(1),
    })));
    let refused = |bytes: &[u8]| decode(&Topic::IdentityLink, bytes).unwrap_err().to_string();
    assert_eq!(refused(&[]), "0 bytes are too few for a schema id");
    assert_eq!(refused(&good[..4]), "4 bytes are too few for a schema id");
    assert_eq!(
        refused(&[&[1], &good[1..]].concat()),
        "the first byte is 0x01 instead of the wire format's 0x00"
    );
    assert_eq!(
        refused(&[&[0, 0, 0, 0, 7], &good[5..]].concat()),
        "no schema that is known has the id 0x00000007"
    );
    assert_eq!(
        decode(&Topic::Event, &good).unwrap_err().to_string(),
        "a record polku.LinkTick does not belong in polku.event"
    );
}

#[test]
fn a_notice_is_not_taken_from_another_departments_topic() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let value = any_value(schema(Kind::Notice), "", "")
        .new_tree(&mut runner)
        .unwrap()
        .current();
    let bytes = message(row(Kind::Notice), schema(Kind::Notice), &value);
    assert!(decode(&notices(), &bytes).is_ok());
    let other = Topic::Notice(DepartmentId::new("b").unwrap());
    assert!(matches!(
        decode(&other, &bytes),
        Err(Error::WrongRecord { .. })
    ));
}

#[test]
fn the_rules_travel_whole_to_every_machine() {
    let company: Company = serde_json::from_str(
        r#"{"version": 7, "name": "Esimerkki Oy", "cases": {"praise_from": 0.85, "opens": ["delivery.lost"]},
            "departments": {"delivery": {"hours": {"mon": ["08:00-16:00"]}, "holidays": ["2026-12-24"]}},
            "deadlines": {"acknowledge": "1h30m"}, "routes": {"receiver": "delivery", "routes": [{"match": {"type": "delivery.*"}}]},
            "blocked": ["000102030405060708090a0b0c0d0e0f"]}"#,
    )
    .unwrap();
    let rules = Rules {
        partition: Partition(3),
        company: Box::new(company),
    };
    for record in [
        Record::Link(Link::Rules(rules.clone())),
        Record::TimelineInput(TimelineInput::Rules(rules.clone())),
        Record::CaseInput(CaseInput::Rules(rules)),
    ] {
        assert_eq!(decode(&record.topic(), &encode(&record)).unwrap(), record);
    }
}

#[test]
fn a_document_that_belies_its_version_is_refused() {
    let document = Value::String(serde_json::to_string(&Company::default()).unwrap());
    let value = Value::Record(vec![
        ("partition".to_owned(), Value::Long(0)),
        ("version".to_owned(), Value::Long(9)),
        ("document".to_owned(), document),
    ]);
    let bytes = message(row(Kind::Rules), schema(Kind::Rules), &value);
    assert!(matches!(
        decode(&Topic::CaseInput, &bytes),
        Err(Error::DocumentVersion {
            stated: 9,
            found: 0
        })
    ));
}

#[test]
fn sealed_data_is_called_sealed() {
    assert!(matches!(personal::decode(&[1, 2, 3]), Err(Error::Sealed)));
    assert!(matches!(personal::decode(&[]), Err(Error::Short(0))));
    assert!(matches!(personal::decode(&[2; 9]), Err(Error::Format(2))));
}

/// A catalogue in which `avsc` is the released schema of the kind and the present one came after it.
fn after(kind: Kind, avsc: String) -> Catalogue {
    let mut shipped = schemas().to_vec();
    let present = shipped[row(kind)];
    shipped[row(kind)].avsc = Box::leak(avsc.into_boxed_str());
    let id = shipped.last().unwrap().id + 1;
    shipped.push(Shipped { id, ..present });
    Catalogue::load(Box::leak(shipped.into_boxed_slice()))
}

/// Schemas as an earlier release may have had them: each is compatible with the present one.
#[test]
fn records_of_an_earlier_release_are_read_by_the_present_schema() {
    let mut event: serde_json::Value =
        serde_json::from_str(schemas()[row(Kind::Event)].avsc).unwrap();
    let fields = event["fields"].as_array_mut().unwrap();
    fields.retain(|field| field["name"] != "product");
    for field in fields.iter_mut() {
        if field["name"] == "kind" {
            field["type"]["symbols"] = serde_json::json!(["complaint", "unknown"]);
        }
        if field["name"] == "promise" {
            let promise = field["type"][1]["fields"].as_array_mut().unwrap();
            promise.retain(|field| field["name"] != "keeper");
        }
    }
    let old: &'static Schema = Box::leak(Box::new(parse(&event.to_string()).unwrap()));
    crate::compatibility::check(old, schema(Kind::Event)).unwrap();
    let catalogue = after(Kind::Event, event.to_string());
    let mut seen_promises = 0;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..200 {
        let value = any_value(old, "", "")
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let bytes = message(row(Kind::Event), old, &value);
        let record = decode_by(&catalogue, &Topic::Event, &bytes).unwrap();
        let Record::Event(event) = record else {
            panic!("{record:?}");
        };
        assert_eq!(event.product, None);
        seen_promises += usize::from(event.promise.is_some());
        assert!(event.promise.is_none_or(|promise| promise.keeper.is_none()));
    }
    assert!(seen_promises > 0);
}

/// Bytes on the log outlive every version of this code. If this fails, records that were written before can no longer be
/// read as they were meant.
#[test]
fn an_event_has_the_bytes_it_always_had() {
    let event: Event = serde_json::from_str(
        r#"{"id": "e_000102030405060708090a0b0c0d0e0f", "source": "till", "channel": "store", "revision": 1,
            "kind": "complaint", "type": "delivery.late", "time": "2026-11-20T07:31:00Z",
            "received": "2026-11-20T07:31:01.250Z", "time_clamped": false,
            "anchor": "101112131415161718191a1b1c1d1e1f",
            "values": [{"token": "101112131415161718191a1b1c1d1e1f", "class": "identifier", "type": "email"},
                       {"token": "202122232425262728292a2b2c2d2e2f", "class": "reference", "type": "order"}],
            "trusted": true, "perspective": "customer", "history": false,
            "score": {"metric": "nps", "value": 3.0, "min": 0.0, "max": 10.0}, "language": "fi",
            "place": "store:kamppi", "product": null, "stage": "delivery", "touchpoint": null, "party": "posti",
            "amount": {"value": "129.90", "currency": "EUR", "of": "purchase"},
            "promise": {"id": "303132333435363738393a3b3c3d3e3f", "what": "refund", "due": "2026-11-25T14:00:00Z",
                        "by": "call-centre", "keeper": null, "state": "made"},
            "operational": {"till": "7"}, "recorded_by": null, "standing": "final", "rules_version": 4,
            "content": "404142434445464748494a4b4c4d4e4f", "personal": "000102"}"#,
    )
    .unwrap();
    let record = Record::Event(event);
    let bytes = encode(&record);
    assert_eq!(hex::encode(&bytes), GOLDEN);
    assert_eq!(decode(&Topic::Event, &bytes).unwrap(), record);
}

const GOLDEN: &str = "\
    0050000000000102030405060708090a0b0c0d0e0f0874696c6c0002021a64656c69766572792e6c617465c08cedfdbe\
    6884a0edfdbe6800101112131415161718191a1b1c1d1e1f04101112131415161718191a1b1c1d1e1f000a656d61696c\
    202122232425262728292a2b2c2d2e2f020a6f726465720001000002066e707300000000000008400000000000000000\
    000000000000244002046669021873746f72653a6b616d70706900021064656c697665727900020a706f737469020c31\
    32392e3930064555520002303132333435363738393a3b3c3d3e3f0c726566756e640280cc8cb0c268021663616c6c2d\
    63656e7472650000020874696c6c023700000008404142434445464748494a4b4c4d4e4f06000102";
