//! A run as it is compared with another run of the same story.
//!
//! What a case noticed is left out: a sign is one of what was known when it was given, and is taken back when it turns out not to be
//! so; how often that happens is for the order of arrival to say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use event::{
    CaseId, CommandId, DepartmentId, EventId, MatterId, ProfileId, Token,
    case::{Phase, State, Step, StepKind},
    command_outcome::Verdict,
    notice::Why,
    timeline::Timeline,
};

use super::{seen::Seen, story::Mood};

#[derive(Debug, PartialEq)]
pub(super) struct Projection {
    /// In the order in which it happened.
    customers: BTreeMap<ProfileId, Vec<(EventId, Token, MatterId)>>,
    /// The steps of cases that each customer's timeline shows, and how often.
    shown: BTreeMap<ProfileId, BTreeMap<String, u32>>,
    cases: BTreeMap<CaseId, Line>,
    verdicts: BTreeMap<(CaseId, CommandId), (Verdict, Option<Phase>)>,
    departments: BTreeMap<DepartmentId, BTreeSet<(CaseId, Why)>>,
}

#[derive(Debug, PartialEq)]
struct Line {
    phase: Phase,
    owner: DepartmentId,
    offered_to: Option<DepartmentId>,
    /// In the order in which they were carried out.
    commands: Vec<CommandId>,
    heard: BTreeSet<EventId>,
    trail: Vec<DepartmentId>,
    steps: BTreeMap<String, u32>,
}

impl Projection {
    pub(super) fn of(seen: &Seen, mood: Mood) -> Self {
        let mut projection = Self {
            customers: BTreeMap::new(),
            shown: BTreeMap::new(),
            cases: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            departments: BTreeMap::new(),
        };
        for (key, outcome) in &seen.outcomes {
            let result = &outcome.result;
            projection
                .verdicts
                .insert(*key, (result.verdict, result.phase));
        }
        for state in seen.states.values() {
            if mood == Mood::Calm || state.absorbed_by.is_none() {
                projection
                    .cases
                    .insert(state.case, Line::of(state, seen, mood));
            }
        }
        // What is left is decided by the order of arrival in a wild story.
        if mood == Mood::Calm {
            projection.timelines(seen);
            for notice in seen
                .notices
                .values()
                .filter(|notice| notice.why != Why::Noticed)
            {
                let told = projection
                    .departments
                    .entry(notice.department.clone())
                    .or_default();
                told.insert((notice.case, notice.why));
            }
        }
        projection
    }

    fn timelines(&mut self, seen: &Seen) {
        let mut entries: BTreeMap<ProfileId, Vec<_>> = BTreeMap::new();
        for row in seen.timeline.values() {
            match row {
                Timeline::Entry(entry) => {
                    let all = entries.entry(entry.profile).or_default();
                    all.push((entry.time, entry.event, entry.content, entry.matter));
                }
                Timeline::Step(step) if step.what == StepKind::Noticed => {}
                Timeline::Step(step) => {
                    let steps = self.shown.entry(step.profile).or_default();
                    let text = format!("{} {:?} {:?}", step.case, step.what, step.department);
                    *steps.entry(text).or_default() += 1;
                }
                Timeline::Moved(_) => {}
            }
        }
        for (profile, mut all) in entries {
            all.sort_unstable();
            let all = all
                .into_iter()
                .map(|(_, event, content, matter)| (event, content, matter));
            self.customers.insert(profile, all.collect());
        }
    }

    /// The first difference.
    pub(super) fn compare(&self, other: &Self) -> Result<(), String> {
        differ("customer", &self.customers, &other.customers)?;
        differ("the steps shown to", &self.shown, &other.shown)?;
        differ("command", &self.verdicts, &other.verdicts)?;
        differ("case", &self.cases, &other.cases)?;
        differ("department", &self.departments, &other.departments)
    }
}

impl Line {
    fn of(state: &State, seen: &Seen, mood: Mood) -> Self {
        let steps = seen
            .steps
            .range((state.case, 0)..=(state.case, u32::MAX))
            .map(|(_, step)| step);
        let mut line = Self {
            phase: state.phase,
            owner: state.owner.clone(),
            offered_to: state.offered_to.clone(),
            commands: Vec::new(),
            heard: BTreeSet::new(),
            trail: Vec::new(),
            steps: BTreeMap::new(),
        };
        if mood == Mood::Calm {
            line.trail.clone_from(&state.trail);
            for step in steps.filter(|step| step.what != StepKind::Noticed) {
                line.commands.extend(step.command);
                line.heard.extend(step.event);
                *line.steps.entry(text(step)).or_default() += 1;
            }
        }
        line
    }
}

/// A step without its number, its time, and which of several alike events came first.
fn text(step: &Step) -> String {
    let Step {
        what,
        actor,
        owner,
        other,
        reason,
        how,
        reached,
        command,
        route,
        ..
    } = step;
    format!(
        "{what:?} {actor:?} {owner} {other:?} {reason:?} {how:?} {reached:?} {command:?} {route:?}"
    )
}

fn differ<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    calm: &BTreeMap<K, V>,
    stormy: &BTreeMap<K, V>,
) -> Result<(), String> {
    for key in calm.keys().chain(stormy.keys()) {
        let (one, two) = (calm.get(key), stormy.get(key));
        if one != two {
            return Err(format!(
                "{what} {key:?} is, without faults:\n  {one:?}\nand with them:\n  {two:?}"
            ));
        }
    }
    Ok(())
}
