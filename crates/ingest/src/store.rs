//! The last step: events and rejects go to the log in one append, and what was acknowledged is remembered.

mod window;

use std::time::Duration;

use event::{
    Event, EventId, Record, SourceId, Standing, Time, Token, Topic,
    reject::{Reason, Reject},
};
use sha2::{Digest as _, Sha256};
use stream::{
    Append,
    log::{RECORD_BYTES_MAX, SharedLog},
};

pub(crate) use self::window::{Seen, Window};

/// No more of a refused input is kept than this.
const REJECT_BYTES_MAX: usize = 48 * 1024;

/// An input that is refused, after the masks.
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    /// Where an id could be read.
    pub(crate) id: Option<EventId>,
    pub(crate) bytes: Vec<u8>,
}

/// The log did not take a request; nothing of it may be claimed.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error("appending to the log")]
    Log(#[source] stream::Error),
    #[error("the log did not acknowledge within {} ms", .0.as_millis())]
    TimedOut(Duration),
}

/// The record of an event, or the number of its bytes if they are too many. What may be corrected is kept by its id first, where
/// the unifier meets all that was said under it, in order.
pub(crate) fn event_append(event: Event, partitions: u32) -> Result<Append, usize> {
    let record = match event.standing {
        Standing::Correctable => Record::Claim(event),
        Standing::Final | Standing::Withdrawn | Standing::Unknown => Record::Event(event),
    };
    let (topic, key, value) = (record.topic(), record.key(), wire::encode(&record));
    let bytes = key.len() + value.len();
    if bytes > RECORD_BYTES_MAX {
        return Err(bytes);
    }
    Ok(Append::keyed(topic, key, Some(value), partitions))
}

pub(crate) fn reject_append(
    source: &SourceId,
    refused: &Refused,
    time: Time,
    partitions: u32,
) -> Append {
    let sha256 = Sha256::digest(&refused.bytes);
    let id = refused.id.map_or_else(
        || Token::new(std::array::from_fn(|place| sha256[place])),
        |id| id.token(),
    );
    let kept = refused.bytes.len().min(REJECT_BYTES_MAX);
    let record = Record::Reject(Reject {
        id,
        source: Some(source.clone()),
        record: None,
        time,
        reason: refused.reason,
        detail: refused.detail.clone(),
        bytes: refused.bytes[..kept].to_vec(),
        length: refused.bytes.len() as u64,
        sha256: sha256.to_vec(),
    });
    Append::keyed(
        Topic::Reject,
        record.key(),
        Some(wire::encode(&record)),
        partitions,
    )
}

/// Resolves once everything survives a crash.
pub(crate) async fn append(
    log: &SharedLog,
    appends: Vec<Append>,
    within: Duration,
) -> Result<(), Unavailable> {
    if appends.is_empty() {
        return Ok(());
    }
    match tokio::time::timeout(within, log.append(appends)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Unavailable::Log(error)),
        Err(_) => Err(Unavailable::TimedOut(within)),
    }
}
