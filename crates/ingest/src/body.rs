//! A request's body, within its bounds: of bytes as they come, of bytes after decompression, of time.

use std::{io::Read as _, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use flate2::read::MultiGzDecoder;
use futures::StreamExt as _;

use crate::{door::Limits, problem::Problem};

/// Reads the whole body, decompressed.
///
/// # Errors
/// 413 as soon as the bound is passed, without reading on; 408 when it comes too slowly; 415 for an unknown encoding; 400
/// when it breaks off or is no gzip.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Vec<u8>, Problem> {
    let gzip = is_gzip(headers)?;
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limits.body_bytes_max as u64) {
        return Err(too_large(limits));
    }
    let within = Duration::from_millis(limits.read_ms_max);
    let bytes = tokio::time::timeout(within, collect(body, limits))
        .await
        .map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT).detail(format!(
                "the body did not arrive within {} ms",
                limits.read_ms_max
            ))
        })??;
    if gzip {
        expand(&bytes, limits)
    } else {
        Ok(bytes)
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(false);
    };
    match encoding.as_bytes().to_ascii_lowercase().as_slice() {
        b"identity" => Ok(false),
        b"gzip" | b"x-gzip" => Ok(true),
        _ => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .detail("Content-Encoding must be gzip or left out")),
    }
}

async fn collect(body: Body, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST).detail("the body broke off before its end")
        })?;
        if bytes.len() + chunk.len() > limits.body_bytes_max {
            return Err(too_large(limits));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Never holds more than the bound and one byte, whatever the input claims to be.
fn expand(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Problem> {
    let mut expanded = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(limits.body_bytes_max as u64 + 1)
        .read_to_end(&mut expanded)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST).detail("the body is no gzip"))?;
    if expanded.len() > limits.body_bytes_max {
        return Err(too_large(limits));
    }
    Ok(expanded)
}

fn too_large(limits: &Limits) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!(
        "a body has at most {} bytes, after decompression too; send several requests",
        limits.body_bytes_max
    ))
}
