//! Polku over HTTP, for tests that are no async code.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::scenario::Answer;

pub struct Http {
    runtime: Runtime,
    client: Client,
}

/// No answer of Polku takes longer, however busy the machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

impl Default for Http {
    fn default() -> Http {
        service::tls::install();
        let client = Client::builder()
            .timeout(ANSWERED_WITHIN)
            .build()
            .expect("a client of plain HTTP");
        Http {
            runtime: Runtime::new().expect("a runtime"),
            client,
        }
    }
}

impl Http {
    /// # Errors
    /// When nobody answers.
    pub fn get(&self, url: &str, key: Option<&str>) -> reqwest::Result<Answer> {
        self.ask(Method::GET, url, key, None)
    }

    /// # Errors
    /// When nobody answers.
    pub fn post(&self, url: &str, key: &str, body: &Value) -> reqwest::Result<Answer> {
        self.ask(Method::POST, url, Some(key), Some(body))
    }

    fn ask(
        &self,
        method: Method,
        url: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let bytes = response.bytes().await?;
            let body = serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
            Ok(Answer { status, body })
        })
    }

    /// The data of the server-sent events that come until none has come for `quiet`.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn events(
        &self,
        url: &str,
        key: &str,
        after: i64,
        quiet: Duration,
    ) -> reqwest::Result<Vec<Value>> {
        let request = self
            .client
            .get(url)
            .bearer_auth(key)
            .header("Last-Event-ID", after.to_string());
        self.runtime.block_on(async {
            let mut response = request.send().await?;
            let mut text = Vec::new();
            while let Ok(Some(chunk)) = tokio::time::timeout(quiet, response.chunk())
                .await
                .unwrap_or(Ok(None))
            {
                text.extend_from_slice(&chunk);
            }
            let text = String::from_utf8_lossy(&text);
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            Ok(data
                .filter_map(|data| serde_json::from_str(data.trim()).ok())
                .collect())
        })
    }

    /// Runs what is async beside the test.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}
