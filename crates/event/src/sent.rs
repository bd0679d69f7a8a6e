//! Topic `sent`: what became of the notices at the endpoints that departments subscribed. Keyed by the notice, or by the
//! subscription for what concerns it alone.

use serde::{Deserialize, Serialize};

use crate::{Name, NoticeId, Time, Token};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub subscription: Name,
    /// The notice that it was about; none where a subscription begins, or says again where it stands.
    pub notice: Option<NoticeId>,
    /// Where that notice lies in its department's topic. Of `Following` and `Disabled`: everything below is settled.
    pub offset: i64,
    /// Stands for the endpoint as it was configured: a disabled one is tried again once this is another.
    pub endpoint: Token,
    pub what: SentKind,
    pub time: Time,
    /// How often the notice was sent by the process that says so.
    pub attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentKind {
    /// The subscription is at work.
    Following,
    /// The endpoint took the notice.
    Delivered,
    /// The notice failed for so long that it will not be sent again, while others were taken.
    GivenUp,
    /// The endpoint took notices before and does not now.
    Failing,
    /// The endpoint is gone, or failed for so long that it is not asked any more.
    Disabled,
    /// A kind that a later version of Polku knows and this one does not.
    Unknown,
}
