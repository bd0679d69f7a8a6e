//! Which case a matter belongs to: matters move between cases by versions, and a case that loses its last one is absorbed.

use std::{cmp::Reverse, collections::BTreeSet};

use calendar::Calendar;
use event::{
    CaseId, CommandId, MatterId, Time, Token,
    case::{Phase, State, StepKind},
    case_input::{Absorb, Regroup, Signal},
    command_outcome::CommandResult,
    notice::Why,
};
use machine::Outcome;

use crate::{
    case::{Case, Change},
    cases::{FIRST, Forward, Key, LAST, Row},
    queue::Work,
    turn::{Bound, Turn, signal_key, signal_of},
    wait,
};

/// How many signals of a matter one piece of work sends on.
const SIGNALS_MAX: usize = 500;

/// How many anchors, command results and contacts one `Absorb` carries, so that it never outgrows a record.
const FACTS_MAX: usize = 200;

impl Turn<'_, '_> {
    /// A matter belongs to another case from this version on: its signals are sent there.
    pub(crate) fn regroup(&mut self, regroup: &Regroup) -> Outcome {
        let Regroup {
            from: id,
            matter,
            to,
            version,
        } = *regroup;
        if let Some(known) = self.forward(id, matter)
            && known.version >= version
        {
            return if known.version == version {
                Outcome::Duplicate
            } else {
                Outcome::Stale
            };
        }
        let forward = Forward { to, version };
        self.state
            .put(Key::Forward(id, matter), Row::Forward(forward));
        if to == id {
            return Outcome::Applied;
        }
        if let Some(case) = self.case(id) {
            self.part(case, matter, forward);
        }
        self.send(id, Work::SendOn(id, matter));
        Outcome::Applied
    }

    /// A case loses a matter: the last one, or the last that opens it, takes the case along; any other leaves it.
    fn part(&mut self, mut case: Case, matter: MatterId, forward: Forward) {
        let had = case.figures.matters.contains(&matter);
        let awaited = case.awaited.remove(&matter);
        if had {
            case.figures = self.figures(case.state.case);
        }
        let mut change = Change::of(case);
        if (had || awaited) && change.case.goes_along() {
            self.leave(change, matter, forward);
            return;
        }
        if had && change.case.state.phase != Phase::Closed {
            change.step(StepKind::Parted, self.now).matter = Some(matter);
        }
        if had || awaited {
            self.settle(&mut change);
        }
        self.save(change);
    }

    /// Sends on the signals of a matter that belong elsewhere, some at a time.
    pub(crate) fn send_on(&mut self, id: CaseId, matter: MatterId) -> Outcome {
        let all = signal_key(id, matter, Bound::First)..=signal_key(id, matter, Bound::Last);
        let going: Vec<(Key, Signal, Forward)> = self
            .state
            .range(all)
            .filter_map(|(key, row)| {
                let signal = signal_of(row);
                let forward = self.way_out(signal)?;
                Some((key.clone(), signal.clone(), forward))
            })
            .take(SIGNALS_MAX)
            .collect();
        let more = going.len() == SIGNALS_MAX;
        for (key, mut signal, forward) in going {
            self.state.remove(key);
            signal.case = forward.to;
            signal.matter_version = forward.version;
            self.send(forward.to, Work::Hear(signal));
        }
        if more {
            self.send(id, Work::SendOn(id, matter));
            return Outcome::Applied;
        }
        if self.case(id).is_none_or(|case| case.awaited.is_empty()) {
            self.forget_strangers(id);
        }
        Outcome::Applied
    }

