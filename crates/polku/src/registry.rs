//! The schema registry: says under which ids the schemas of this Polku are known to everybody else.
//!
//! Three calls of the REST API that Confluent, Apicurio and Karapace share. A start looks each shipped schema up and registers
//! what is missing, so that the records of this process bear the registry's ids. A schema that another version of Polku wrote with is
//! fetched when the first of its records is read.

use std::{path::PathBuf, thread, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

/// `[schema_registry]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where its API begins: `http://127.0.0.1:8081`, or `…/apis/ccompat/v7` of Apicurio.
    pub url: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

impl Config {
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let url = Url::parse(&self.url);
        if !url.is_ok_and(|url| ["http", "https"].contains(&url.scheme())) {
            faults.push(format!(
                "`url` is `{}`; write where the registry's API begins, as in `http://127.0.0.1:8081`",
                self.url
            ));
        }
        if self.username.is_some() != self.password_file.is_some() {
            faults.push("name both `username` and `password_file`, or neither".to_owned());
        }
        faults
    }
}

/// Agrees with the registry on the ids of all schemas, before the first record is written.
///
/// # Errors
/// When it does not answer, or refuses a schema.
pub fn agree(config: &Config) -> anyhow::Result<()> {
    let client = Client::new(config)?;
    let ids = block(client.clone().ids())
        .with_context(|| format!("agreeing with the schema registry at {}", config.url))?;
    wire::use_registry(ids, Box::new(move |id| fetch(&client, id)))
        .context("using the ids of the schema registry")
}

/// No answer takes longer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How long after a fault a schema is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
    /// Name and password.
    login: Option<(String, String)>,
}

#[derive(Deserialize)]
struct Id {
    id: u32,
}

#[derive(Deserialize)]
struct Text {
    schema: String,
}

/// What every registry says of a refusal.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Client {
    fn new(config: &Config) -> anyhow::Result<Client> {
        service::tls::install();
        let login = match (&config.username, &config.password_file) {
            (Some(name), Some(file)) => {
                let password = service::secret::read_text(file).with_context(|| {
                    format!("`schema_registry.password_file` {}", file.display())
                })?;
                Some((name.clone(), password))
            }
            (_, _) => None,
        };
        Ok(Client {
            http: reqwest::Client::builder()
                .timeout(ANSWERED_WITHIN)
                // Each question is asked from a runtime of its own, with which its connection ends.
                .pool_max_idle_per_host(0)
                .build()
                .context("building the client of the schema registry")?,
            url: config.url.trim_end_matches('/').to_owned(),
            login,
        })
    }

    /// One for each shipped schema, in their order: a subject's older versions are registered before its newer ones.
    async fn ids(self) -> anyhow::Result<Vec<u32>> {
        let mut ids = Vec::new();
        for shipped in wire::schemas() {
            let subject = shipped.subject();
            let id = match self.look_up(subject, shipped.avsc).await? {
                Some(id) => id,
                None => self.register(subject, shipped.avsc).await?,
            };
            ids.push(id);
        }
        Ok(ids)
    }

    async fn look_up(&self, subject: &str, schema: &str) -> anyhow::Result<Option<u32>> {
        let path = format!("/subjects/{subject}");
        let asked = self
            .ask(Method::POST, &path)
            .json(&json!({ "schema": schema }));
        let found: Option<Id> = answer(asked)
            .await
            .with_context(|| format!("looking {subject} up"))?;
        Ok(found.map(|found| found.id))
    }

    async fn register(&self, subject: &str, schema: &str) -> anyhow::Result<u32> {
        let path = format!("/subjects/{subject}/versions");
        let asked = self
            .ask(Method::POST, &path)
            .json(&json!({ "schema": schema }));
        let given: Option<Id> = answer(asked)
            .await
            .with_context(|| format!("registering {subject}"))?;
        let given =
            given.with_context(|| format!("the registry has no {path}: is its `url` right?"))?;
        tracing::info!(subject, id = given.id, "registered a schema");
        // Whoever registers a version that the others cannot read, or that cannot read theirs, is to be refused.
        let level = json!({ "compatibility": "FULL_TRANSITIVE" });
        let asked = self
            .ask(Method::PUT, &format!("/config/{subject}"))
            .json(&level);
        let _: Option<serde_json::Value> = answer(asked)
            .await
            .with_context(|| format!("asking for the compatibility of {subject}"))?;
        Ok(given.id)
    }

    async fn schema(self, id: u32) -> anyhow::Result<Option<String>> {
        let found: Option<Text> =
            answer(self.ask(Method::GET, &format!("/schemas/ids/{id}"))).await?;
        Ok(found.map(|found| found.schema))
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header(
                "accept",
                "application/vnd.schemaregistry.v1+json, application/json",
            );
        match &self.login {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        }
    }
}

/// What it answered; none for 404.
async fn answer<T: DeserializeOwned>(asked: RequestBuilder) -> anyhow::Result<Option<T>> {
    let response = asked.send().await?;
    let status = response.status();
    if status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    if !status.is_success() {
        let words = response.json::<Refusal>().await;
        bail!(
            "it answered {status}: {}",
            words.map_or_else(|_| "without a word".to_owned(), |it| it.message)
        );
    }
    Ok(Some(response.json().await?))
}

/// Until the registry has answered: a record is not rejected for its silence. The thread that reads waits meanwhile.
fn fetch(client: &Client, id: u32) -> Option<String> {
    loop {
        match block(client.clone().schema(id)) {
            Ok(found) => return found,
            Err(error) => {
                tracing::warn!(
                    id,
                    error = format!("{error:#}"),
                    "the schema registry does not say what a record is written with; asking again"
                );
                thread::park_timeout(AGAIN_AFTER);
            }
        }
    }
}

