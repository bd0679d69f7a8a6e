//! The desk: pages for people who work with customers, rendered here, usable by keyboard alone and without script.
//!
//! Invariants: nobody who is not signed in sees anything but the way in; what a person sees and may do is decided by its
//! credential and from the same look at the model as the page; no form is taken that is not one of the session's own; what people
//! wrote is text, in an element that isolates it; nothing is loaded from elsewhere, run or styled in line.

mod assets;
mod case;
mod cookie;
mod customer;
mod entry;
mod form;
mod guide;
mod handoffs;
mod identity;
mod inbox;
mod language;
mod live;
mod page;
mod path;
mod preferences;
mod promise;
mod record;
mod row;
mod search;
mod session;
mod sign_in;
mod speech;
mod trouble;

use axum::{
    Router, middleware,
    routing::{get, post},
};

pub(crate) use self::session::Sessions;
use crate::api::Api;

/// The pages, to be merged with the API's routes.
pub(crate) fn routes(api: &Api) -> Router<Api> {
    Router::new()
        .route("/", get(sign_in::front))
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/preferences", post(preferences::choose))
        .route("/inbox/{department}", get(inbox::inbox))
        .route("/inbox/{department}/live", get(inbox::follow))
        .route("/cases/{id}", get(case::case))
        .route("/cases/{id}/live", get(case::follow))
        .route("/cases/{id}/commands", post(case::command))
        .route("/customers/{id}", get(customer::customer))
        .route("/customers/{id}/live", get(customer::follow))
        .route("/customers/{id}/explain", get(identity::explain))
        .route("/customers/{id}/split", get(identity::split))
        .route(
            "/customers/merge",
            get(identity::merge).post(identity::find),
        )
        .route("/identity/review", get(identity::review))
        .route("/identity/explain", get(identity::explain_any))
        .route(
            "/identity/decide",
            get(identity::propose).post(identity::decide),
        )
        .route("/identity/decisions", get(identity::decisions))
        .route("/identity/decisions/{id}", get(identity::decision))
        .route("/search", get(search::form).post(search::search))
        .route("/record", get(record::form).post(record::record))
        .route("/record/{id}", get(record::recorded))
        .route("/path/{department}", get(path::path))
        .route("/hand-offs", get(handoffs::matrix))
        .route("/hand-offs/{from}/{to}", get(handoffs::list))
        .route("/static/{file}", get(assets::asset))
        .layer(middleware::from_fn_with_state(api.clone(), page::dress))
}