    /// The case hands over what it knows and answers from now on for the other one.
    fn leave(&mut self, mut change: Change, matter: MatterId, forward: Forward) {
        let id = change.case.state.case;
        assert!(
            change.case.goes_along(),
            "A-4: case {id} is absorbed while it has something to handle"
        );
        let mut state = change.case.state.clone();
        state.matters = vec![matter];
        self.hand_over(&change.case, &state, forward);
        let case = &mut change.case;
        case.state.phase = Phase::Closed;
        case.state.absorbed_by = Some(forward.to);
        case.state.offered_to = None;
        case.stop_waiting(&self.calendars, self.now);
        case.state.proposed = None;
        case.absorbed = Some((matter, forward.version));
        case.told.clear();
        let step = change.step(StepKind::Absorbed, self.now);
        step.matter = Some(matter);
        step.reason = Some(format!("handled as {}", forward.to));
        change.case.state.dormant = false;
        self.save(change);
    }

    /// In pieces that each fit a record; the other case unites them.
    fn hand_over(&mut self, case: &Case, state: &State, forward: Forward) {
        let id = state.case;
        // Whose signals stay here is not the other case's customer, unless one of them comes along.
        let staying: BTreeSet<Token> = self.signals(id).map(|signal| signal.route).collect();
        let mut anchors = self.anchors(id);
        anchors.retain(|anchor| !staying.contains(&anchor.route));
        let commands = self.command_results(id);
        let longest = anchors.len().max(commands.len()).max(case.contacts.len());
        for piece in 0..longest.div_ceil(FACTS_MAX).max(1) {
            self.send(
                forward.to,
                Work::Absorb(Absorb {
                    from: id,
                    to: forward.to,
                    version: forward.version,
                    state: state.clone(),
                    anchors: chunk(&anchors, piece),
                    commands: chunk(&commands, piece),
                    contacts: chunk(&case.contacts, piece),
                    acted: state.acted,
                    acknowledge_due: case.acknowledge_due,
                    contact_due: case.contact_due,
                    final_missed: case.final_missed,
                    by_system: case.by_system,
                    heeded_from: case.heeded_from,
                }),
            );
        }
    }

    fn command_results(&self, id: CaseId) -> Vec<CommandResult> {
        let all = Key::Command(id, CommandId::new(FIRST))..=Key::Command(id, CommandId::new(LAST));
        self.state
            .range(all)
            .map(|(_, row)| {
                let Row::Command(result) = row else {
                    unreachable!("the result of a command is {row:?}");
                };
                result.clone()
            })
            .collect()
    }

    /// Another case's last matter came here.
    pub(crate) fn absorb(&mut self, mut absorb: Absorb) -> Outcome {
        let id = absorb.to;
        let known = self.case(id);
        // A case that comes back may be absorbed again; the pieces of one time share its version.
        let joined = Key::Joined(id, absorb.from, absorb.state.version);
        let is_first = !self.state.contains(&joined);
        if let Some(case) = &known
            && let Some((matter, forward)) = self.onward(case, &absorb, is_first)
        {
            self.follow(case.clone(), matter, forward);
            absorb.to = forward.to;
            absorb.version = forward.version;
            absorb.state.matters = vec![matter];
            self.send(forward.to, Work::Absorb(absorb));
            return Outcome::Forwarded;
        }
        for anchor in &absorb.anchors {
            self.know(id, anchor);
        }
        for result in absorb.commands.drain(..) {
            let key = Key::Command(id, result.command);
            if !self.state.contains(&key) {
                self.state.put(key, Row::Command(result));
            }
        }
        self.state.put(joined, Row::Joined);
        let mut change = Change::of(match known {
            Some(case) => case,
            None => unopened(id, &absorb.state),
        });
        for fact in &absorb.contacts {
            if !change.case.contacts.contains(fact) {
                change.case.contacts.push(fact.clone());
            }
        }
        if is_first {
            change.case.figures = self.figures(id);
            let gone = self.join(&mut change, &absorb);
            if let Some(forward) = gone
                && change.case.goes_along()
            {
                let matter = absorbed_matter(&absorb);
                self.leave(change, matter, forward);
                return Outcome::Applied;
            }
            self.settle(&mut change);
        }
        self.save(change);
        Outcome::Applied
    }

