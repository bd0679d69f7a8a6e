//! Sets come, are renewed, lose values by age, and are withdrawn.
//!
//! A set has the place of its first report; later ones only renew its life. A value whose type has a window leaves the set when it was
//! not reported for so long, and with its last link the set is over. A set that is reported after something left it is new.

use event::{Class, Time, Token, link};
use machine::Outcome;

use super::{
    graph::Graph,
    out,
    reference::claim_of,
    row::{Kept, Key, Report, Row, Set, Word, mismatch},
};

/// So many sets may lose values with one record; the others do with the next ones, the earliest first. So the work of a record is
/// bounded, and the same in a replay.
const LEAVING_MAX: usize = 1_000;

/// Hears a report.
pub(super) fn hear(graph: &mut Graph<'_, '_>, report: &link::Set) -> Outcome {
    let hash = hash(
        report.values.iter().map(|value| value.token),
        report.trusted,
    );
    let known = known(graph, hash);
    if report.withdrawn {
        let Some(place) = known else {
            return Outcome::Unasked;
        };
        withdraw(graph, hash, place);
        return Outcome::Applied;
    }
    if let Some(place) = known {
        if renew(graph, place, report.time) {
            return Outcome::Duplicate;
        }
        withdraw(graph, hash, place);
    }
    add(graph, hash, report)
}

/// The name of a set: its values in any order, and its trust.
fn hash(values: impl Iterator<Item = Token>, trusted: bool) -> Token {
    let mut values: Vec<Token> = values.collect();
    values.sort_unstable();
    let mut bytes = Vec::with_capacity(values.len() * Token::LEN);
    for value in values {
        bytes.extend_from_slice(value.as_bytes());
    }
    Token::hash("set", &[&bytes, &[u8::from(trusted)]])
}

fn known(graph: &Graph<'_, '_>, hash: Token) -> Option<u64> {
    let row = graph.state.get(&Key::Known(hash))?;
    let Row::Place(place) = row else {
        mismatch(row)
    };
    Some(*place)
}

/// Whether the set is still whole; then it lives on from this time.
fn renew(graph: &mut Graph<'_, '_>, place: u64, time: Time) -> bool {
    let mut set = graph.set(place).clone();
    if !set.gone.is_empty() {
        return false;
    }
    let report = set.report_mut();
    if report.renewed < time {
        report.renewed = time;
        graph.state.put(Key::Set(place), Row::Set(Box::new(set)));
    }
    true
}

fn add(graph: &mut Graph<'_, '_>, hash: Token, report: &link::Set) -> Outcome {
    let mut values: Vec<Token> = Vec::with_capacity(report.values.len());
    let before = graph.before.values.len();
    for value in &report.values {
        graph.enter(value);
        if !values.contains(&value.token) {
            values.push(value.token);
        }
    }
    if values.len() < 2 {
        let nobody_new = graph.before.values.len() == before;
        return if nobody_new {
            Outcome::Duplicate
        } else {
            Outcome::Applied
        };
    }
    let place = graph.next_place();
    graph.state.put(Key::Known(hash), Row::Place(place));
    for value in &values {
        graph.state.put(Key::Named(*value, place), Row::Present);
    }
    out::see(graph, &values);
    let mut set = Set {
        values,
        gone: Vec::new(),
        word: Word::Source(Report {
            trusted: report.trusted,
            source: report.source.clone(),
            event: report.event,
            time: report.time,
            renewed: report.time,
            due: None,
        }),
    };
    for reference in ties(graph, &set) {
        graph.state.put(Key::Tie(reference, place), Row::Present);
    }
    schedule(graph, place, &mut set);
    graph.state.put(Key::Set(place), Row::Set(Box::new(set)));
    graph.added = Some(place);
    Outcome::Applied
}

/// The references whose matters a set brings together.
fn ties(graph: &Graph<'_, '_>, set: &Set) -> Vec<Token> {
    if !set.is_trusted() {
        return Vec::new();
    }
    let mut references = set.values.clone();
    references.retain(|value| graph.kind(*value).class == Class::Reference);
    if references.len() < 2 {
        references.clear();
    }
    references
}

/// Puts the timer of what leaves first.
fn schedule(graph: &mut Graph<'_, '_>, place: u64, set: &mut Set) {
    let windows = set.present().filter_map(|value| graph.kind(value).window);
    let shortest = windows.min();
    let report = set.report_mut();
    let due = shortest.map(|window| report.renewed + window);
    if report.due != due {
        if let Some(due) = report.due {
            graph.state.remove(Key::Due(due, place));
        }
        if let Some(due) = due {
            graph.state.put(Key::Due(due, place), Row::Present);
        }
        report.due = due;
    }
}

