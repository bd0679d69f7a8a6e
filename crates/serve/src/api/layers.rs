//! What every answer has, and what is counted of it.

use ::service::clock;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::Api;

pub(super) async fn answer(State(api): State<Api>, request: Request, next: Next) -> Response {
    let began = clock::instant();
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "unknown".to_owned(),
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // Pages of customers are for the one who asked: no cache on the way keeps them.
    // The desk's own files say themselves how long they are kept.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let class = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    api.metrics
        .requests
        .with_label_values(&[route.as_str(), class])
        .inc();
    api.metrics
        .request_seconds
        .observe(began.elapsed().as_secs_f64());
    response
}
