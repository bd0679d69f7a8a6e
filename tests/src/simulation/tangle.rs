//! Stories about who is who: everything that joins and parts customers, all at once.

use event::{
    DecisionId, Event, Millis, Record, Standing, Time, Token, Value,
    link::{Decision, DecisionKind, Link, Tick},
};
use rand::Rng as _;

use super::{
    company::{Strictness, name},
    draft::{ARCHIVE, SURVEYS, Source},
    story::{Mark, PHASE, START, Send, Story, Writer},
};

/// How often somebody who may correct is the one who says it.
const CLAIMED: f64 = 0.25;
/// How often what is claimed is a correction.
const CORRECTED: f64 = 0.45;

impl Writer {
    pub(super) fn tangle(mut self) -> Story {
        self.strictness();
        let rules = self.rules(1);
        self.phase(START, rules);
        let mut version = 1;
        let phases = self.rng.random_range(5..8);
        let mut number = 1;
        while number <= phases {
            let at = START + Millis::new(PHASE.as_millis() * i64::from(number));
            number += 1;
            let what = self.rng.random_range(0..10);
            if what == 0 && number > 2 {
                self.there_and_back(at);
                number += 1;
                continue;
            }
            let mut sends = vec![tick(at)];
            let mut decisions = Vec::new();
            match what {
                1..=2 => {
                    version += 1;
                    self.strictness();
                    sends.extend(self.rules(version));
                }
                3..=6 => self.decide(at, &mut decisions),
                _ => {}
            }
            // Whoever decides does so while things happen.
            let mut events = Vec::new();
            self.events(at, &mut events);
            for decision in decisions {
                let place = self.rng.random_range(0..=events.len());
                events.insert(place, decision);
            }
            sends.extend(events);
            self.phase(at, sends);
        }
        // What nobody names any more expires.
        for number in [phases + 3, phases + 9] {
            let at = START + Millis::new(PHASE.as_millis() * i64::from(number));
            self.phase(at, vec![tick(at)]);
        }
        self.story
    }

    /// What the rules say from now on.
    fn strictness(&mut self) {
        let rng = &mut self.rng;
        let hours = |hours| Some(Millis::from_hours(hours));
        let types = ["email", "phone", "device", "order", "shipment", "ticket"];
        let types = types.map(|kind| {
            let window = match kind {
                "device" | "ticket" if rng.random_bool(0.5) => hours(rng.random_range(2..6)),
                "phone" if rng.random_bool(0.2) => hours(4),
                _ => None,
            };
            (kind, rng.random_range(1..5), window)
        });
        self.strict = Strictness {
            blocked: if rng.random_bool(0.3) {
                vec![self.cast.kiosk.token]
            } else {
                Vec::new()
            },
            types: types.into(),
            identifiers_max: rng.random_bool(0.4).then(|| rng.random_range(3..7)),
            merges_max: rng.random_bool(0.3).then(|| rng.random_range(1..4)),
        };
    }

    /// Two who may have nothing to do with each other are joined by a person, and that is undone. Nothing else happens, no time
    /// passes for the decider.
    fn there_and_back(&mut self, at: Time) {
        let Some((one, other)) = self.two_values() else {
            return self.phase(at, vec![tick(at)]);
        };
        if let Some(before) = self.story.phases.last_mut() {
            before.mark = Mark::Remember;
        }
        let together = self.decision(DecisionKind::Together, START);
        let together = Decision {
            one: vec![one],
            other: vec![other],
            ..together
        };
        self.phase(at, vec![send(&together)]);
        let undo = self.decision(DecisionKind::Undo, START);
        let undo = Decision {
            undoes: Some(together.id),
            ..undo
        };
        let sends = vec![send(&undo)];
        self.phase(at + PHASE, sends);
        if let Some(after) = self.story.phases.last_mut() {
            after.mark = Mark::AsBefore;
        }
    }

