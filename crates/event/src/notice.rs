//! Topics `notice.<department>`: what a department is told about a case. No personal field and no free text.

use serde::{Deserialize, Serialize};

use crate::{CaseId, Channel, DepartmentId, Name, NoticeId, ProfileId, Time, case::Severity};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub id: NoticeId,
    /// The department that is told.
    pub department: DepartmentId,
    pub why: Why,
    /// The case; where no case handles the matter, the one that it would be.
    pub case: CaseId,
    pub step: u32,
    pub time: Time,
    pub what: Name,
    pub place: Option<Name>,
    /// The unit of the department that it is for.
    pub unit: Option<Name>,
    pub party: Option<Name>,
    pub severity: Severity,
    /// The customer's contacts so far, and the channels they came by.
    pub contacts: u32,
    pub channels: Vec<Channel>,
    /// The department it comes from, when it was handed over.
    pub from: Option<DepartmentId>,
    pub answer_by: Option<Time>,
    /// The names of the routes that led here, from the root.
    pub route: Vec<Name>,
    /// Whose matter it is, where no case handles it: of a promise.
    pub customer: Option<ProfileId>,
}

/// A notice as JSON shows it to a department: live, by webhook, in whatever way.
#[derive(Clone, Debug, Serialize)]
pub struct Shown<'a> {
    id: NoticeId,
    why: Why,
    case: Option<CaseId>,
    customer: Option<ProfileId>,
    what: &'a Name,
    place: Option<&'a Name>,
    unit: Option<&'a Name>,
    party: Option<&'a Name>,
    severity: Severity,
    contacts: u32,
    channels: &'a [Channel],
    from: Option<&'a DepartmentId>,
    answer_by: Option<Time>,
    /// Where to look at the case, or at what is there without one.
    open: String,
    time: Time,
    route: &'a [Name],
}

impl Notice {
    /// `public_url` is where people reach the desk; without one the link is relative.
    pub fn shown(&self, public_url: &str) -> Shown<'_> {
        Shown {
            id: self.id,
            why: self.why,
            case: self.customer.is_none().then_some(self.case),
            customer: self.customer,
            what: &self.what,
            place: self.place.as_ref(),
            unit: self.unit.as_ref(),
            party: self.party.as_ref(),
            severity: self.severity,
            contacts: self.contacts,
            channels: &self.channels,
            from: self.from.as_ref(),
            answer_by: self.answer_by,
            open: format!(
                "{}{}",
                public_url.trim_end_matches('/'),
                self.place_on_desk()
            ),
            time: self.time,
            route: &self.route,
        }
    }

    /// Where the department finds on the desk what it is told of.
    fn place_on_desk(&self) -> String {
        match self.customer {
            // There may be a case of it or none; the inbox leads on to one.
            None if self.why == Why::Praise => format!("/inbox/{}?show=praise", self.department),
            None => format!("/cases/{}", self.case),
            Some(customer) => format!("/customers/{customer}"),
        }
    }
}

/// Why a department is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A new case is yours.
    Opened,
    /// A case is offered to you.
    Offered,
    /// Your offer was accepted, declined, or nobody answered it.
    Accepted,
    Declined,
    Returned,
    /// A deadline of yours passed.
    Missed,
    /// Somebody else's deadline passed and it is for you to see to it.
    Escalated,
    /// The customer got in touch again.
    Heard,
    Resolved,
    Reopened,
    /// Two cases of yours are one.
    Joined,
    /// A case of yours is handled by another department now.
    Gone,
    /// Thanks.
    Praise,
    /// A system of yours says that it is solved: say how the customer was told.
    Proposed,
    /// The outside party answered, or you waited long enough.
    Resumed,
    /// The customer's timeline shows a sign: a third contact, a score that dropped.
    Noticed,
    /// A promise that you keep is about to be broken.
    PromiseDue,
    /// A promise was broken.
    PromiseBroken,
    /// A sign, or a broken promise, that you were told of proved not to be one.
    TakenBack,
    /// A reason that a later version of Polku knows and this one does not.
    Unknown,
}

impl Why {
    pub const fn as_str(self) -> &'static str {
        match self {
            Why::Opened => "opened",
            Why::Offered => "offered",
            Why::Accepted => "accepted",
            Why::Declined => "declined",
            Why::Returned => "returned",
            Why::Missed => "missed",
            Why::Escalated => "escalated",
            Why::Heard => "heard",
            Why::Resolved => "resolved",
            Why::Reopened => "reopened",
            Why::Joined => "joined",
            Why::Gone => "gone",
            Why::Praise => "praise",
            Why::Proposed => "proposed",
            Why::Resumed => "resumed",
            Why::Noticed => "noticed",
            Why::PromiseDue => "promise_due",
            Why::PromiseBroken => "promise_broken",
            Why::TakenBack => "taken_back",
            Why::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;

    #[test]
    fn a_link_leads_to_the_case_and_without_one_to_what_is_there() {
        let customer = ProfileId::new(Token::new([2; 16]));
        let notice = |why, customer| Notice {
            id: NoticeId::new(Token::new([1; 16])),
            department: DepartmentId::new("finance").unwrap(),
            why,
            case: CaseId::new(Token::new([3; 16])),
            step: 1,
            time: Time::MIN,
            what: Name::new("promise.refund").unwrap(),
            place: None,
            unit: None,
            party: None,
            severity: Severity::Normal,
            contacts: 0,
            channels: Vec::new(),
            from: None,
            answer_by: None,
            route: Vec::new(),
            customer,
        };
        let case = CaseId::new(Token::new([3; 16]));
        for (why, of, expected) in [
            (Why::PromiseDue, None, format!("/cases/{case}")),
            (
                Why::PromiseDue,
                Some(customer),
                format!("/customers/{customer}"),
            ),
            (
                Why::TakenBack,
                Some(customer),
                format!("/customers/{customer}"),
            ),
            (Why::Praise, None, "/inbox/finance?show=praise".to_owned()),
        ] {
            let notice = notice(why, of);
            let shown = notice.shown("https://polku.example/");
            assert_eq!(shown.open, format!("https://polku.example{expected}"));
            assert_eq!((shown.case.is_none(), shown.customer), (of.is_some(), of));
        }
    }
}
