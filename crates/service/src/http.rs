//! `/livez`, `/readyz` and `/metrics`, and the listener they answer on.

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;

use crate::{health::Health, shutdown::Shutdown};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "{address} is taken by another process; stop that one or set `listen` to another address"
    )]
    Taken { address: SocketAddr },
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
}

/// The three routes that every role has.
pub fn routes(registry: Registry, health: Health) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(health)
        .merge(
            Router::new()
                .route("/metrics", get(metrics))
                .with_state(registry),
        )
}

async fn livez(State(health): State<Health>) -> Response {
    answer(health.is_live(), &health)
}

async fn readyz(State(health): State<Health>) -> Response {
    answer(health.is_ready(), &health)
}

fn answer(good: bool, health: &Health) -> Response {
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(health.parts())).into_response()
}

async fn metrics(State(registry): State<Registry>) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "encoding metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// # Errors
/// `Error::Taken` when another process has the port.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            Error::Taken { address }
        } else {
            Error::Listen { address, source }
        }
    })
}

/// For all headers of a request to arrive; a connection on which nobody asks for so long is closed.
const HEADERS_MS_MAX: u64 = 30_000;

/// Between two tries to accept a connection when the process has no file descriptor left.
const ACCEPT_AGAIN_MS: u64 = 1_000;

/// Answers until the process stops; requests that have begun are finished.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEADERS_MS_MAX));
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.stopping() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refuse(&error).await;
                continue;
            }
        };
        // Answers are whole when they are written: waiting for more would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection broke off at once");
            continue;
        }
        let service = router.clone().layer(Extension(ConnectInfo(address)));
        let service = TowerToHyperService::new(service);
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// A client that went away is nothing; without file descriptors trying again at once would only burn the processor.
async fn refuse(error: &io::Error) {
    let gone = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
    ];
    if !gone.contains(&error.kind()) {
        tracing::error!(%error, "accepting a connection");
        tokio::time::sleep(Duration::from_millis(ACCEPT_AGAIN_MS)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        task::JoinHandle,
        time::Instant,
    };

    use super::*;

    async fn start() -> (SocketAddr, Shutdown, JoinHandle<()>) {
        async fn who(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
            peer.ip().to_string()
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let router = Router::new().route("/who", get(who));
        let served = tokio::spawn(serve(listener, router, shutdown.clone()));
        (address, shutdown, served)
    }

    async fn talk(address: SocketAddr, said: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut heard = Vec::new();
        // A connection that is cut may be reset.
        let _end = stream.read_to_end(&mut heard).await;
        String::from_utf8(heard).unwrap()
    }

    #[tokio::test]
    async fn a_request_is_answered_and_knows_its_peer() {
        let (address, shutdown, served) = start().await;
        let said = "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let heard = talk(address, said).await;
        assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
        assert!(heard.ends_with("127.0.0.1"), "{heard}");
        shutdown.stop();
        served.await.unwrap();
    }

    /// The clock of the test runs ahead as soon as everybody waits.
    #[tokio::test(start_paused = true)]
    async fn headers_that_never_end_are_cut() {
        let (address, _shutdown, _served) = start().await;
        for said in ["", "GET /who HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
            let began = Instant::now();
            let heard = talk(address, said).await;
            assert!(!heard.contains("200"), "{heard}");
            let waited = began.elapsed();
            assert!(
                waited >= Duration::from_millis(HEADERS_MS_MAX),
                "{waited:?}"
            );
            assert!(
                waited < Duration::from_millis(2 * HEADERS_MS_MAX),
                "{waited:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_stop_closes_what_is_idle() {
        let (address, shutdown, served) = start().await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        let said = "GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
        idle.write_all(said.as_bytes()).await.unwrap();
        let mut heard = [0; 15];
        idle.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"HTTP/1.1 200 OK");
        shutdown.stop();
        served.await.unwrap();
    }

    /// Whatever two readers could take for two different requests.
    #[tokio::test]
    async fn requests_that_read_in_two_ways_are_refused() {
        let (address, _shutdown, _served) = start().await;
        for headers in [
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: +5\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "X-Folded: a\r\n b\r\n",
            "Bad Name: x\r\n",
        ] {
            let heard = talk(
                address,
                &format!("GET /who HTTP/1.1\r\nHost: x\r\n{headers}\r\nhello"),
            )
            .await;
            assert!(heard.starts_with("HTTP/1.1 400"), "{headers}: {heard}");
            assert_eq!(heard.matches("HTTP/1.1").count(), 1, "{headers}: {heard}");
        }
    }
}
