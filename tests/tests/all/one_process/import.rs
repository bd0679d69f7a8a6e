//! `polku import` on rows that nobody in the team wrote: the two example configurations, by the binary, through the door.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use tests::{
    environment,
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    wait,
};

const BOUND: Duration = Duration::from_secs(120);

/// How many orders of the shop are imported: enough to be interrupted in.
const ORDERS: usize = 1_500;

/// A file of the samples, or nothing where they are absent and nobody insists.
fn sample(name: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = environment("POLKU_SAMPLES")
        .map_or(default, PathBuf::from)
        .join("sets")
        .join(name);
    if path.is_file() {
        return Some(path);
    }
    let required = environment("POLKU_REQUIRE").unwrap_or_default();
    assert!(
        !required.contains("samples"),
        "POLKU_REQUIRE asks for the samples and {} is absent",
        path.display()
    );
    println!("skipped: {} is absent; set POLKU_SAMPLES", path.display());
    None
}

/// A running company with an example's sources and departments.
struct Importing {
    company: Company,
    process: Process,
    http: Http,
    key: PathBuf,
}

impl Importing {
    fn new(example: &str) -> Importing {
        let company = Company::new("log = { kind = \"embedded\", partitions = 2 }");
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/import");
        let key = company.directory().join("key");
        fs::write(&key, "the key of the import\n")
            .expect("the example is readable and the data directory writable");
        let line = format!(
            "key_sha256 = [\"{}\"]",
            polku::demo::hash("the key of the import")
        );
        let sources = fs::read_to_string(examples.join(format!("{example}.toml")))
            .expect("the example is readable and the data directory writable");
        let mut config = fs::read_to_string(company.config_file())
            .expect("the example is readable and the data directory writable");
        for text in sources.lines() {
            config.push_str(text);
            config.push('\n');
            let is_source = text.starts_with("[sources.") && text.matches('.').count() == 1;
            if is_source {
                config.push_str(&line);
                config.push('\n');
            }
        }
        fs::write(company.config_file(), config)
            .expect("the example is readable and the data directory writable");
        fs::copy(
            examples.join(format!("{example}.company.toml")),
            company.company_file(),
        )
        .expect("the example is readable and the data directory writable");
        let http = Http::default();
        let mut process = Process::start(&company, Role::Dev, role::free_address());
        process.await_ready(&http, BOUND);
        Importing {
            company,
            process,
            http,
            key,
        }
    }

    fn command(&self, file: &Path, source: &str) -> Command {
        let file = file.to_str().expect("the path is text");
        let key = self.key.to_str().expect("the path is text");
        let mut command = role::command(
            &self.company,
            &[
                "import",
                file,
                "--source",
                source,
                "--history",
                "--key-file",
                key,
                "--url",
                &self.process.url(),
            ],
        );
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    }

    fn import(&self, file: &Path, source: &str) -> String {
        let output = self
            .command(file, source)
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.process.url());
        self.http
            .get(&url, Some(&self.company.keys.credentials["auditor"]))
            .expect("serve answers")
            .body
    }

    /// The events on the page of whoever has the identifier or reference.
    fn timeline(&self, of: &str) -> Vec<Value> {
        let url = format!("{}/v1/customers/search", self.process.url());
        let body = json!({ "identifier": of, "reason": "test" });
        let found = self
            .http
            .post(&url, &self.company.keys.credentials["auditor"], &body)
            .expect("serve answers")
            .body;
        let id = found["customers"][0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("nobody has {of}: {found}"))
            .to_owned();
        let page = self.get(&format!("/v1/customers/{id}/timeline?limit=500"));
        let entries = page["entries"].as_array().into_iter().flatten();
        // Between the events stand the steps of their case.
        entries
            .filter(|entry| entry["event"].is_string())
            .cloned()
            .collect()
    }

    /// The totals, once everything accepted is on a page and every complaint has its case.
    fn totals(&self, accepted: u64, dormant: u64) -> Value {
        wait::until("everything imported is on a page", BOUND, || {
            let counts = self.get("/v1/counts");
            let done = counts["entries"].as_u64() == Some(accepted)
                && counts["balanced"] == true
                && counts["cases"]["dormant"].as_u64() == Some(dormant);
            done.then_some(counts)
        })
    }
}

/// The requests that the example's mapping takes for complaints; each has a number of its own, and so a case.
const CITY_COMPLAINTS: u64 = 92;
/// The other requests whose answer the city promised, and gave too late or never: a broken promise is a case too.
const CITY_BROKEN: u64 = 2;

