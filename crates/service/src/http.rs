//! `/livez`, `/readyz` and `/metrics`, and the listener they answer on.

use std::{io, net::SocketAddr};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
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
    #[error("serving HTTP")]
    Serve {
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

/// Answers until the process stops; requests that have begun are finished.
///
/// # Errors
/// When accepting connections fails for good.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) -> Result<(), Error> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move { shutdown.stopping().await })
        .await
        .map_err(|source| Error::Serve { source })
}
