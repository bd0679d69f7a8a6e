//! The three clocks of a case, computed from its history and kept nowhere: a change of hours or of holidays changes them too.

use event::{
    Company, DepartmentId, Millis, Name, Time,
    case::{State, Step, StepKind},
};

use crate::calendar::Calendar;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// How long the customer has waited since it happened, in plain time: customers have no office hours. It stands still
    /// while the case is resolved.
    pub customer_wait: Millis,
    /// How long the present department has owned the case, in its business time. It stands still while the department waits
    /// for an outside party; while an outside party owns the case it is the clock of the department the party got it from.
    pub owner: Millis,
    /// How long the outside party has had the case, or was waited for, in its business time. A party owns a case when a
    /// department bears its name; one without a department has no office hours.
    pub party: Millis,
}

/// A time during which one department owned the open case, and perhaps waited for an outside party.
struct Spell<'a> {
    owner: &'a DepartmentId,
    waits_on: Option<&'a Name>,
    from: Time,
    to: Time,
}

/// Reads the clocks at `now`. `steps` are all steps of the case, in order.
pub fn clocks(state: &State, steps: &[Step], company: &Company, now: Time) -> Clocks {
    let (customer_wait, spells) = read(state, steps, now);
    let is_party = |owner: &DepartmentId| {
        state
            .party
            .as_ref()
            .is_some_and(|party| party.as_str() == owner.as_str())
    };
    let time_of = |spell: &Spell<'_>| {
        let calendar = match spell.waits_on {
            None => Calendar::of(&company.departments, spell.owner),
            Some(party) => DepartmentId::new(party.as_str()).map_or_else(
                |_| Calendar::always(),
                |party| Calendar::of(&company.departments, &party),
            ),
        };
        calendar.between(spell.from, spell.to)
    };
    let party = spells
        .iter()
        .filter(|spell| is_party(spell.owner) || spell.waits_on.is_some());
    let mut ours = spells
        .iter()
        .rev()
        .filter(|spell| !is_party(spell.owner))
        .peekable();
    let accountable = ours.peek().map(|spell| spell.owner);
    let ownership = ours
        .take_while(|spell| Some(spell.owner) == accountable)
        .filter(|spell| spell.waits_on.is_none());
    Clocks {
        customer_wait,
        owner: ownership
            .map(time_of)
            .fold(Millis::ZERO, |sum, time| sum + time),
        party: party
            .map(time_of)
            .fold(Millis::ZERO, |sum, time| sum + time),
    }
}

fn read<'a>(state: &State, steps: &'a [Step], now: Time) -> (Millis, Vec<Spell<'a>>) {
    let mut waited = Millis::ZERO;
    let mut waits_since = Some(state.happened);
    let mut spells = Vec::new();
    let mut held: Option<Spell<'a>> = None;
    let mut waits_on: Option<&Name> = None;
    // A missed deadline is written with the time it was due, which may lie before the step in front of it.
    let mut time = state.happened;
    for step in steps {
        time = time.max(step.time);
        waits_on = match step.what {
            StepKind::Waiting => step.whom.as_ref(),
            StepKind::Opened
            | StepKind::Accepted
            | StepKind::Resumed
            | StepKind::Resolved
            | StepKind::Absorbed
            | StepKind::OpenedInError => None,
            StepKind::Heard
            | StepKind::Acknowledged
            | StepKind::Contacted
            | StepKind::Offered
            | StepKind::Declined
            | StepKind::Returned
            | StepKind::Escalated
            | StepKind::Missed
            | StepKind::Reopened
            | StepKind::Joined
            | StepKind::Parted
            | StepKind::Claimed
            | StepKind::Released
            | StepKind::Noted
            | StepKind::Proposed
            | StepKind::Noticed
            | StepKind::Warned
            | StepKind::Broken
            | StepKind::Unknown => waits_on,
        };
        let goes_on = match step.what {
            StepKind::Opened => {
                // Whatever was before it, dormancy or another first department, is not this ownership.
                spells.clear();
                held = None;
                true
            }
            StepKind::Reopened | StepKind::Joined => true,
            StepKind::Resolved | StepKind::Absorbed | StepKind::OpenedInError => false,
            StepKind::Heard
            | StepKind::Acknowledged
            | StepKind::Contacted
            | StepKind::Offered
            | StepKind::Accepted
            | StepKind::Declined
            | StepKind::Returned
            | StepKind::Escalated
            | StepKind::Missed
            | StepKind::Parted
            | StepKind::Claimed
            | StepKind::Released
            | StepKind::Noted
            | StepKind::Proposed
            | StepKind::Waiting
            | StepKind::Resumed
            | StepKind::Noticed
            | StepKind::Warned
            | StepKind::Broken
            | StepKind::Unknown => held.is_some(),
        };
        let ends = |spell: &mut Spell<'a>| {
            !goes_on || *spell.owner != step.owner || spell.waits_on != waits_on
        };
        if let Some(spell) = held.take_if(ends) {
            spells.push(Spell { to: time, ..spell });
        }
        if goes_on {
            held.get_or_insert(Spell {
                owner: &step.owner,
                waits_on,
                from: time,
                to: time,
            });
            waits_since.get_or_insert(time);
        } else if let Some(since) = waits_since.take() {
            waited = waited + (time - since);
        }
    }
    let is_running = state.phase.is_open();
    let end = if is_running { now.max(time) } else { time };
    if let Some(since) = waits_since {
        waited = waited + (end - since);
    }
    if let Some(spell) = held
        && !state.dormant
    {
        spells.push(Spell { to: end, ..spell });
    }
    (waited, spells)
}
