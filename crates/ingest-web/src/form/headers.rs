//! What browsers may do with the form: run nothing, load nothing from elsewhere, and frame it only where the configuration says.

use axum::http::{HeaderMap, HeaderValue, header};
use ingest::Source;

/// Scheme and host, with a port or without: what `frame-ancestors` takes.
pub(super) fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(host) = host else {
        return false;
    };
    let (host, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    host.split('.').all(is_label) && port.parse::<u16>().is_ok()
}

/// Puts the headers of a page of this source.
pub(super) fn protect(headers: &mut HeaderMap, source: Option<&Source>) {
    let form = source.and_then(|source| source.form.as_ref());
    let origins: Vec<&str> = form
        .into_iter()
        .flat_map(|form| &form.embed_from)
        .map(String::as_str)
        .filter(|origin| is_origin(origin))
        .collect();
    let framed_by = if origins.is_empty() {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        "'none'".to_owned()
    } else {
        origins.join(" ")
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {framed_by}"
    );
    let policy = HeaderValue::from_str(&policy).expect("origins are of letters, digits and points");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host() {
        for (text, expected) in [
            ("https://shop.example", true),
            ("http://localhost:3000", true),
            ("https://xn--kauppa-l9a.fi:8443", true),
            ("https://shop.example/", false),
            ("https://shop.example/path", false),
            ("https://*.example", false),
            ("https://Shop.example", false),
            ("https://a b", false),
            ("https://a; script-src *", false),
            ("https://a,b", false),
            ("https://a:99999", false),
            ("https://", false),
            ("shop.example", false),
            ("javascript:alert(1)", false),
            ("*", false),
        ] {
            assert_eq!(is_origin(text), expected, "{text}");
        }
    }
}
