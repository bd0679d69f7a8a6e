//! What one step works with.

use std::{collections::BTreeSet, sync::Arc};

use event::{ProfileId, Record, Time, Token, case_input::CaseInput, timeline::Timeline};
use machine::{Effects, Overlay, Shard};

use super::{
    profile::Doubt,
    row::{Forward, Key, Row, mismatch},
    rules::Rules,
};

/// The room that one piece of work may need: no digest or step puts out more when it moves.
const ROOM_MIN: usize = 8;

pub(super) struct Turn<'t, 's> {
    pub(super) now: Time,
    pub(super) shard: Shard,
    pub(super) rules: Arc<Rules>,
    /// The number of the list of values that are out, as this partition has it; 0 before any came.
    pub(super) out_number: u64,
    pub(super) state: &'t mut Overlay<'s, Key, Row>,
    pub(super) effects: &'t mut Effects,
    /// What this step made doubtful of what cases were told.
    pub(super) doubts: BTreeSet<Doubt>,
}

impl<'t, 's> Turn<'t, 's> {
    /// What every step needs is looked up once.
    pub(super) fn new(
        now: Time,
        shard: Shard,
        defaults: &Arc<Rules>,
        state: &'t mut Overlay<'s, Key, Row>,
        effects: &'t mut Effects,
    ) -> Self {
        let rules = match state.get(&Key::Rules) {
            None => defaults,
            Some(Row::Rules(rules)) => rules,
            Some(row) => mismatch(row),
        };
        let rules = Arc::clone(rules);
        let out_number = match state.get(&Key::OutNumber) {
            None => 0,
            Some(Row::OutNumber(number)) => *number,
            Some(row) => mismatch(row),
        };
        Self {
            now,
            shard,
            rules,
            out_number,
            state,
            effects,
            doubts: BTreeSet::new(),
        }
    }
}

impl Turn<'_, '_> {
    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn is_out(&self, value: Token) -> bool {
        // Before the first change of the list nothing is.
        self.out_number > 0 && self.state.contains(&Key::Out(value))
    }

    /// Where the profile sends what follows the value, if it does not belong there any more.
    pub(super) fn forward(&self, profile: ProfileId, value: Token) -> Option<Forward> {
        match self.state.get(&Key::Forward(profile, value)) {
            None => None,
            Some(Row::Forward(forward)) => Some(*forward),
            Some(row) => mismatch(row),
        }
    }

    pub(super) fn holds(&self, profile: ProfileId) -> bool {
        self.shard.holds(profile.as_bytes())
    }

    pub(super) fn has_room(&self) -> bool {
        self.effects.room() >= ROOM_MIN
    }

    pub(super) fn show(&mut self, row: Timeline) {
        self.effects.emit(Record::Timeline(row));
    }

    pub(super) fn tell_case(&mut self, input: CaseInput) {
        self.effects.emit(Record::CaseInput(input));
    }
}