    /// Where an absorbed case goes that comes to one which has left itself: after the one of the two matters that left last.
    /// While its own matter is still to come it stays, and the case is back.
    fn onward(&self, case: &Case, absorb: &Absorb, is_first: bool) -> Option<(MatterId, Forward)> {
        let (left_with, version) = case.absorbed?;
        let left = Forward {
            to: case.state.absorbed_by?,
            version,
        };
        match self.gone_on(absorb) {
            Some(forward) if forward.version >= version => Some((absorbed_matter(absorb), forward)),
            Some(_) => Some((left_with, left)),
            None => (!is_first && version > absorb.version).then_some((left_with, left)),
        }
    }

    /// A case that had left came back and left again before that was heard of here: who asks for it is led to where it went last. Were they
    /// led to where it went first, two cases that each went to the other would lead them in a circle.
    fn follow(&mut self, mut case: Case, matter: MatterId, forward: Forward) {
        if case
            .absorbed
            .is_none_or(|(_, version)| version >= forward.version)
        {
            return;
        }
        case.state.absorbed_by = Some(forward.to);
        case.absorbed = Some((matter, forward.version));
        let mut change = Change::of(case);
        let step = change.step(StepKind::Absorbed, self.now);
        step.matter = Some(matter);
        step.reason = Some(format!("handled as {}", forward.to));
        self.save(change);
    }

    /// Where the matter that an absorbed case announces has gone on to already.
    fn gone_on(&self, absorb: &Absorb) -> Option<Forward> {
        self.forward(absorb.to, absorbed_matter(absorb))
            .filter(|forward| forward.to != absorb.to && forward.version > absorb.version)
    }

    /// Unites the two. Says where the absorbed matter has gone on to, if a newer decision moved it already.
    fn join(&mut self, change: &mut Change, absorb: &Absorb) -> Option<Forward> {
        let case = &mut change.case;
        if case.state.absorbed_by.is_some() {
            // It had gone, and comes back with the matter: what it was before stays where it went.
            *case = revived(case, &absorb.state);
        }
        let their_owner = absorb.state.owner.clone();
        let waited_on = case.state.waiting_on.clone();
        let waited_since = case.state.waiting_since;
        unite(case, absorb);
        let calendar = self.calendar(&case.state.owner);
        unite_dues(case, absorb, waited_since, calendar, self.now);
        let matter = absorbed_matter(absorb);
        let forward = self.gone_on(absorb);
        if forward.is_none() && !case.figures.matters.contains(&matter) {
            case.awaited.insert(matter);
        }
        let step = change.step(StepKind::Joined, self.now);
        step.other = Some(their_owner.clone());
        step.matter = Some(matter);
        step.reason = Some(format!("with {}", absorb.from));
        let waits_on = change.case.state.waiting_on.clone();
        if waits_on != waited_on {
            let what = match waits_on {
                Some(_) => StepKind::Waiting,
                None => StepKind::Resumed,
            };
            change.step(what, self.now).whom = waits_on.or(waited_on);
        }
        if change.case.is_open() {
            change.tell_owner(Why::Joined, None);
        }
        if their_owner != change.case.state.owner && absorb.state.phase.is_open() {
            let owner = change.case.state.owner.clone();
            change.tell(&their_owner, Why::Gone, Some(&owner));
        }
        forward
    }
}

/// The matter whose leaving ended the case.
fn absorbed_matter(absorb: &Absorb) -> MatterId {
    let matter = absorb.state.matters.first().copied();
    matter.unwrap_or_else(|| absorb.from.matter())
}

fn chunk<T: Clone>(all: &[T], piece: usize) -> Vec<T> {
    all.iter()
        .skip(piece * FACTS_MAX)
        .take(FACTS_MAX)
        .cloned()
        .collect()
}

/// A case that exists because another one was absorbed into it.
fn unopened(id: CaseId, theirs: &State) -> Case {
    let mut case = Case::from_state(theirs.clone());
    case.state.case = id;
    case.state.version = 0;
    blank(&mut case);
    case
}

