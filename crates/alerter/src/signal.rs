//! What a signal means for a case.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Channel, Company, EventId, Kind, MatterId, Perspective, SourceId, Time,
    case::Severity,
    case_input::{Signal, SignalKind},
    rules::CaseRules,
};
use serde::{Deserialize, Serialize};

use crate::{
    sign::is_sign,
    status::{Said, is_status},
};

/// Whether it makes a case of its matter by itself.
pub(crate) fn opens(company: &Company, signal: &Signal) -> bool {
    if signal.withdrawn || is_status(signal) {
        return false;
    }
    if is_sign(signal.what) {
        return company.signs.opens.contains(&signal.what);
    }
    let rules = &company.cases;
    let is_low = match signal.what {
        SignalKind::Complaint => return true,
        SignalKind::Praise => return false,
        SignalKind::Feedback => signal
            .score
            .as_ref()
            .is_some_and(|score| score.share() <= rules.opens_below),
        SignalKind::Contact
        | SignalKind::Progress
        | SignalKind::Solved
        | SignalKind::Reopened
        | SignalKind::ThirdContact
        | SignalKind::TwoChannels
        | SignalKind::AnotherComplaint
        | SignalKind::ScoreDrop
        | SignalKind::PromiseDue
        | SignalKind::PromiseBroken
        | SignalKind::Silence
        | SignalKind::Unknown => false,
    };
    is_low || (signal.kind == Kind::Service && rules.opens.contains(&signal.name))
}

/// Whether somebody has to answer it: what opens a case, and every contact once there is one.
pub(crate) fn asks(company: &Company, signal: &Signal) -> bool {
    let is_contact = signal.what == SignalKind::Contact && !signal.withdrawn;
    is_contact || (!is_sign(signal.what) && opens(company, signal))
}

pub(crate) fn severity(rules: &CaseRules, signal: &Signal) -> Severity {
    if rules.severe.contains(&signal.name) {
        Severity::High
    } else {
        match signal.what {
            SignalKind::Complaint
            | SignalKind::Feedback
            | SignalKind::ThirdContact
            | SignalKind::PromiseBroken
            | SignalKind::Silence => Severity::Normal,
            SignalKind::Contact
            | SignalKind::Praise
            | SignalKind::Progress
            | SignalKind::Solved
            | SignalKind::Reopened
            | SignalKind::TwoChannels
            | SignalKind::AnotherComplaint
            | SignalKind::ScoreDrop
            | SignalKind::PromiseDue
            | SignalKind::Unknown => Severity::Low,
        }
    }
}

/// The customer got in touch by it.
fn is_contact(signal: &Signal) -> bool {
    match signal.what {
        SignalKind::Complaint | SignalKind::Feedback | SignalKind::Contact => !signal.withdrawn,
        SignalKind::Praise
        | SignalKind::Progress
        | SignalKind::Solved
        | SignalKind::Reopened
        | SignalKind::ThirdContact
        | SignalKind::TwoChannels
        | SignalKind::AnotherComplaint
        | SignalKind::ScoreDrop
        | SignalKind::PromiseDue
        | SignalKind::PromiseBroken
        | SignalKind::Silence
        | SignalKind::Unknown => false,
    }
}

/// What is known after another copy of a signal came in; `None` when it says nothing new. The higher revision holds, the
/// higher version of the matter, and of one route the higher version; another route replaces the one before.
pub(crate) fn newer(known: &Signal, other: &Signal) -> Option<Signal> {
    let content = (other.revision, other.withdrawn) > (known.revision, known.withdrawn);
    let mut merged = if content {
        other.clone()
    } else {
        known.clone()
    };
    let is_older = other.revision < known.revision;
    let route = if other.route == known.route {
        other.route_version > known.route_version
    } else {
        !is_older
    };
    let follows = if route { other } else { known };
    merged.profile = follows.profile;
    merged.anchor = follows.anchor;
    merged.route = follows.route;
    merged.route_version = follows.route_version;
    merged.matter_version = known.matter_version.max(other.matter_version);
    merged.case = known.case;
    (merged != *known).then_some(merged)
}

/// What the signals of a case add up to, in whatever order they came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) contacts: u32,
    pub(crate) channels: BTreeSet<Channel>,
    /// The matters it has signals of, withdrawn ones included.
    pub(crate) matters: BTreeSet<MatterId>,
    /// When what opens it first happened.
    pub(crate) happened: Option<Time>,
    /// The signal that decides its description and its first owner.
    pub(crate) opener: Option<Box<Signal>>,
    /// One of them is not imported history.
    pub(crate) live: bool,
    /// The last live moment at which the customer asked for something.
    pub(crate) asked: Option<Time>,
    /// The same with imported history.
    pub(crate) spoken: Option<Time>,
    /// The last live moment at which a promise was broken.
    pub(crate) broken: Option<Time>,
    /// What the senders' own systems said.
    pub(crate) said: BTreeMap<SourceId, Said>,
}

impl Figures {
    /// Of signals that are different from each other.
    pub(crate) fn of<'a>(company: &Company, signals: impl Iterator<Item = &'a Signal>) -> Self {
        let mut figures = Self::default();
        for signal in signals {
            figures.add(company, signal);
        }
        figures
    }

    /// Takes in a signal that is not part of it yet. The order in which they come makes no difference.
    pub(crate) fn add(&mut self, company: &Company, signal: &Signal) {
        self.matters.insert(signal.matter);
        if is_status(signal) {
            let said = self.said.entry(signal.source.clone()).or_default();
            said.add(signal);
        }
        if signal.withdrawn {
            return;
        }
        self.live |= !signal.history;
        if is_contact(signal) {
            self.contacts += 1;
            self.channels.insert(signal.channel);
        }
        if signal.what == SignalKind::PromiseBroken && !signal.history {
            self.broken = self.broken.max(Some(signal.time));
        }
        if asks(company, signal) {
            self.spoken = self.spoken.max(Some(signal.time));
            if !signal.history {
                self.asked = self.asked.max(Some(signal.time));
            }
        }
        if opens(company, signal) {
            self.happened = Some(
                self.happened
                    .map_or(signal.time, |time| time.min(signal.time)),
            );
            if self
                .opener
                .as_ref()
                .is_none_or(|opener| rank(signal) < rank(opener))
            {
                self.opener = Some(Box::new(signal.clone()));
            }
        }
    }
}

/// The least of the opening signals decides: a customer's before a test's, then the smallest matter's, so that joined cases
/// agree with the smaller id, then the earliest, and of one moment what happened before a sign of it.
fn rank(signal: &Signal) -> (bool, MatterId, Time, bool, EventId) {
    let is_test = signal.perspective == Perspective::Test;
    let is_sign = is_sign(signal.what);
    (is_test, signal.matter, signal.time, is_sign, signal.event)
}
