//! The example mappings of `docs/examples/import` on real rows of others: every row becomes what the configuration says, and
//! passes the door.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use event::{Company, Event, SourceId, Token, event::PromiseState};
use ingest::{
    Permission, Sources,
    mapping::{Plan, Rows},
};
use serde::Deserialize;
use serde_json::Value;

use crate::world::World;

/// What an example file holds: a part of `polku.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    sources: Sources,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn example(name: &str) -> (Sources, Company) {
    let folder = workspace().join("docs/examples/import");
    let read = |file: String| std::fs::read_to_string(folder.join(file)).unwrap();
    let example: Example = toml::from_str(&read(format!("{name}.toml"))).unwrap();
    let company: Company = toml::from_str(&read(format!("{name}.company.toml"))).unwrap();
    for source in example.sources.values() {
        assert_eq!(
            source.faults(&ingest::format::Formats::default()),
            Vec::<String>::new()
        );
    }
    (example.sources, company)
}

/// The file, or nothing where the samples are absent and nobody insists.
fn sample(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("POLKU_SAMPLES")
        .map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let path = folder.join("sets").join(file);
    if path.is_file() {
        return Some(path);
    }
    let required = std::env::var_os("POLKU_REQUIRE").unwrap_or_default();
    assert!(
        !required.to_string_lossy().contains("samples"),
        "POLKU_REQUIRE asks for the samples and {} is absent",
        path.display()
    );
    eprintln!("skipped: {} is absent; set POLKU_SAMPLES", path.display());
    None
}

/// Type of event -> how many.
type Types = &'static [(&'static str, u64)];

struct Imported {
    rows: u64,
    accepted: u64,
    duplicate: u64,
    /// Type of event -> how many the rows gave.
    types: BTreeMap<String, u64>,
}

/// Sends a file through the door as import does; a row or an event that is refused fails the test with its reason.
async fn import(world: &World, sources: &Sources, source: &str, path: &Path) -> Imported {
    let source = SourceId::new(source).unwrap();
    let plan = Plan::new(sources[&source].mapping.as_ref().unwrap()).unwrap();
    let rows = Rows::csv(BufReader::new(File::open(path).unwrap()), plan.delimiter).unwrap();
    plan.check_columns(rows.columns().unwrap()).unwrap();
    let mut imported = Imported {
        rows: 0,
        accepted: 0,
        duplicate: 0,
        types: BTreeMap::new(),
    };
    let mut events: Vec<Value> = Vec::new();
    for row in rows {
        let row = row.unwrap();
        imported.rows += 1;
        for event in plan.events(&row) {
            let mut event = event.unwrap();
            event["history"] = Value::Bool(true);
            *imported
                .types
                .entry(event["type"].as_str().unwrap().to_owned())
                .or_default() += 1;
            events.push(event);
        }
    }
    for batch in events.chunks(1_000) {
        let answer = world
            .door
            .accept(&source, batch.to_vec(), Permission::default())
            .await
            .unwrap();
        assert_eq!(answer.items, vec![], "{source}");
        assert_eq!(answer.received, answer.accepted + answer.duplicate);
        imported.accepted += answer.accepted;
        imported.duplicate += answer.duplicate;
    }
    imported
}

fn of_type<'a>(events: &'a [Event], name: &str) -> Vec<&'a Event> {
    let name = event::Name::new(name).unwrap();
    events.iter().filter(|event| event.name == name).collect()
}

#[tokio::test]
async fn boston_service_requests_become_complaints_and_their_ends() {
    let (sources, company) = example("boston311");
    let Some(path) = sample("boston311-100.csv") else {
        return;
    };
    let world = World::with(sources.clone(), &company);
    let whole = import(&world, &sources, "boston311", &path).await;
    assert_eq!((whole.rows, whole.accepted, whole.duplicate), (100, 185, 0));
    assert_eq!(whole.types["ticket.closed"], 85);
    assert_eq!(whole.types["parking-enforcement"], 20);

    let events: Vec<Event> = world.events().into_iter().map(|(event, _)| event).collect();
    let complaints = events
        .iter()
        .filter(|event| event.kind == event::Kind::Complaint);
    assert_eq!(complaints.count(), 92);
    let tickets: BTreeSet<Token> = events.iter().map(|event| event.anchor).collect();
    assert_eq!(
        tickets.len(),
        100,
        "a request and its end are about one ticket"
    );
    let first = events
        .iter()
        .find(|event| event.time.to_string() == "2022-01-21T18:47:00Z")
        .expect("13:47 in Boston in winter");
    assert_eq!(first.party.as_ref().unwrap().as_str(), "btdt");
    assert_eq!(first.place, None, "the row has no neighborhood");
    let promise = first.promise.as_ref().unwrap();
    assert_eq!(promise.due.unwrap().to_string(), "2022-02-04T18:47:30Z");
    let closed = of_type(&events, "ticket.closed");
    let promises = closed.iter().filter_map(|event| event.promise.as_ref());
    let broken = promises.filter(|promise| promise.state == PromiseState::Broken);
    assert_eq!(broken.count(), 5);

    let Some(path) = sample("boston311-100-20dupes-random.csv") else {
        return;
    };
    let again = import(&world, &sources, "boston311", &path).await;
    assert_eq!(
        (again.rows, again.accepted),
        (100, 0),
        "the same rows in another order"
    );
    assert_eq!(again.duplicate, again.types.values().sum::<u64>());
}

#[tokio::test]
async fn olist_customers_orders_and_reviews_hang_together() {
    let (sources, company) = example("olist");
    let world = World::with(sources.clone(), &company);
    let expected: [(&str, &str, u64, Types); 3] = [
        (
            "olist-customers",
            "olist_customers_dataset.csv",
            8_135,
            &[("customer.updated", 8_135)],
        ),
        (
            "olist-orders",
            "olist_orders_dataset.csv",
            8_135,
            &[
                ("delivery.late", 415),
                ("order.delivered", 5_170),
                ("order.placed", 8_135),
                ("order.shipped", 6_353),
            ],
        ),
        (
            "olist-reviews",
            "olist_order_reviews_dataset.csv",
            8_225,
            &[("review", 8_225)],
        ),
    ];
    for (source, file, rows, types) in expected {
        let Some(path) = sample(&format!("olist/{file}")) else {
            return;
        };
        let imported = import(&world, &sources, source, &path).await;
        let found: Vec<(&str, u64)> = imported
            .types
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        assert_eq!((imported.rows, found.as_slice()), (rows, types), "{source}");
        assert_eq!(
            imported.accepted,
            types.iter().map(|(_, count)| count).sum::<u64>(),
            "{source}"
        );
    }
    let events: Vec<Event> = world.events().into_iter().map(|(event, _)| event).collect();
    let reviews = of_type(&events, "review");
    let complaints = reviews
        .iter()
        .filter(|event| event.kind == event::Kind::Complaint);
    assert_eq!(complaints.count(), 2_638 + 382, "one and two stars");
    // A review is anchored at its order, which the order's own events name beside the account.
    let orders: BTreeSet<Token> = of_type(&events, "order.placed")
        .iter()
        .flat_map(|event| event.values.iter().map(|value| value.token))
        .collect();
    let joined = reviews
        .iter()
        .filter(|event| orders.contains(&event.anchor));
    assert_eq!(joined.count(), 8_225, "reviews of orders in the file");
}
