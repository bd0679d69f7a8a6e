//! The language and the theme that a reader chose.

use axum::{
    extract::State,
    http::header,
    response::{AppendHeaders, IntoResponse as _, Response},
};

use super::{
    cookie,
    form::Fields,
    language::Language,
    page::{Theme, own_path, see},
};
use crate::api::Api;

/// A form without a token: whoever is not signed in chooses too, and nothing but the look depends on it.
pub(super) async fn choose(State(api): State<Api>, fields: Fields) -> Response {
    let secure = api.sessions.secure;
    let mut chosen = Vec::new();
    if let Some(language) = fields.get("language").and_then(Language::of_code) {
        let cookie = cookie::choice(cookie::LANGUAGE, language.as_str(), secure);
        chosen.push((header::SET_COOKIE, cookie));
    }
    if let Some(theme) = fields.get("theme").and_then(Theme::of_name) {
        let cookie = cookie::choice(cookie::THEME, theme.as_str(), secure);
        chosen.push((header::SET_COOKIE, cookie));
    }
    let back = see(own_path(fields.get("back")));
    (AppendHeaders(chosen), back).into_response()
}
