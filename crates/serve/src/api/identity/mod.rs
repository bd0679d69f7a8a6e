//! Who is who: why two events are one customer's, what waits for a person, and what people decide.

pub(crate) mod decide;
pub(super) mod decision;
pub(super) mod explanation;
pub(super) mod list;
mod view;

use super::refusal::Refusal;

const NOT_YOURS: Refusal =
    Refusal::Forbidden("leads and admins decide who is who, of customers that they may read");
const NO_DECISION: Refusal = Refusal::NotFound("there is no such decision");
