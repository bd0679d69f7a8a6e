//! Who is who: why two events are on one timeline, what waits for a decision, and what was decided.
//!
//! Every decision goes the same way: a page says what would move, the person says why and confirms exactly what was shown, and the
//! page of the decision says what became of it. Nothing here needs a script.

mod asked;
mod decide;
mod explanation;
mod merge;
mod proposal;
mod record;
mod review;
mod shown;
mod split;

pub(super) use self::{
    decide::{decide, propose},
    explanation::{explain, explain_any},
    merge::{find, merge},
    record::{decision, decisions},
    review::review,
    split::split,
};
use event::{ProfileId, access::AccessKind};

use super::{page::Person, trouble::Trouble};
use crate::api::Api;

/// Writes down of whom a page opens something, before it is shown.
async fn note_reading(
    api: &Api,
    person: &Person,
    what: AccessKind,
    read: impl IntoIterator<Item = ProfileId>,
) -> Result<(), Trouble> {
    let noted = api.note_reading(&person.credential, what, read, None);
    noted.await.map_err(Trouble::from)
}

/// Refuses whoever does not decide who is who.
fn decides(person: &Person) -> Result<(), Trouble> {
    if person.credential.decides() {
        Ok(())
    } else {
        Err(Trouble::Forbidden)
    }
}
