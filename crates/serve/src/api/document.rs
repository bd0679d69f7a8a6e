//! The OpenAPI document, of all routes of the process.

use axum::{Json, Router, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use super::refusal::Refusal;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Polku",
        description = "One timeline per customer, and every unresolved matter at a department that owns it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Serves the routes and, at `/openapi.json`, the document that describes them. What is at no route is answered as a problem
/// too.
pub fn documented(routes: OpenApiRouter) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Description::openapi())
        .merge(routes)
        .split_for_parts();
    router
        .route("/openapi.json", get(move || async move { Json(document) }))
        .fallback(async || Refusal::NotFound("there is nothing at this path"))
        .method_not_allowed_fallback(async || Refusal::Method)
}