#[test]
fn a_citys_requests_become_cases_that_wait_and_tell_nobody() {
    let Some(file) = sample("boston311-100.csv") else {
        return;
    };
    let importing = Importing::new("boston311");
    let said = importing.import(&file, "boston311");
    assert!(
        said.starts_with("100 rows: 185 events read = 185 accepted + 0 duplicate + 0 rejected"),
        "{said}"
    );
    let counts = importing.totals(185, CITY_COMPLAINTS + CITY_BROKEN);
    assert_eq!(counts["notices"], 0, "{counts}");

    let said = importing.import(&file, "boston311");
    assert!(
        said.starts_with("100 rows: 185 events read = 0 accepted + 185 duplicate + 0 rejected"),
        "{said}"
    );
    assert_eq!(
        importing.totals(185, CITY_COMPLAINTS + CITY_BROKEN)["cases"],
        counts["cases"]
    );

    // One request, opened and answered: two events of one matter on one page.
    let entries = importing.timeline("ticket:101004130437");
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(entries[0]["matter"], entries[1]["matter"]);
    let departments = importing.get("/v1/departments");
    let ids: Vec<&str> = departments["departments"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["id"].as_str())
        .collect();
    let dormant: usize = ids
        .iter()
        .map(|id| {
            importing.get(&format!("/v1/departments/{id}/cases?state=dormant"))["cases"]
                .as_array()
                .map_or(0, Vec::len)
        })
        .sum();
    assert!(
        dormant > 0,
        "no department has any of the cases: {departments}"
    );
}

/// The first orders of the shop, with the customers and reviews that belong to them, as files of their own.
fn first_orders(directory: &Path) -> Option<[PathBuf; 3]> {
    let orders = sample("olist/olist_orders_dataset.csv")?;
    let customers = sample("olist/olist_customers_dataset.csv")?;
    let reviews = sample("olist/olist_order_reviews_dataset.csv")?;
    let mut order_ids = BTreeSet::new();
    let mut accounts = BTreeSet::new();
    let orders = part(&orders, directory, |row| {
        let chosen = order_ids.len() < ORDERS;
        if chosen {
            order_ids.insert(row[0].to_owned());
            accounts.insert(row[1].to_owned());
        }
        chosen
    });
    let customers = part(&customers, directory, |row| accounts.contains(&row[0]));
    let reviews = part(&reviews, directory, |row| order_ids.contains(&row[1]));
    Some([customers, orders, reviews])
}

fn part(
    file: &Path,
    directory: &Path,
    mut choose: impl FnMut(&csv::StringRecord) -> bool,
) -> PathBuf {
    let path = directory.join(file.file_name().expect("a file has a name"));
    let mut reader = csv::Reader::from_path(file).expect("the sample is CSV");
    let mut writer = csv::Writer::from_path(&path).expect("the part is writable");
    writer
        .write_record(reader.headers().expect("the sample has a header"))
        .expect("the part is writable");
    for row in reader.records() {
        let row = row.expect("the sample is CSV");
        if choose(&row) {
            writer.write_record(&row).expect("the part is writable");
        }
    }
    writer.flush().expect("the part is writable");
    path
}

#[test]
fn a_shops_reviews_find_their_customers_and_an_import_goes_on_where_it_was_interrupted() {
    let directory = tempfile::tempdir().unwrap();
    let Some([customers, orders, reviews]) = first_orders(directory.path()) else {
        return;
    };
    let importing = Importing::new("olist");
    importing.import(&reviews, "olist-reviews");

    let child = importing
        .command(&orders, "olist-orders")
        .spawn()
        .expect("the binary runs");
    let checkpoints = importing.company.directory().join("import");
    wait::until("a first batch is acknowledged", BOUND, || {
        let mut files = fs::read_dir(&checkpoints).ok()?.filter_map(Result::ok);
        files
            .any(|file| {
                file.path()
                    .extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .then_some(())
    });
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(interrupt.success());
    let output = child.wait_with_output().expect("the import ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("interrupted after row"), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");

    let said = importing.import(&orders, "olist-orders");
    let first = said.lines().next().unwrap_or_default();
    assert!(
        first.starts_with(&format!("{ORDERS} rows: "))
            && first.ends_with("+ 0 duplicate + 0 rejected"),
        "{said}"
    );
    importing.import(&customers, "olist-customers");

    let review = csv::Reader::from_path(&reviews)
        .unwrap()
        .records()
        .next()
        .expect("there is a review")
        .unwrap();
    let entries = wait::until("the review is on its customer's page", BOUND, || {
        let entries = importing.timeline(&format!("order:{}", &review[1]));
        let types: BTreeSet<&str> = entries
            .iter()
            .filter_map(|entry| entry["type"].as_str())
            .collect();
        let all = ["order.placed", "review", "customer.updated"]
            .iter()
            .all(|one| types.contains(one));
        all.then_some(entries.clone())
    });
    let times: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["time"].as_str())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let counts = importing.get("/v1/counts");
    assert_eq!(counts["notices"], 0, "{counts}");
}