/// The same case, counting its steps on, as if nothing else had happened to it.
fn revived(before: &Case, theirs: &State) -> Case {
    let mut case = unopened(before.state.case, theirs);
    case.state.version = before.state.version;
    case.figures = before.figures.clone();
    case.contacts = before.contacts.clone();
    case
}

/// Closed, and acted on by nobody: what it is united with decides everything.
fn blank(case: &mut Case) {
    let state = &mut case.state;
    state.phase = Phase::Closed;
    state.offered_to = None;
    state.matters = Vec::new();
    state.trail = Vec::new();
    state.acted = None;
    state.contacted = None;
    state.final_deadline = None;
    state.waiting_on = None;
    state.waiting_since = None;
    state.absorbed_by = None;
}

/// Sets are united; owner and phase are of the case a person acted on last, else of this one, whose signals decide.
fn unite(case: &mut Case, absorb: &Absorb) {
    let (theirs, from) = (&absorb.state, absorb.from);
    let id = case.state.case;
    let is_blank = case.state.trail.is_empty();
    let acted =
        theirs.acted.is_some() && (theirs.acted, Reverse(from)) > (case.state.acted, Reverse(id));
    let (mut first, mut second) = (theirs.trail.clone(), case.state.trail.clone());
    if acted || is_blank {
        let state = &mut case.state;
        state.owner = theirs.owner.clone();
        state.phase = theirs.phase;
        state.offered_to = theirs.offered_to.clone();
        state.offer_due = theirs.offer_due;
        state.acknowledged = theirs.acknowledged;
        state.resolved = theirs.resolved;
        state.route = theirs.route.clone();
        state.dormant = theirs.dormant;
        state.claimed_by = theirs.claimed_by.clone();
        state.waiting_on = theirs.waiting_on.clone();
        state.waiting_since = theirs.waiting_since;
        state.waiting_until = theirs.waiting_until;
        state.proposed = theirs.proposed;
        case.by_system = absorb.by_system;
        case.heeded_from = absorb.heeded_from;
        std::mem::swap(&mut first, &mut second);
    } else {
        case.state.dormant &= theirs.dormant || !theirs.phase.is_open();
    }
    first.append(&mut second);
    first.dedup();
    case.told.insert(theirs.owner.clone());
    let state = &mut case.state;
    state.trail = first;
    state.acted = state.acted.max(theirs.acted);
    state.contacted = state.contacted.max(theirs.contacted);
    state.opened = state.opened.min(theirs.opened);
    state.hand_offs = state.hand_offs.max(theirs.hand_offs);
    state.escalations = state.escalations.max(theirs.escalations);
    if let Some(due) = theirs.final_deadline
        && state.final_deadline.is_none_or(|own| due < own)
    {
        state.final_deadline = Some(due);
        case.final_missed = absorb.final_missed;
    }
}

/// Of each kind of deadline the earlier one holds. Where one of the two cases waits, that is the one with less business time
/// left.
fn unite_dues(
    case: &mut Case,
    absorb: &Absorb,
    waited_since: Option<Time>,
    calendar: &Calendar,
    now: Time,
) {
    let to = case.state.waiting_since;
    let counted = |due: Option<Time>, from: Option<Time>| {
        due.map(|due| {
            if from == to {
                due
            } else {
                wait::shift(calendar, due, from.unwrap_or(now), to.unwrap_or(now))
            }
        })
    };
    let earlier = |own: Option<Time>, theirs: Option<Time>| {
        let own = counted(own, waited_since);
        let theirs = counted(theirs, absorb.state.waiting_since);
        own.into_iter().chain(theirs).min()
    };
    case.contact_due = earlier(case.contact_due, absorb.contact_due);
    case.acknowledge_due = earlier(case.acknowledge_due, absorb.acknowledge_due);
}
