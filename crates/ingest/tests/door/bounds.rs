//! Bounds of bytes, of items and of time.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
};
use event::reject::Reason;
use flate2::{Compression, write::GzEncoder};
use futures::stream;
use serde_json::{Value, json};

use crate::world::{World, event, event_with, post};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_of_one_byte_too_many_is_not_read() {
    let world = World::new();
    let limit = 1024 * 1024;
    let padded = |length: usize| {
        format!(
            "{}{}",
            event("1"),
            " ".repeat(length - event("1").to_string().len())
        )
    };
    let most = world
        .send(post("till", "till-key", "application/json", padded(limit)))
        .await;
    assert_eq!(most.status, StatusCode::ACCEPTED);
    let over = world
        .send(post(
            "till",
            "till-key",
            "application/json",
            padded(limit + 1),
        ))
        .await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);

    let mut declared = post(
        "till",
        "till-key",
        "application/json",
        Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()),
    );
    declared
        .headers_mut()
        .insert(header::CONTENT_LENGTH, (limit + 1).into());
    assert_eq!(
        world.send(declared).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );

    let asked = Arc::new(AtomicUsize::new(0));
    let endless = stream::unfold(Arc::clone(&asked), |asked| async {
        asked.fetch_add(1, Ordering::Relaxed);
        Some((
            Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 64 * 1024])),
            asked,
        ))
    });
    let reply = world
        .send(post(
            "till",
            "till-key",
            "application/json",
            Body::from_stream(endless),
        ))
        .await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        asked.load(Ordering::Relaxed),
        17,
        "it stops at the chunk that passes the bound"
    );
    assert_eq!((world.events().len(), world.rejects().len()), (1, 0));
}

#[tokio::test]
async fn gzip_is_read_and_a_bomb_is_not() {
    let world = World::new();
    let zipped = |body: Vec<u8>, encoding: &'static str| {
        let mut request = post("till", "till-key", "application/json", body);
        request
            .headers_mut()
            .insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
        request
    };
    let good = world
        .send(zipped(gzip(event("1").to_string().as_bytes()), "gzip"))
        .await;
    assert_eq!(good.status, StatusCode::ACCEPTED);
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    assert_eq!(
        world.send(zipped(bomb, "gzip")).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    for (body, encoding, status) in [
        (b"no gzip".to_vec(), "gzip", StatusCode::BAD_REQUEST),
        (gzip(b"{}")[..10].to_vec(), "gzip", StatusCode::BAD_REQUEST),
        (b"{}".to_vec(), "br", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            event("2").to_string().into_bytes(),
            "identity",
            StatusCode::ACCEPTED,
        ),
    ] {
        assert_eq!(
            world.send(zipped(body, encoding)).await.status,
            status,
            "{encoding}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_cut() {
    let world = World::new();
    let drops = stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
    });
    let reply = world
        .send(post(
            "till",
            "till-key",
            "application/json",
            Body::from_stream(drops),
        ))
        .await;
    assert_eq!(reply.status, StatusCode::REQUEST_TIMEOUT);
    let broken = stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("gone")),
    ]);
    let reply = world
        .send(post(
            "till",
            "till-key",
            "application/json",
            Body::from_stream(broken),
        ))
        .await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.rejects().len(), 0);
}

#[tokio::test]
async fn too_many_items_and_unknown_types_are_refused_whole() {
    let world = World::new();
    let many = Value::from(vec![json!({}); 10_001]);
    assert_eq!(
        world.till(&many).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    for content_type in [
        "text/csv",
        "application/xml",
        "application/json; charset=latin1",
    ] {
        let reply = world
            .send(post("till", "till-key", content_type, "{}"))
            .await;
        assert_eq!(
            reply.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type}"
        );
    }
    assert_eq!((world.events().len(), world.rejects().len()), (0, 0));
}

#[tokio::test]
async fn of_a_large_refused_input_the_head_is_kept_with_the_length_of_the_whole() {
    let world = World::new();
    let large = event_with("1", json!({"text": "x".repeat(100_000)}));
    let reply = world.till(&large).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let reject = world.rejects().remove(0);
    assert_eq!(reject.reason, Reason::Schema);
    assert_eq!(reject.bytes.len(), 48 * 1024);
    assert!(reject.length > 100_000);
    assert_eq!(reject.sha256.len(), 32);
    assert_eq!(reject.detail, "text: has more than 20000 characters");
}

#[tokio::test]
async fn the_largest_event_that_the_form_allows_fits_a_record() {
    let world = World::new();
    let values: Vec<String> = (0..16).map(|n| format!("{n:ä<256}")).collect();
    let large = event_with(
        "1",
        json!({
            "text": "😀".repeat(20_000), "name": "😀".repeat(200),
            "identifiers": {"device": values}, "references": {"thread": values},
            "promise": {"id": "x", "what": "y", "text": "😀".repeat(2_000)},
            "attributes": {"a": "b".repeat(32_000)},
        }),
    );
    let reply = world.till(&large).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
}
