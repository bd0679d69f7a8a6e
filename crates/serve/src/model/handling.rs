//! What departments did with the cases: counted once a step, from the histories. Cases of perspective `test` count nowhere.

use std::collections::BTreeMap;

use event::{
    CaseId, DepartmentId, Millis, Name, Time,
    case::{State, Step, StepKind},
};

#[derive(Debug, Default)]
pub(crate) struct Handling {
    departments: BTreeMap<DepartmentId, Handled>,
    hand_offs: BTreeMap<(DepartmentId, DepartmentId), Vec<HandOff>>,
    waits: Waits,
}

/// Since the beginning of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handled {
    pub missed: u64,
    /// Passed on to whoever sees to it when this department does not.
    pub escalated: u64,
    pub resolved: u64,
}

/// One thing that became of a case between two departments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandOff {
    pub time: Time,
    pub case: CaseId,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Offered,
    Accepted,
    Declined,
    /// Nobody answered.
    Returned,
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Outcome::Offered => "offered",
            Outcome::Accepted => "accepted",
            Outcome::Declined => "declined",
            Outcome::Returned => "returned",
        }
    }
}

/// How long customers had waited when their matters were resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// By `BOUNDS`, and one for what was longer than all.
    pub counts: [u64; BOUNDS.len() + 1],
    pub sum: Millis,
}

/// An hour, a working day's parts, days, weeks.
pub(crate) const BOUNDS: [Millis; 10] = [
    Millis::from_hours(1),
    Millis::from_hours(4),
    Millis::from_hours(8),
    Millis::from_days(1),
    Millis::from_days(2),
    Millis::from_days(3),
    Millis::from_days(5),
    Millis::from_days(7),
    Millis::from_days(14),
    Millis::from_days(30),
];

impl Handling {
    /// A step of a case, the first time it is read.
    pub(crate) fn count(&mut self, case: &State, step: &Step) {
        if case.test {
            return;
        }
        let handed = |from: &DepartmentId, to: &DepartmentId, outcome| {
            let hand_off = HandOff {
                time: step.time,
                case: step.case,
                outcome,
            };
            ((from.clone(), to.clone()), hand_off)
        };
        let owner = &step.owner;
        let hand_off = match (step.what, &step.other) {
            (StepKind::Offered, Some(to)) => Some(handed(owner, to, Outcome::Offered)),
            (StepKind::Accepted, Some(from)) => Some(handed(from, owner, Outcome::Accepted)),
            (StepKind::Declined, Some(to)) => Some(handed(owner, to, Outcome::Declined)),
            (StepKind::Returned, Some(to)) => Some(handed(owner, to, Outcome::Returned)),
            _ => None,
        };
        if let Some((pair, hand_off)) = hand_off {
            self.hand_offs.entry(pair).or_default().push(hand_off);
        }
        let handled = self.departments.entry(owner.clone()).or_default();
        handled.missed += u64::from(step.what == StepKind::Missed);
        handled.escalated += u64::from(step.what == StepKind::Escalated);
        if step.what == StepKind::Resolved {
            handled.resolved += 1;
            self.waits.count(step.time - case.happened);
        }
    }

    pub(crate) fn of(&self, department: &DepartmentId) -> Handled {
        self.departments
            .get(department)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn departments(&self) -> impl Iterator<Item = (&DepartmentId, &Handled)> {
        self.departments.iter()
    }

    /// From whom to whom, each in the order it was read.
    pub(crate) fn hand_offs(
        &self,
    ) -> impl Iterator<Item = (&(DepartmentId, DepartmentId), &[HandOff])> {
        self.hand_offs
            .iter()
            .map(|(pair, hand_offs)| (pair, hand_offs.as_slice()))
    }

    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }
}

impl Waits {
    fn count(&mut self, wait: Millis) {
        let wait = wait.max(Millis::default());
        let at = BOUNDS.partition_point(|bound| *bound < wait);
        self.counts[at] += 1;
        self.sum = self.sum + wait;
    }
}

/// The open cases of a department at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// By how long the customer has waited.
    pub ages: BTreeMap<Age, u64>,
    /// Something is due from the department within four hours.
    pub due_soon: u64,
    pub overdue: u64,
    /// Those that wait for somebody outside, by whom.
    pub waiting: BTreeMap<Name, u64>,
}

/// How long a customer has waited: less than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    Hours4,
    Day1,
    Days3,
    Days7,
    Days14,
    Older,
}

const DUE_SOON: Millis = Millis::from_hours(4);

impl Age {
    pub(crate) const ALL: [Age; 6] = [
        Age::Hours4,
        Age::Day1,
        Age::Days3,
        Age::Days7,
        Age::Days14,
        Age::Older,
    ];

    pub(crate) fn of(waited: Millis) -> Age {
        let below = |age: &Age| age.below().is_none_or(|bound| waited < bound);
        Age::ALL.into_iter().find(below).unwrap_or(Age::Older)
    }

    fn below(self) -> Option<Millis> {
        match self {
            Age::Hours4 => Some(Millis::from_hours(4)),
            Age::Day1 => Some(Millis::from_days(1)),
            Age::Days3 => Some(Millis::from_days(3)),
            Age::Days7 => Some(Millis::from_days(7)),
            Age::Days14 => Some(Millis::from_days(14)),
            Age::Older => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Age::Hours4 => "4h",
            Age::Day1 => "1d",
            Age::Days3 => "3d",
            Age::Days7 => "7d",
            Age::Days14 => "14d",
            Age::Older => "older",
        }
    }
}

impl Standing {
    pub(crate) fn open(&self) -> u64 {
        self.ages.values().sum()
    }
}

impl super::State {
    /// The open cases of a department, counted at one moment; dormant ones and tests are left out.
    pub(crate) fn standing(&self, department: &DepartmentId, now: Time) -> Standing {
        let mut standing = Standing::default();
        let cases = self.cases.open(department);
        for case in cases.filter(|case| !case.dormant && !case.test) {
            *standing
                .ages
                .entry(Age::of(now - case.happened))
                .or_default() += 1;
            let is_soon = |due: Time| due <= now + DUE_SOON;
            if self.overdue_since(case, now).is_some() {
                standing.overdue += 1;
            } else if case.deadline.is_some_and(is_soon) {
                standing.due_soon += 1;
            }
            if let Some(party) = &case.waiting_on {
                *standing.waiting.entry(party.clone()).or_default() += 1;
            }
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_in_the_bucket_of_its_length() {
        let mut waits = Waits::default();
        for wait in [
            Millis::new(-5),
            Millis::from_hours(1),
            Millis::from_hours(2),
            Millis::from_days(31),
        ] {
            waits.count(wait);
        }
        assert_eq!(waits.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(waits.sum, Millis::from_hours(3) + Millis::from_days(31));
    }

    #[test]
    fn an_age_is_what_it_is_less_than() {
        for (waited, age) in [
            (Millis::new(-1), "4h"),
            (Millis::from_hours(4), "1d"),
            (Millis::from_days(1), "3d"),
            (Millis::from_days(13), "14d"),
            (Millis::from_days(400), "older"),
        ] {
            assert_eq!(Age::of(waited).as_str(), age, "{waited}");
        }
    }
}