    /// One decision or two, of what was named in earlier phases.
    fn decide(&mut self, at: Time, sends: &mut Vec<Send>) {
        for _ in 0..self.rng.random_range(1..3) {
            let Some((one, other)) = self.two_values() else {
                return;
            };
            let earlier: Vec<DecisionId> =
                self.decisions.iter().map(|decision| decision.id).collect();
            let what = match self.rng.random_range(0..10) {
                0..=3 => DecisionKind::Apart,
                4..=5 => DecisionKind::Together,
                6 => DecisionKind::Block,
                7 => DecisionKind::Allow,
                _ if earlier.is_empty() => DecisionKind::Apart,
                _ => DecisionKind::Undo,
            };
            let decision = self.decision(what, at);
            let more: Vec<Token> = self.two_values().map(|(one, _)| one).into_iter().collect();
            let wide = self.rng.random_bool(0.3);
            let others = match what {
                DecisionKind::Apart | DecisionKind::Together => vec![other],
                DecisionKind::Block
                | DecisionKind::Allow
                | DecisionKind::Undo
                | DecisionKind::Unknown => Vec::new(),
            };
            let mut ones = vec![one];
            if wide && !more.iter().any(|value| *value == one || *value == other) {
                ones.extend(more);
            }
            let decision = match what {
                DecisionKind::Undo => Decision {
                    undoes: Some(earlier[self.rng.random_range(0..earlier.len())]),
                    ..decision
                },
                DecisionKind::Apart
                | DecisionKind::Together
                | DecisionKind::Block
                | DecisionKind::Allow
                | DecisionKind::Unknown => Decision {
                    one: ones,
                    other: others,
                    ..decision
                },
            };
            sends.push(send(&decision));
            if what != DecisionKind::Undo {
                self.decisions.push(decision);
            }
        }
    }

    fn decision(&mut self, what: DecisionKind, time: Time) -> Decision {
        self.decided += 1;
        Decision {
            id: DecisionId::new(self.cast.token("decision", self.decided)),
            what,
            one: Vec::new(),
            other: Vec::new(),
            undoes: None,
            actor: name("auditor"),
            reason: "because".to_owned(),
            time,
        }
    }

    /// Two different values that were named in earlier phases.
    fn two_values(&mut self) -> Option<(Token, Token)> {
        let mut named: Vec<&Value> = self
            .story
            .events
            .values()
            .filter(|event| event.is_customers())
            .flat_map(|event| &event.values)
            .collect();
        named.sort();
        named.dedup();
        if named.len() < 2 {
            return None;
        }
        let one = self.rng.random_range(0..named.len());
        let other = (one + self.rng.random_range(1..named.len())) % named.len();
        Some((named[one].token, named[other].token))
    }

    /// Whether the event is said by somebody who may correct it; and then perhaps it is a correction of what was said before.
    pub(super) fn claim(&mut self, event: &Event, sends: &mut Vec<Send>) -> bool {
        if !event.is_customers() || event.history || !self.rng.random_bool(CLAIMED) {
            return false;
        }
        let mut claim = event.clone();
        let source = |of: &Source, claim: &mut Event| {
            claim.source = event::SourceId::new(of.id).expect("the sources' names are ids");
            claim.channel = of.channel;
            claim.trusted = of.trusted;
        };
        claim.standing = Standing::Correctable;
        let corrects = !self.claims.is_empty() && self.rng.random_bool(CORRECTED);
        if corrects {
            let id = self.claims[self.rng.random_range(0..self.claims.len())];
            let said = &self.story.events[&id];
            claim.id = id;
            (claim.source, claim.channel, claim.trusted) =
                (said.source.clone(), said.channel, said.trusted);
            // Somebody else, somebody more, nobody, or the same people and other words.
            match self.rng.random_range(0..6) {
                0 => claim.values = Vec::new(),
                1 | 2 => claim.values.clone_from(&said.values),
                _ => {}
            }
            claim.anchor = claim
                .values
                .first()
                .map_or_else(|| id.token(), |value| value.token);
            claim.content = Token::hash("content", &[said.content.as_bytes()]);
        } else {
            let of = if self.rng.random_bool(0.6) {
                &ARCHIVE
            } else {
                &SURVEYS
            };
            source(of, &mut claim);
            self.claims.push(claim.id);
        }
        self.story.events.insert(claim.id, claim.clone());
        sends.push(Send::of(claim));
        true
    }
}

fn tick(at: Time) -> Send {
    Send::Record(Box::new(Record::Link(Link::Tick(Tick {
        time: at.floor_to(PHASE),
    }))))
}

fn send(decision: &Decision) -> Send {
    Send::Record(Box::new(Record::Link(Link::Decision(decision.clone()))))
}
