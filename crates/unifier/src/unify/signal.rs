//! What a digest at rest tells the case of its matter.

use event::{
    Kind, Version,
    case_input::{Signal, SignalKind},
    rules::CaseRules,
    timeline_input::Digest,
};

/// The signal of a digest, if it is one that a case should hear. The case knows a repeat by its event.
pub(super) fn of(digest: &Digest, rules: &CaseRules) -> Option<Signal> {
    let what = kind(digest, rules)?;
    Some(Signal {
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
    })
}

fn kind(digest: &Digest, rules: &CaseRules) -> Option<SignalKind> {
    match digest.kind {
        Kind::Complaint => Some(SignalKind::Complaint),
        Kind::Feedback if is_praise(digest, rules) => Some(SignalKind::Praise),
        Kind::Feedback => Some(SignalKind::Feedback),
        Kind::Service if rules.solved.contains(&digest.name) => Some(SignalKind::Solved),
        Kind::Service if rules.reopened.contains(&digest.name) => Some(SignalKind::Reopened),
        Kind::Service if rules.opens.contains(&digest.name) => Some(SignalKind::Progress),
        Kind::Service if is_contact(digest, rules) => Some(SignalKind::Contact),
        // A case may wait to hear of the party.
        Kind::Service if digest.party.is_some() => Some(SignalKind::Progress),
        Kind::Service | Kind::Unknown => None,
    }
}

fn is_praise(digest: &Digest, rules: &CaseRules) -> bool {
    digest.name.as_str().starts_with("praise")
        || digest
            .score
            .as_ref()
            .is_some_and(|score| score.share() >= rules.praise_from)
}

fn is_contact(digest: &Digest, rules: &CaseRules) -> bool {
    rules
        .contacts
        .iter()
        .any(|head| head.as_str() == digest.name.head())
}
