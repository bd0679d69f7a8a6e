//! Polku as the simulated company meets it: over HTTP, with the keys of its systems and people.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::speak::Spoken;
use crate::demo;

/// The keys of a company in clear, as `polku dev` writes them on its first start.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// By source.
    pub sources: BTreeMap<String, String>,
    /// By credential.
    pub credentials: BTreeMap<String, String>,
    /// What the sources sign with that do not send a key.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Where the sources leave files that do not send at all.
    #[serde(default)]
    pub inboxes: BTreeMap<String, PathBuf>,
}

/// How long a first start of Polku may take to write the keys.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);

impl Keys {
    /// The key of one source alone.
    pub fn of_source(source: String, key: String) -> Keys {
        Keys {
            sources: BTreeMap::from([(source, key)]),
            ..Keys::default()
        }
    }

    /// Reads the keys once they are there.
    ///
    /// # Errors
    /// When they are not there in time, or cannot be read.
    pub async fn await_file(path: &Path) -> anyhow::Result<Keys> {
        let there = async {
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let waited = tokio::time::timeout(WRITTEN_WITHIN, there).await;
        waited.with_context(|| {
            format!(
                "there are no keys at {}; `polku dev` writes them",
                path.display()
            )
        })?;
        Keys::read(path)
    }

    pub fn read(path: &Path) -> anyhow::Result<Keys> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the keys in {}", path.display()))?;
        service::config::parse(path, &text).map_err(Into::into)
    }
}

#[derive(Clone)]
pub struct Api {
    client: Client,
    url: String,
    keys: Keys,
}

/// How often a request that could not be answered is sent again, and how long after.
const TRIES: u32 = 60;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

impl Api {
    pub fn new(url: &str, keys: Keys) -> anyhow::Result<Api> {
        service::tls::install();
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .context("building the HTTP client")?;
        Ok(Api {
            client,
            url: url.trim_end_matches('/').to_owned(),
            keys,
        })
    }

    /// Waits until Polku answers that it is ready.
    pub async fn ready(&self, within: Duration) -> anyhow::Result<()> {
        let asked = async {
            loop {
                let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
                if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let waited = tokio::time::timeout(within, asked).await;
        waited.with_context(|| format!("{} was not ready within {} s", self.url, within.as_secs()))
    }

    /// Sends a batch of events of our own form; repeats it until Polku has them.
    pub async fn send(&self, source: &str, events: &[Value]) -> anyhow::Result<Value> {
        let key = self.proof(source)?;
        self.until_taken(source, |url| {
            self.client.post(url).bearer_auth(key).json(events)
        })
        .await
    }

    /// Sends what a system says in its own way; repeats it, signed anew, until Polku has it.
    pub(super) async fn speak(&self, source: &str, spoken: &Spoken) -> anyhow::Result<Value> {
        let proof = self.proof(source)?;
        self.until_taken(source, |url| {
            let request = self
                .client
                .post(url)
                .header("content-type", spoken.content_type)
                .body(spoken.body.clone());
            let headers = spoken.proof(proof, url, service::clock::now_ms());
            headers.into_iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            })
        })
        .await
    }

    /// Where a source leaves its files, if it does.
    pub(super) fn inbox(&self, source: &str) -> Option<&Path> {
        self.keys.inboxes.get(source).map(PathBuf::as_path)
    }

    /// The key or the secret of a source.
    fn proof(&self, source: &str) -> anyhow::Result<&String> {
        let key = self.keys.sources.get(source);
        key.or_else(|| self.keys.secrets.get(source))
            .with_context(|| {
                format!(
                    "no key for the source {source}; was the data directory made by an older Polku?"
                )
            })
    }

    async fn until_taken(
        &self,
        source: &str,
        request: impl Fn(&str) -> reqwest::RequestBuilder,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/v1/sources/{source}/events", self.url);
        for _ in 0..TRIES {
            match request(&url).send().await {
                Ok(answer)
                    if answer.status() == StatusCode::ACCEPTED
                        || answer.status() == StatusCode::MULTI_STATUS =>
                {
                    return answer.json().await.context("reading the answer of a door");
                }
                Ok(answer)
                    if answer.status().is_client_error()
                        && answer.status() != StatusCode::TOO_MANY_REQUESTS =>
                {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    bail!("the door of {source} answered {status}: {text}");
                }
                // Busy or away: the events are sent again, and a repeat changes nothing.
                Ok(_) | Err(_) => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
        bail!("{url} did not take the events in {TRIES} tries")
    }

    pub async fn get(&self, credential: &str, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let key = self.key(credential)?;
        self.until_answered(path, |url| self.client.get(url).bearer_auth(key))
            .await
    }

    /// The same request under one key, however often it is sent: a command is carried out once.
    pub async fn post(
        &self,
        credential: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let key = self.key(credential)?;
        let once = demo::random_hex::<16>();
        self.until_answered(path, |url| {
            self.client
                .post(url)
                .bearer_auth(key)
                .header("idempotency-key", &once)
                .json(body)
        })
        .await
    }

    /// Asks again while Polku is busy or away.
    async fn until_answered(
        &self,
        path: &str,
        request: impl Fn(&str) -> reqwest::RequestBuilder,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let url = format!("{}{path}", self.url);
        for _ in 0..TRIES {
            match request(&url).send().await {
                Ok(answer)
                    if answer.status() != StatusCode::TOO_MANY_REQUESTS
                        && answer.status() != StatusCode::SERVICE_UNAVAILABLE =>
                {
                    let status = answer.status();
                    let answer = answer.json().await;
                    return Ok((
                        status,
                        answer.with_context(|| format!("reading the answer of {path}"))?,
                    ));
                }
                Ok(_) | Err(_) => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
        bail!("{url} did not answer in {TRIES} tries")
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn key(&self, credential: &str) -> anyhow::Result<&String> {
        self.keys
            .credentials
            .get(credential)
            .with_context(|| format!("no key for the credential {credential}"))
    }
}
