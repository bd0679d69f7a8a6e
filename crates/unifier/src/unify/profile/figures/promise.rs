//! What was promised to a customer, by somebody's word or by what the company says to everybody, and what became of it.

use event::{
    DepartmentId, EventId, MatterId, Name, Time, Token,
    event::{Promise, PromiseState},
    rules::StandingPromise,
};
use serde::Serialize;

use super::{super::super::row::FIRST, Profile};

/// What was promised to the customer, also by standing promises. Each promise counts as `made`, and as at most one of the others; what
/// was kept too late was broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promises {
    pub made: u32,
    pub kept: u32,
    pub broken: u32,
    pub withdrawn: u32,
}

/// One promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// That of somebody's word; none where the rules promise it.
    pub id: Option<Token>,
    pub what: Name,
    /// That of the event by which it began.
    pub matter: MatterId,
    pub keeper: Option<DepartmentId>,
    pub due: Option<Time>,
    pub outcome: Outcome,
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Open,
    Kept,
    Broken,
    Withdrawn,
}

impl Profile {
    /// Every promise, those of people first.
    pub fn promised(&self, now: Time) -> Vec<Promised> {
        let words = self.promises.iter();
        let mut promised: Vec<Promised> = words
            .filter_map(|(id, words)| self.word(*id, words.iter(), now))
            .collect();
        for (name, promise) in &self.rules.promises {
            for ((time, _), matter) in self.begun.get(name).into_iter().flatten() {
                if *time <= now {
                    promised.push(self.standing(name, promise, (*time, *matter), now));
                }
            }
        }
        promised
    }

    /// What was said of one promise until now, in order.
    fn word<'w>(
        &self,
        id: Token,
        words: impl Iterator<Item = (&'w (Time, EventId), &'w Promise)>,
        now: Time,
    ) -> Option<Promised> {
        let words: Vec<_> = words.filter(|((time, _), _)| *time <= now).collect();
        let outcome = outcome(words.iter().map(|((time, _), word)| (*time, *word)), now)?;
        let ((_, event), first) = words.first()?;
        // Whoever says that it was kept need not say again what it was.
        let newest = || words.iter().rev().map(|(_, word)| *word);
        Some(Promised {
            id: Some(id),
            what: first.what.clone(),
            matter: self.facts[event].matter,
            keeper: newest().find_map(|word| word.keeper.clone()),
            due: newest().find_map(|word| word.due),
            outcome,
        })
    }

    fn standing(
        &self,
        name: &Name,
        promise: &StandingPromise,
        (begun, matter): (Time, MatterId),
        now: Time,
    ) -> Promised {
        let calendar = self.rules.calendar(Some(&promise.keeper));
        let due = calendar.add(begun, promise.within);
        let first = (begun, EventId::new(FIRST));
        let group = self.group(matter);
        let kept = self.kept.get(name).and_then(|kept| {
            kept.range(first..)
                .find(|(_, of)| group.contains(of))
                .map(|((time, _), _)| *time)
        });
        let outcome = match kept.filter(|kept| *kept <= now) {
            Some(kept) if kept <= due => Outcome::Kept,
            Some(_) => Outcome::Broken,
            None if due <= now => Outcome::Broken,
            None => Outcome::Open,
        };
        Promised {
            id: None,
            what: name.clone(),
            matter,
            keeper: Some(promise.keeper.clone()),
            due: Some(due),
            outcome,
        }
    }
}

impl Promises {
    pub(super) fn of(promised: &[Promised]) -> Promises {
        let mut all = Promises::default();
        for one in promised {
            all.made += 1;
            match one.outcome {
                Outcome::Open => {}
                Outcome::Kept => all.kept += 1,
                Outcome::Broken => all.broken += 1,
                Outcome::Withdrawn => all.withdrawn += 1,
            }
        }
        all
    }
}

/// What became of a promise by what was said of it, in order. Made again, it is due by the newer word.
fn outcome<'w>(words: impl Iterator<Item = (Time, &'w Promise)>, now: Time) -> Option<Outcome> {
    let mut outcome = None;
    let mut due: Option<Time> = None;
    for (time, word) in words {
        if due.is_some_and(|due| due < time) {
            return Some(Outcome::Broken);
        }
        (outcome, due) = match word.state {
            // Nothing is late before it was promised.
            PromiseState::Made => (Some(Outcome::Open), word.due.map(|due| due.max(time))),
            PromiseState::Kept => (Some(Outcome::Kept), None),
            PromiseState::Withdrawn => (Some(Outcome::Withdrawn), None),
            PromiseState::Broken => return Some(Outcome::Broken),
            PromiseState::Unknown => (outcome, due),
        };
    }
    if due.is_some_and(|due| due <= now) {
        return Some(Outcome::Broken);
    }
    outcome
}
