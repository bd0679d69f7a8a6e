//! What a digest at rest tells the case of its matter.

use event::{
    EventId, Kind, Name, Version,
    case_input::{Signal, SignalKind},
    rules::CaseRules,
    timeline_input::Digest,
};

/// The signal of a digest, if it is one that a case should hear. The case knows a repeat by its event.
pub(super) fn of(digest: &Digest, rules: &CaseRules) -> Option<Signal> {
    let what = kind(
        digest.kind,
        &digest.name,
        share(digest),
        digest.party.as_ref(),
        rules,
    )?;
    Some(about(digest, what))
}

/// What a digest says, told as this kind of signal.
fn about(digest: &Digest, what: SignalKind) -> Signal {
    Signal {
        case: digest.matter.own_case(),
        matter: digest.matter,
        matter_version: Version::ZERO,
        what,
        event: digest.event,
        revision: digest.revision,
        withdrawn: digest.withdrawn,
        profile: digest.profile,
        anchor: digest.anchor,
        route: digest.route,
        route_version: digest.version,
        time: digest.time,
        received: digest.received,
        source: digest.source.clone(),
        channel: digest.channel,
        kind: digest.kind,
        name: digest.name.clone(),
        perspective: digest.perspective,
        history: digest.history,
        score: digest.score.clone(),
        place: digest.place.clone(),
        product: digest.product.clone(),
        stage: digest.stage.clone(),
        touchpoint: digest.touchpoint.clone(),
        party: digest.party.clone(),
        promise: None,
        due: None,
        department: None,
    }
}

/// A sign that a digest gives together with others. Its id stands in place of an event's, and its revision counts what the profile
/// said under that id.
pub(super) fn sign(digest: &Digest, what: SignalKind, id: EventId) -> Signal {
    Signal {
        event: id,
        revision: 0,
        withdrawn: false,
        ..about(digest, what)
    }
}

/// What an event means to a case, if a case should hear of it.
pub(super) fn kind(
    kind: Kind,
    name: &Name,
    share: Option<f64>,
    party: Option<&Name>,
    rules: &CaseRules,
) -> Option<SignalKind> {
    let is_praise = name.as_str().starts_with("praise")
        || share.is_some_and(|share| share >= rules.praise_from);
    let is_contact = || {
        rules
            .contacts
            .iter()
            .any(|head| head.as_str() == name.head())
    };
    match kind {
        Kind::Complaint => Some(SignalKind::Complaint),
        Kind::Feedback if is_praise => Some(SignalKind::Praise),
        Kind::Feedback => Some(SignalKind::Feedback),
        Kind::Service if rules.solved.contains(name) => Some(SignalKind::Solved),
        Kind::Service if rules.reopened.contains(name) => Some(SignalKind::Reopened),
        Kind::Service if rules.opens.contains(name) => Some(SignalKind::Progress),
        Kind::Service if is_contact() => Some(SignalKind::Contact),
        // A case may wait to hear of the party.
        Kind::Service if party.is_some() => Some(SignalKind::Progress),
        Kind::Service | Kind::Unknown => None,
    }
}

/// Whether the customer got in touch by it.
pub(super) fn is_contact(what: SignalKind) -> bool {
    match what {
        SignalKind::Complaint | SignalKind::Feedback | SignalKind::Contact => true,
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

pub(super) fn share(digest: &Digest) -> Option<f64> {
    digest.score.as_ref().map(event::Score::share)
}
