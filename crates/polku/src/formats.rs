//! What senders speak beside our own form: the formats of all channels.

use ingest::format::Formats;

pub fn all() -> Formats {
    ingest_web::formats().into_iter().collect()
}
