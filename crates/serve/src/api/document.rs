//! The OpenAPI document, of all routes of the process.

use axum::{Json, Router, http::StatusCode, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        RefOr, Response,
        path::PathItem,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use super::{live::NoticeView, refusal::Refusal};

pub(super) const NOTHING: Refusal = Refusal::NotFound("there is nothing at this path");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Polku",
        description = "One timeline per customer, and every unresolved matter at a department that owns it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(NoticeView)),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The key of a person or a machine, whose hash is `credentials.….key_sha256`",
            ))
            .build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Serves the routes and, at `/openapi.json`, the document that describes them. What is at no route is answered as a problem
/// too.
pub fn documented(routes: OpenApiRouter) -> Router {
    let (router, mut document) = OpenApiRouter::with_openapi(Description::openapi())
        .merge(routes)
        .split_for_parts();
    for (status, response) in document.paths.paths.values_mut().flat_map(responses) {
        if let RefOr::T(response) = response {
            complete(status, response);
        }
    }
    router
        .route("/openapi.json", get(move || async move { Json(document) }))
        .fallback(async || NOTHING)
        .method_not_allowed_fallback(async || Refusal::Method)
}

fn responses(path: &mut PathItem) -> impl Iterator<Item = (&String, &mut RefOr<Response>)> {
    let operations = [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.patch,
        &mut path.delete,
    ];
    let operations = operations.into_iter().flatten();
    operations.flat_map(|operation| &mut operation.responses.responses)
}

/// Says what need not be said at each route: whatever is refused is answered by a problem, and what nobody described is called
/// what its status is.
fn complete(status: &str, response: &mut Response) {
    let Ok(status) = status.parse::<StatusCode>() else {
        return;
    };
    if response.description.is_empty() {
        let reason = status.canonical_reason();
        reason
            .unwrap_or_default()
            .clone_into(&mut response.description);
    }
    let is_refusal = status.is_client_error() || status.is_server_error();
    if is_refusal && let Some(problem) = response.content.shift_remove("application/json") {
        let kind = "application/problem+json".to_owned();
        response.content.insert(kind, problem);
    }
}
