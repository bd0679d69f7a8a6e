//! One attempt to deliver a notice.

use std::{error::Error as _, time::Duration};

use event::{NoticeId, Time, time::Millis};
use reqwest::{Client, Response, StatusCode, Url, header, redirect};

use crate::{
    address::Refused,
    config::{Subscription, literal},
    resolver::{Forbidden, Lookup, Resolver},
    secret::{Secret, signatures},
};

/// Where a subscription's notices are posted, and what with.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    client: Client,
    url: Url,
    secrets: Vec<Secret>,
}

const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// What is read of an answer. Its words are of no use to anybody; the connection is, once they are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Delivered,
    /// 410: the endpoint is not there any more and wants no more notices.
    Gone,
    Failed {
        why: Failure,
        /// How long the endpoint asked to be left alone.
        retry_after: Option<Millis>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An answer that is neither 2xx, 3xx nor 410.
    Status(u16),
    /// Redirects are not followed: they would lead past what was checked and agreed.
    Redirected,
    TimedOut,
    /// No connection, no TLS, no name, or no HTTP.
    Unreachable,
    /// The name leads to an address that nothing is sent to.
    Forbidden(Refused),
}

impl Answer {
    /// The label of the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Answer::Delivered => "delivered",
            Answer::Gone => "gone",
            Answer::Failed { why, .. } => match why {
                Failure::Status(_) => "status",
                Failure::Redirected => "redirected",
                Failure::TimedOut => "timed_out",
                Failure::Unreachable => "unreachable",
                Failure::Forbidden(_) => "forbidden",
            },
        }
    }

    pub(crate) const LABELS: [&'static str; 7] = [
        "delivered",
        "gone",
        "status",
        "redirected",
        "timed_out",
        "unreachable",
        "forbidden",
    ];
}

impl Endpoint {
    /// # Errors
    /// When the system's certificate authorities cannot be read.
    pub(crate) fn new(
        subscription: &Subscription,
        secrets: Vec<Secret>,
        lookup: Lookup,
        answered_within: Duration,
    ) -> Result<Endpoint, reqwest::Error> {
        service::tls::install();
        let client = Client::builder()
            .user_agent(concat!("polku/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // A proxy would make connections that were not checked here.
            .no_proxy()
            .https_only(!subscription.allow_private)
            .dns_resolver(Resolver::new(lookup, subscription.allow_private))
            .connect_timeout(CONNECTED_WITHIN)
            .timeout(answered_within)
            .build()?;
        let url = Url::parse(&subscription.url).expect("a subscription with faults is not started");
        // A number is connected to without the resolver.
        if let Some(address) = literal(&url) {
            let refusal = crate::address::refusal(address, subscription.allow_private);
            assert!(
                refusal.is_none(),
                "a subscription with faults is not started"
            );
        }
        Ok(Endpoint {
            client,
            url,
            secrets,
        })
    }

    /// Posts the message, signed at this moment.
    pub(crate) async fn post(&self, id: NoticeId, now: Time, body: Vec<u8>) -> Answer {
        let id = id.to_string();
        let timestamp = now.as_millis().div_euclid(1_000);
        let signature = signatures(&self.secrets, &id, timestamp, &body);
        let sent = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body)
            .send();
        match sent.await {
            Ok(response) => {
                let answer = judge(&response, now);
                drain(response).await;
                answer
            }
            Err(error) => Answer::Failed {
                why: failure(&error),
                retry_after: None,
            },
        }
    }
}

fn judge(response: &Response, now: Time) -> Answer {
    let status = response.status();
    if status.is_success() {
        return Answer::Delivered;
    }
    if status == StatusCode::GONE {
        return Answer::Gone;
    }
    let asked = response.headers().get(header::RETRY_AFTER);
    Answer::Failed {
        why: if status.is_redirection() {
            Failure::Redirected
        } else {
            Failure::Status(status.as_u16())
        },
        retry_after: asked.and_then(|asked| retry_after(asked.to_str().ok()?, now)),
    }
}

/// Seconds, or a date of HTTP.
fn retry_after(text: &str, now: Time) -> Option<Millis> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Millis::from_secs(seconds.into()));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let wait = Time::from_millis(date.timestamp().as_millisecond()) - now;
    (wait > Millis::ZERO).then_some(wait)
}

/// Whatever happens here, the endpoint has answered.
async fn drain(mut response: Response) {
    let mut read = 0;
    while read <= ANSWER_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read += chunk.len();
    }
}

fn failure(error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(Forbidden(refused)) = inner.downcast_ref() {
            return Failure::Forbidden(*refused);
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_asked_for_is_read_as_seconds_or_as_a_date() {
        let now: Time = "2026-11-22T10:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("120", Some(120_000)),
            ("0", Some(0)),
            ("Sun, 22 Nov 2026 10:01:30 GMT", Some(90_000)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", None),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), expected.map(Millis::new), "{text}");
        }
    }
}
