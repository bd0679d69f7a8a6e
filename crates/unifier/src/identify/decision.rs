//! Tells what changed, each decision with a greater version than all before.

use std::collections::BTreeMap;

use event::{
    CaseId, MatterId, ProfileId, Record, Token, Value, Version, assignment::Assignment,
    case_input::CaseInput, case_input::Regroup, timeline_input::Move,
    timeline_input::TimelineInput,
};
use machine::{Effects, Overlay};

use super::{
    graph::{Before, Told},
    matter::case_of,
    row::{Counters, Key, Row, Untold, counters},
};

/// The most values that one move names, so that no record grows beyond 64 KiB.
const MOVE_VALUES_MAX: usize = 2_000;

/// Puts out what was decided, in order. What finds no room in the step waits as rows.
pub(super) struct Teller<'t, 's> {
    state: &'t mut Overlay<'s, Key, Row>,
    effects: &'t mut Effects,
    counters: Counters,
}

impl<'t, 's> Teller<'t, 's> {
    pub(super) fn new(state: &'t mut Overlay<'s, Key, Row>, effects: &'t mut Effects) -> Self {
        let counters = counters(state);
        Self {
            state,
            effects,
            counters,
        }
    }

    /// Tells the differences between what was told before and what is true now. A new value is told once even if it belongs to
    /// itself: `identity.assignment` is the table of all who are known.
    pub(super) fn tell(mut self, before: Before) {
        let version = self.counters.version.next();
        let mut told_any = false;
        let mut moves: BTreeMap<(ProfileId, ProfileId), Vec<Token>> = BTreeMap::new();
        for (token, told) in before.values {
            let Some(Row::Value(node)) = self.state.get(&Key::Value(token)) else {
                unreachable!("a value never leaves the graph");
            };
            let now = Told::Belongs {
                to: node.profile,
                out: node.out,
            };
            if now == told {
                continue;
            }
            let (from, to) = match told {
                Told::Nothing => (ProfileId::new(token), node.profile),
                Told::Belongs { to, .. } => (to, node.profile),
            };
            if from != to {
                moves.entry((from, to)).or_default().push(token);
            }
            let assignment = Assignment {
                value: Value {
                    token,
                    class: node.class,
                    kind: node.kind.clone(),
                },
                profile: to,
                version,
                out: node.out,
            };
            self.put(Untold::Assignment(assignment));
            told_any = true;
        }
        for ((from, to), values) in moves {
            for values in values.chunks(MOVE_VALUES_MAX) {
                self.put(Untold::Move(Move {
                    from,
                    to,
                    values: values.to_vec(),
                    version,
                }));
            }
        }
        told_any |= self.regroup(before.matters, version);
        if told_any {
            self.counters.version = version;
        }
        self.finish();
    }

    fn regroup(&mut self, before: BTreeMap<MatterId, CaseId>, version: Version) -> bool {
        let mut told_any = false;
        for (matter, from) in before {
            let to = case_of(self.state, matter);
            if from != to {
                self.put(Untold::Regroup(Regroup {
                    from,
                    matter,
                    to,
                    version,
                }));
                told_any = true;
            }
        }
        told_any
    }

    /// Puts out what waits, as far as there is room.
    pub(super) fn catch_up(mut self) {
        while self.counters.told < self.counters.decided && self.effects.room() > 0 {
            let key = Key::Untold(self.counters.told);
            let Some(Row::Untold(untold)) = self.state.get(&key) else {
                unreachable!("every record between told and decided has its row");
            };
            self.effects.emit(untold.clone().into());
            self.state.remove(key);
            self.counters.told += 1;
        }
        self.finish();
    }

    /// Nothing overtakes what waits: the last assignment of a value must be the newest.
    fn put(&mut self, untold: Untold) {
        if self.counters.told == self.counters.decided && self.effects.room() > 0 {
            self.effects.emit(untold.into());
        } else {
            self.state
                .put(Key::Untold(self.counters.decided), Row::Untold(untold));
            self.counters.decided += 1;
        }
    }

    fn finish(self) {
        self.state.put(Key::Counters, Row::Counters(self.counters));
    }
}

impl From<Untold> for Record {
    fn from(untold: Untold) -> Record {
        match untold {
            Untold::Assignment(assignment) => Record::Assignment(assignment),
            Untold::Move(moved) => Record::TimelineInput(TimelineInput::Move(moved)),
            Untold::Regroup(regroup) => Record::CaseInput(CaseInput::Regroup(regroup)),
        }
    }
}
