//! What rests at a profile, looked at all at once.

use std::collections::BTreeSet;

use event::{
    Kind, MatterId, ProfileId, Score, Time, Token,
    case::StepKind,
    case_input::SignalKind,
    event::PromiseState,
    timeline_input::{Digest, StepNote},
};

use super::{
    END, hours,
    sketch::{Happened, matter},
    write,
};
use crate::sample::{name, profile};

/// All that rests at one profile.
pub(super) struct Rest<'h> {
    profile: ProfileId,
    pub(super) digests: Vec<&'h Digest>,
    pub(super) steps: Vec<&'h StepNote>,
    now: Time,
}

impl Rest<'_> {
    pub(super) fn expected(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut tell = |what, matter, time: Time| {
            all.insert(write(what, self.profile, matter, time));
        };
        for matter in (0..3).map(matter) {
            let group = self.group(matter);
            let is_first = group.iter().min() == Some(&matter);
            let contacts: Vec<&&Digest> = self
                .digests
                .iter()
                .filter(|digest| is_first && group.contains(&digest.matter) && is_contact(digest))
                .collect();
            if let Some(third) = contacts.get(2) {
                tell(SignalKind::ThirdContact, third.matter, third.time);
            }
            let other = contacts
                .iter()
                .find(|digest| digest.channel != contacts[0].channel);
            if let Some(other) = other {
                tell(SignalKind::TwoChannels, other.matter, other.time);
            }
            for (from, to) in self.spells(matter) {
                let complaint = self.digests.iter().find(|digest| {
                    let is_within = from <= digest.time && digest.time < to;
                    digest.kind == Kind::Complaint && is_within && digest.matter != matter
                });
                if let Some(complaint) = complaint {
                    tell(SignalKind::AnotherComplaint, matter, complaint.time);
                    break;
                }
            }
        }
        for metric in ["nps", "stars"].map(name) {
            let scores: Vec<(&&Digest, f64)> = self
                .digests
                .iter()
                .filter_map(|digest| {
                    let score = digest.score.as_ref()?;
                    (score.metric == metric).then(|| (digest, score.share()))
                })
                .collect();
            for pair in scores.windows(2) {
                if pair[0].1 - pair[1].1 > 0.299 {
                    tell(SignalKind::ScoreDrop, pair[1].0.matter, pair[1].0.time);
                }
            }
        }
        self.waits(&mut tell);
        all
    }

    fn waits(&self, tell: &mut impl FnMut(SignalKind, MatterId, Time)) {
        for digest in &self.digests {
            let group = self.group(digest.matter);
            let mut due = |what, time: Time, end: Option<Time>| {
                if time <= self.now && end.is_none_or(|end| end > time) {
                    tell(what, digest.matter, time);
                }
            };
            let later =
                |other: &&&Digest| other.time > digest.time && group.contains(&other.matter);
            if digest.kind == Kind::Complaint {
                let answer = self.steps.iter().find(|step| {
                    let is_answer = [StepKind::Contacted, StepKind::Resolved].contains(&step.what);
                    is_answer && step.time > digest.time && group.contains(&step.matter)
                });
                let end = answer.map(|step| step.time);
                due(SignalKind::Silence, digest.time + hours(7 * 24), end);
            }
            if digest.name == name("order.placed") {
                let kept = self.digests.iter().filter(later);
                let end = kept
                    .filter(|digest| digest.name == name("shipment.delivered"))
                    .map(|digest| digest.time)
                    .next();
                due(SignalKind::PromiseDue, digest.time + hours(36), end);
                due(SignalKind::PromiseBroken, digest.time + hours(48), end);
            }
            let Some(promise) = &digest.promise else {
                continue;
            };
            let says = |other: &&&Digest| {
                let of = other.promise.as_ref().map(|promise| promise.id);
                of == Some(promise.id)
            };
            let mut words = self.digests.iter().filter(says);
            match (promise.state, promise.due) {
                (PromiseState::Made, Some(until)) => {
                    let end = words.find(|word| word.time > digest.time);
                    let end = end.map(|word| word.time);
                    due(SignalKind::PromiseDue, until - hours(4), end);
                    due(SignalKind::PromiseBroken, until, end);
                }
                (PromiseState::Broken, _) => {
                    let before = words.take_while(|word| word.time < digest.time).last();
                    let was_due = before
                        .and_then(|word| word.promise.as_ref())
                        .filter(|word| word.state == PromiseState::Made)
                        .and_then(|word| word.due);
                    if was_due.is_none_or(|due| due >= digest.time) {
                        due(SignalKind::PromiseBroken, digest.time, None);
                    }
                }
                _ => {}
            }
        }
    }

    /// The order and its parcel are one where an event names both.
    pub(super) fn group(&self, of: MatterId) -> Vec<MatterId> {
        let is_tied = self.digests.iter().any(|digest| digest.values.len() == 2);
        let both = [matter(0), matter(1)];
        if is_tied && both.contains(&of) {
            both.to_vec()
        } else {
            vec![of]
        }
    }

    fn spells(&self, of: MatterId) -> Vec<(Time, Time)> {
        let mut steps: Vec<_> = self.steps.iter().filter(|step| step.matter == of).collect();
        steps.sort_by_key(|step| step.step);
        let (mut spells, mut since) = (Vec::new(), None);
        for step in steps {
            match step.what {
                StepKind::Opened => {
                    since.get_or_insert(step.time);
                }
                StepKind::Resolved => {
                    spells.extend(since.take().map(|since| (since, step.time)));
                }
                _ => {}
            }
        }
        spells.extend(since.map(|since| (since, Time::MAX)));
        spells
    }
}

pub(super) fn is_contact(digest: &Digest) -> bool {
    let share = digest.score.as_ref().map(Score::share);
    let is_praise = share.is_some_and(|share| share >= 0.9);
    match digest.kind {
        Kind::Complaint => true,
        Kind::Feedback => !is_praise,
        _ => digest.name == name("call.in"),
    }
}

pub(super) fn rest<'h>(
    happened: &'h [Happened],
    who: &str,
    holds: impl Fn(Token) -> bool,
) -> Rest<'h> {
    let mut rest = Rest {
        profile: profile(who),
        digests: Vec::new(),
        steps: Vec::new(),
        now: END,
    };
    for happened in happened {
        match happened {
            Happened::Digest(digest) if holds(digest.route) => rest.digests.push(digest),
            Happened::Step(step) if holds(step.route) => rest.steps.push(step),
            Happened::Digest(_) | Happened::Step(_) => {}
        }
    }
    rest.digests.sort_by_key(|digest| digest.time);
    rest.steps.sort_by_key(|step| step.time);
    rest
}
