//! What senders speak beside our own form: the formats of all channels.

use ingest::format::Formats;

pub fn all() -> Formats {
    let store = ingest_store::formats();
    let call_centre = ingest_call_centre::formats();
    let subcontractor = ingest_subcontractor::formats();
    ingest_web::formats()
        .into_iter()
        .chain(store)
        .chain(call_centre)
        .chain(subcontractor)
        .collect()
}