/// Puts all timers anew, after windows changed.
pub(super) fn schedule_all(graph: &mut Graph<'_, '_>) {
    for place in 0..graph.counters.places {
        if let Some(Row::Set(set)) = graph.state.get(&Key::Set(place))
            && set.is_report()
        {
            let mut set = Set::clone(set);
            schedule(graph, place, &mut set);
            graph.state.put(Key::Set(place), Row::Set(Box::new(set)));
        }
    }
}

/// Lets the values leave whose windows are over.
pub(super) fn age(graph: &mut Graph<'_, '_>) {
    for _ in 0..LEAVING_MAX {
        let Some(place) = first_due(graph) else {
            break;
        };
        let mut set = graph.set(place).clone();
        let renewed = set.report_mut().renewed;
        let over = |value: &Token| {
            let window = graph.kind(*value).window;
            window.is_some_and(|window| renewed + window <= graph.counters.now)
        };
        let left: Vec<Token> = set.present().filter(over).collect();
        let before = set.clone();
        set.gone.extend(&left);
        schedule(graph, place, &mut set);
        graph.state.put(Key::Set(place), Row::Set(Box::new(set)));
        if !left.is_empty() {
            keep_owners(graph, place, &before, &left);
            leave(graph, place, &before, &left);
        }
        end(graph, place);
    }
}

/// Whether values wait to leave.
pub(super) fn first_due(graph: &Graph<'_, '_>) -> Option<u64> {
    let until = Key::Due(graph.counters.now, u64::MAX);
    let (key, row) = graph
        .state
        .range(Key::Due(Time::MIN, u64::MIN)..=until)
        .next()?;
    let Key::Due(_, place) = key else {
        mismatch(row)
    };
    Some(*place)
}

/// A reference whose best claim leaves by age stays with whom it is of, unless somebody else claims it.
fn keep_owners(graph: &mut Graph<'_, '_>, place: u64, set: &Set, left: &[Token]) {
    for reference in set.present() {
        let Some(claim) = claim_of(graph, reference) else {
            continue;
        };
        let ends = left.contains(&reference) || left.contains(&claim.by);
        if claim.set == place && ends {
            let kept = Kept {
                by: claim.by,
                word: set.word.clone(),
            };
            let key = Key::Kept(reference);
            graph.state.put(key, Row::Kept(Box::new(kept)));
        }
    }
}

/// Takes values out of a set, here as it was before, and notes what may be otherwise without them.
fn leave(graph: &mut Graph<'_, '_>, place: u64, set: &Set, left: &[Token]) {
    let values: Vec<Token> = set.present().collect();
    for value in left {
        graph.state.remove(Key::Named(*value, place));
    }
    out::forget(graph, left, &values);
    let (identifiers, references): (Vec<Token>, Vec<Token>) = values
        .iter()
        .partition(|value| graph.kind(**value).class == Class::Identifier);
    if identifiers.len() > 1 && left.iter().any(|value| identifiers.contains(value)) {
        graph.state.remove(Key::Refused(place));
        graph.loose.extend(identifiers);
    }
    for reference in references {
        let claim = claim_of(graph, reference);
        if claim.is_some_and(|claim| claim.set == place) {
            graph.claimed.insert(reference);
        } else {
            graph.undecided.insert(reference);
        }
    }
}

/// Removes what is left of a set that links nothing any more.
fn end(graph: &mut Graph<'_, '_>, place: u64) {
    let set = graph.set(place).clone();
    if set.present().count() < 2 && ties(graph, &set).is_empty() {
        remove(graph, place, set);
    }
}

/// Takes a whole set back.
fn withdraw(graph: &mut Graph<'_, '_>, hash: Token, place: u64) {
    let set = graph.set(place).clone();
    let values: Vec<Token> = set.present().collect();
    leave(graph, place, &set, &values);
    let ties = ties(graph, &set);
    graph.untied.extend(&ties);
    for reference in ties {
        graph.state.remove(Key::Tie(reference, place));
    }
    assert_eq!(known(graph, hash), Some(place));
    remove(graph, place, set);
}

fn remove(graph: &mut Graph<'_, '_>, place: u64, set: Set) {
    let Word::Source(report) = &set.word else {
        unreachable!("what a person decided neither ages nor is withdrawn")
    };
    if let Some(due) = report.due {
        graph.state.remove(Key::Due(due, place));
    }
    let hash = hash(set.values.iter().copied(), report.trusted);
    graph.state.remove(Key::Known(hash));
    for value in &set.values {
        graph.state.remove(Key::Named(*value, place));
    }
    graph.state.remove(Key::Set(place));
}

impl Set {
    /// A person's word neither counts as having seen values together nor ages.
    pub(super) fn is_report(&self) -> bool {
        match self.word {
            Word::Source(_) => true,
            Word::Person(_) => false,
        }
    }

    fn report_mut(&mut self) -> &mut Report {
        match &mut self.word {
            Word::Source(report) => report,
            Word::Person(_) => unreachable!("only reports are known by their hash and have timers"),
        }
    }
}
