//! Tells what changed, each decision with a greater version than all before.

use std::collections::BTreeMap;

use event::{
    CaseId, MatterId, Partition, ProfileId, Record, Token, Value,
    assignment::Assignment,
    case_input::{CaseInput, Regroup},
    timeline_input::{Move, Out, TimelineInput},
};
use machine::{Effects, Overlay};

use super::{
    graph::{Before, Graph, Told},
    matter::case_of,
    out,
    row::{Counters, Key, Row, Untold, counters},
};

/// The most values that one record names, so that none grows beyond 64 KiB.
const VALUES_MAX: usize = 2_000;

/// What a step changed, in what the rest of Polku knows.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) changes: Vec<Changed>,
    /// The list of values that are out changes by these.
    pub(super) out: Vec<Token>,
    pub(super) back: Vec<Token>,
    /// A matter, the case it was in, and the one it is in.
    pub(super) regroups: Vec<(MatterId, CaseId, CaseId)>,
}

/// A value that was not known, or belongs to somebody else, or went out or came back.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) value: Value,
    pub(super) from: ProfileId,
    pub(super) to: ProfileId,
    pub(super) out: bool,
}

impl News {
    /// The differences between what was told before and what is true now. A new value is told once even if it belongs to itself:
    /// `identity.assignment` is the table of all who are known.
    pub(super) fn since(before: &Before, graph: &Graph<'_, '_>) -> News {
        let mut news = News::default();
        for (token, told) in &before.values {
            let node = graph.find(*token);
            let is_out = node.map_or_else(|| out::is_blocked(graph, *token), |node| node.out);
            let (from, was_out) = match told {
                Told::Nothing { out } => (None, *out),
                Told::Belongs { to, out } => (Some(*to), *out),
            };
            match (was_out, is_out) {
                (false, true) => news.out.push(*token),
                (true, false) => news.back.push(*token),
                (true, true) | (false, false) => {}
            }
            let Some(node) = node else {
                continue;
            };
            if from != Some(node.profile) || was_out != is_out {
                let kind = graph.rules.kind(node.kind);
                news.changes.push(Changed {
                    value: Value {
                        token: *token,
                        class: kind.class,
                        kind: kind.name.clone(),
                    },
                    from: from.unwrap_or_else(|| ProfileId::new(*token)),
                    to: node.profile,
                    out: is_out,
                });
            }
        }
        for (reference, from) in &before.cases {
            let to = case_of(graph, *reference).id;
            if *from != to {
                let matter = MatterId::of_reference(*reference);
                news.regroups.push((matter, *from, to));
            }
        }
        news
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.out.is_empty()
            && self.back.is_empty()
            && self.regroups.is_empty()
    }
}

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

    pub(super) fn tell(mut self, news: News, partitions: u32) {
        if news.is_empty() {
            return;
        }
        let version = self.counters.version.next();
        self.counters.version = version;
        let mut moves: BTreeMap<(ProfileId, ProfileId), Vec<Token>> = BTreeMap::new();
        for change in news.changes {
            if change.from != change.to {
                let moved = moves.entry((change.from, change.to)).or_default();
                moved.push(change.value.token);
            }
            self.put(Untold::Assignment(Assignment {
                value: change.value,
                profile: change.to,
                version,
                out: change.out,
            }));
        }
        for ((from, to), values) in moves {
            for values in values.chunks(VALUES_MAX) {
                self.put(Untold::Move(Move {
                    from,
                    to,
                    values: values.to_vec(),
                    version,
                }));
            }
        }
        self.list(&news.out, &news.back, partitions);
        for (matter, from, to) in news.regroups {
            self.put(Untold::Regroup(Regroup {
                from,
                matter,
                to,
                version,
            }));
        }
        self.finish();
    }

    /// Tells every partition how the list of values that are out changes.
    fn list(&mut self, out: &[Token], back: &[Token], partitions: u32) {
        let out = out.chunks(VALUES_MAX).map(|out| (out, &[][..]));
        let back = back.chunks(VALUES_MAX).map(|back| (&[][..], back));
        for (out, back) in out.chain(back) {
            self.counters.out_number += 1;
            for partition in Partition::all(partitions) {
                self.put(Untold::Out(Out {
                    partition,
                    number: self.counters.out_number,
                    out: out.to_vec(),
                    back: back.to_vec(),
                }));
            }
        }
    }

    /// Puts out what waits, as far as there is room.
    pub(super) fn catch_up(mut self) {
        while self.counters.told < self.counters.decided && self.effects.room() > 0 {
            let key = Key::Untold(self.counters.told);
            let Some(Row::Untold(untold)) = self.state.get(&key) else {
                unreachable!("every record between told and decided has its row");
            };
            self.effects.emit(Untold::clone(untold).into());
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
            let key = Key::Untold(self.counters.decided);
            self.state.put(key, Row::Untold(Box::new(untold)));
            self.counters.decided += 1;
        }
    }

    fn finish(self) {
        let counters = Row::Counters(Box::new(self.counters));
        self.state.put(Key::Counters, counters);
    }
}

impl From<Untold> for Record {
    fn from(untold: Untold) -> Record {
        match untold {
            Untold::Assignment(assignment) => Record::Assignment(assignment),
            Untold::Move(moved) => Record::TimelineInput(TimelineInput::Move(moved)),
            Untold::Out(out) => Record::TimelineInput(TimelineInput::Out(out)),
            Untold::Regroup(regroup) => Record::CaseInput(CaseInput::Regroup(regroup)),
        }
    }
}