/// On a thread of its own, since whoever waits may be within a runtime.
fn block<T: Send>(work: impl Future<Output = anyhow::Result<T>> + Send) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.context("starting the runtime")?.block_on(work)
        });
        thread
            .join()
            .unwrap_or_else(|_| bail!("the client of the schema registry panicked"))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        net::TcpListener,
        sync::{Arc, Mutex},
    };

    use axum::{
        Json, Router,
        extract::{Path, State},
        routing::{get, post, put},
    };
    use serde_json::Value;

    use super::*;

    /// A registry as far as Polku asks: subject -> the schemas, whose ids are their places.
    #[derive(Clone, Default)]
    struct Fake {
        schemas: Arc<Mutex<Vec<(String, Value)>>>,
        levels: Arc<Mutex<BTreeMap<String, Value>>>,
    }

    type Answer = (axum::http::StatusCode, Json<Value>);

    fn found(place: Option<usize>) -> Answer {
        match place {
            Some(place) => (axum::http::StatusCode::OK, Json(json!({ "id": place + 1 }))),
            None => (
                axum::http::StatusCode::NOT_FOUND,
                Json(json!({ "error_code": 40403 })),
            ),
        }
    }

    impl Fake {
        /// Where it listens; it ends with the test.
        fn start(&self) -> Config {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/api/", listener.local_addr().unwrap());
            listener.set_nonblocking(true).unwrap();
            let router = Router::new()
                .route("/api/subjects/{subject}", post(look_up))
                .route("/api/subjects/{subject}/versions", post(register))
                .route("/api/config/{subject}", put(level))
                .route("/api/schemas/ids/{id}", get(schema))
                .with_state(self.clone());
            thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    axum::serve(listener, router).await.unwrap();
                });
            });
            Config {
                url,
                username: None,
                password_file: None,
            }
        }

        fn place(&self, subject: &str, schema: &Value) -> Option<usize> {
            let schemas = self.schemas.lock().unwrap();
            schemas
                .iter()
                .position(|(of, known)| of == subject && known == schema)
        }
    }

    async fn look_up(
        State(fake): State<Fake>,
        Path(subject): Path<String>,
        Json(body): Json<Value>,
    ) -> Answer {
        found(fake.place(&subject, &body["schema"]))
    }

    async fn register(
        State(fake): State<Fake>,
        Path(subject): Path<String>,
        Json(body): Json<Value>,
    ) -> Answer {
        if subject == "polku.Notice" && fake.levels.lock().unwrap().contains_key("refuse") {
            return (
                axum::http::StatusCode::CONFLICT,
                Json(json!({ "error_code": 409, "message": "incompatible" })),
            );
        }
        assert_eq!(
            fake.place(&subject, &body["schema"]),
            None,
            "registered once"
        );
        let mut schemas = fake.schemas.lock().unwrap();
        schemas.push((subject, body["schema"].clone()));
        found(Some(schemas.len() - 1))
    }

    async fn level(
        State(fake): State<Fake>,
        Path(subject): Path<String>,
        Json(body): Json<Value>,
    ) -> Answer {
        fake.levels
            .lock()
            .unwrap()
            .insert(subject, body["compatibility"].clone());
        (axum::http::StatusCode::OK, Json(body))
    }

    async fn schema(State(fake): State<Fake>, Path(id): Path<usize>) -> Answer {
        let schemas = fake.schemas.lock().unwrap();
        match id.checked_sub(1).and_then(|place| schemas.get(place)) {
            Some((_, schema)) => (
                axum::http::StatusCode::OK,
                Json(json!({ "schema": schema })),
            ),
            None => found(None),
        }
    }

    #[test]
    fn what_is_missing_is_registered_once_and_found_ever_after() {
        let fake = Fake::default();
        let client = Client::new(&fake.start()).unwrap();
        let first = block(client.clone().ids()).unwrap();
        let count = wire::schemas().len();
        assert_eq!(first.len(), count);
        assert_eq!(block(client.clone().ids()).unwrap(), first);
        assert_eq!(fake.schemas.lock().unwrap().len(), count);
        let levels = fake.levels.lock().unwrap();
        assert!(
            wire::schemas()
                .iter()
                .all(|shipped| levels[shipped.subject()] == "FULL_TRANSITIVE")
        );
        assert_eq!(
            fetch(&client, first[2]).as_deref(),
            Some(wire::schemas()[2].avsc)
        );
        assert_eq!(fetch(&client, 4_000), None);
    }

    #[test]
    fn a_refusal_is_told_in_the_registrys_words() {
        let fake = Fake::default();
        fake.levels
            .lock()
            .unwrap()
            .insert("refuse".to_owned(), Value::Null);
        let error = agree(&fake.start()).unwrap_err();
        let text = format!("{error:#}");
        for part in [
            "http://127.0.0.1",
            "registering polku.Notice",
            "409",
            "incompatible",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_registry_that_is_down_is_named() {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let url = format!("http://{address}");
        let config = Config {
            url: url.clone(),
            username: None,
            password_file: None,
        };
        let text = format!("{:#}", agree(&config).unwrap_err());
        assert!(
            text.contains(&format!("the schema registry at {url}")),
            "{text}"
        );
    }

    #[test]
    fn faults_come_with_their_remedies() {
        let good = Config {
            url: "https://registry.example/api".to_owned(),
            username: None,
            password_file: None,
        };
        assert!(good.faults().is_empty());
        let bad = Config {
            url: "registry:8081".to_owned(),
            username: Some("polku".to_owned()),
            password_file: None,
        };
        let faults = bad.faults().join("\n");
        assert!(
            faults.contains("http://") && faults.contains("`password_file`"),
            "{faults}"
        );
    }
}
