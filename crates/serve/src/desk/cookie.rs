//! The desk's cookies: who is signed in, the language and the theme that were chosen.

use axum::http::{HeaderMap, HeaderValue, header};

pub(super) const LANGUAGE: &str = "polku_language";
pub(super) const THEME: &str = "polku_theme";

/// How long a choice is remembered.
const CHOICE_SECONDS: i64 = 365 * 86_400;

/// The first cookie of the name. Values of ours need no decoding.
pub(super) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A cookie that scripts cannot read and other sites cannot make a form send.
pub(super) fn set(name: &str, value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("names and values of ours are plain ASCII")
}

pub(super) fn choice(name: &str, value: &str, secure: bool) -> HeaderValue {
    set(name, value, CHOICE_SECONDS, secure)
}

pub(super) fn removed(name: &str, secure: bool) -> HeaderValue {
    set(name, "", 0, secure)
}
