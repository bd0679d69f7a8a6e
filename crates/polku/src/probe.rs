//! `polku probe`: asks processes whether they are ready. Images hold no other client of HTTP, and need none.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, StatusCode};
use service::shutdown::Shutdown;

use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The processes to ask, as `http://host:port`; by default the one that listens where the configuration says
    urls: Vec<String>,
    /// How long to go on asking those that are not ready
    #[arg(long, default_value_t = 0)]
    wait_seconds: u64,
}

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Prints what each process says of its parts; true when all are ready.
///
/// # Errors
/// When no client can be made.
pub async fn run(options: Options, config: Config, shutdown: Shutdown) -> anyhow::Result<bool> {
    service::tls::install();
    let client = Client::builder()
        .timeout(ANSWER_WITHIN)
        .build()
        .context("building the HTTP client")?;
    let mut urls = options.urls;
    if urls.is_empty() {
        urls.push(format!("http://{}", reachable(config.listen)));
    }
    let patience = Duration::from_secs(options.wait_seconds);
    let asked = service::clock::instant();
    let mut all_ready = true;
    for url in &urls {
        let (ready, said) = loop {
            let (ready, said) = ask(&client, url).await;
            if ready || asked.elapsed() >= patience || shutdown.is_stopping() {
                break (ready, said);
            }
            tokio::select! { () = tokio::time::sleep(AGAIN_AFTER) => {}, () = shutdown.stopping() => {} }
        };
        println!("{url}: {said}");
        all_ready &= ready;
    }
    Ok(all_ready)
}

async fn ask(client: &Client, url: &str) -> (bool, String) {
    let url = format!("{}/readyz", url.trim_end_matches('/'));
    match client.get(url).send().await {
        Ok(answer) => {
            let ready = answer.status() == StatusCode::OK;
            let said = answer.text().await;
            (ready, said.unwrap_or_else(|error| error.to_string()))
        }
        Err(error) => (false, format!("does not answer: {error}")),
    }
}

/// A process that listens on every address is asked on loopback.
fn reachable(mut listen: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_listens_everywhere_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8700", "127.0.0.1:8700"),
            ("[::]:8700", "[::1]:8700"),
            ("10.0.0.7:8700", "10.0.0.7:8700"),
        ] {
            let listen = listen.parse().expect("an address");
            assert_eq!(reachable(listen).to_string(), asked);
        }
    }
}
