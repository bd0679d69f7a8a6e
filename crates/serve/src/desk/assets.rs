//! The desk's static files, which are part of the program. Their addresses carry a hash of what they hold, and so are kept for ever.

use std::sync::LazyLock;

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

use super::trouble::Trouble;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        name: "desk.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("../../static/desk.css"),
    },
    Asset {
        name: "live.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../static/live.js"),
    },
    Asset {
        name: "record.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../static/record.js"),
    },
    Asset {
        name: "polku.svg",
        kind: "image/svg+xml",
        text: include_str!("../../static/polku.svg"),
    },
];

static VERSIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let version = |asset: &Asset| hex::encode(&Sha256::digest(asset.text.as_bytes())[..8]);
    ASSETS.iter().map(version).collect()
});

fn find(name: &str) -> Option<(&'static Asset, &'static str)> {
    let index = ASSETS.iter().position(|asset| asset.name == name)?;
    Some((&ASSETS[index], &VERSIONS[index]))
}

/// Where a page finds the file.
pub(super) fn address(name: &str) -> String {
    match find(name) {
        Some((_, version)) => format!("/static/{name}?v={version}"),
        None => unreachable!("pages name only files that there are: {name}"),
    }
}

pub(super) async fn asset(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (asset, version) = find(&name).ok_or(Trouble::NotFound)?;
    let is_this = query.is_some_and(|query| query == format!("v={version}"));
    let kept = if is_this {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let tag = format!("\"{version}\"");
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let described = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
        (
            header::ETAG,
            HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes"),
        ),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, described).into_response());
    }
    Ok((described, asset.text).into_response())
}
