//! What is true at every moment, and what is true in the end.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Event, EventId, MatterId, ProfileId, Record, Standing, Token,
    case_input::Signal,
    timeline_input::{Digest, TimelineInput},
};
use unifier::unify::{Key, Row, Spot};

use super::Pipes;
use crate::{
    sample::Unifier,
    story::{Story, has_page, last_words, matters, speaks, window_cases},
};

impl Pipes {
    fn digests(&self) -> impl Iterator<Item = Digest> {
        let rest = self.unify.iter().flat_map(digests);
        let move_on = self
            .channels
            .values()
            .flatten()
            .filter_map(|record| match record {
                Record::TimelineInput(TimelineInput::Digest(digest)) => Some(digest.clone()),
                _ => None,
            });
        rest.chain(move_on)
    }

    /// At every moment each revision of an event is in one place at most, the newest in one, and on no two pages.
    pub(super) fn check_places(&self) {
        let mut places: BTreeMap<(EventId, u32), usize> = BTreeMap::new();
        for digest in self.digests() {
            *places.entry((digest.event, digest.revision)).or_default() += 1;
        }
        for (which, count) in &places {
            assert_eq!(*count, 1, "{which:?}");
        }
        for newest in &self.taken {
            assert!(places.contains_key(&(*newest.0, *newest.1)), "{newest:?}");
        }
        let mut shown = BTreeSet::new();
        for entry in self.entries.values() {
            let which = (entry.event, entry.revision);
            assert!(shown.insert(which), "{which:?} is on two pages");
        }
    }

    fn owner(&self, value: Token) -> ProfileId {
        self.owners
            .get(&value)
            .map_or(ProfileId::new(value), |(_, profile, _)| *profile)
    }

    fn route(&self, event: &Event) -> Token {
        let is_out = |value: &Token| self.owners.get(value).is_some_and(|(.., out)| *out);
        let mut values = event.values.iter().map(|value| value.token);
        values.find(|value| !is_out(value)).unwrap_or(event.anchor)
    }

    /// Every page against a plain map: what was said last, and what was decided last of its values.
    pub(super) fn check(&self, story: &Story) {
        for (value, (.., is_out)) in &self.owners {
            let listed = self.out.values().filter(|list| list.contains(value));
            let expected = if *is_out { self.partitions as usize } else { 0 };
            assert_eq!(
                listed.count(),
                expected,
                "every partition knows what is out"
            );
        }
        let words = last_words(story);
        let mut pages: BTreeMap<(ProfileId, EventId), Token> = BTreeMap::new();
        for event in words.values().filter(|event| has_page(event)) {
            pages.insert((self.owner(self.route(event)), event.id), event.content);
        }
        let shown = self.entries.iter().map(|(at, entry)| (*at, entry.content));
        assert_eq!(shown.collect::<BTreeMap<_, _>>(), pages);
        for entry in self.entries.values() {
            let matters = matters(&words[&entry.event]);
            let event = &words[&entry.event];
            let is_sure = event
                .values
                .iter()
                .all(|value| !self.ever_out.contains(&value.token));
            assert!(matters.contains(&entry.matter));
            assert!(!is_sure || matters[0] == entry.matter, "U-7");
        }
        self.check_signals(&words);
        self.check_steps();
        let windows: Vec<Event> = self
            .happened
            .iter()
            .filter(|event| event.standing != Standing::Withdrawn && matters(event).len() == 1)
            .cloned()
            .collect();
        if self.ever_out.is_empty() {
            for (matter, case) in window_cases(&windows) {
                assert_eq!(self.case_of(matter), case);
            }
        }
    }

    /// What a case knows of an event and a matter: what it was told last, by the highest revision, and where that is.
    fn check_signals(&self, words: &BTreeMap<EventId, Event>) {
        let mut known: BTreeMap<(EventId, MatterId), &Signal> = BTreeMap::new();
        for signal in &self.signals {
            let rank = |signal: &Signal| (signal.revision, signal.withdrawn);
            let known = known.entry((signal.event, signal.matter)).or_insert(signal);
            if rank(signal) > rank(known) {
                *known = signal;
            }
        }
        let live = known.values().filter(|signal| !signal.withdrawn);
        let live: BTreeMap<(EventId, MatterId), Token> = live
            .map(|signal| ((signal.event, signal.matter), signal.source_content(words)))
            .collect();
        let mut expected = BTreeMap::new();
        for entry in self.entries.values() {
            let event = &words[&entry.event];
            if speaks(event) {
                expected.insert((entry.event, entry.matter), event.content);
                let route = self.route(event);
                let last = self
                    .signals
                    .iter()
                    .filter(|signal| signal.event == entry.event && signal.route == route)
                    .max_by_key(|signal| (signal.revision, signal.route_version));
                assert_eq!(last.map(|signal| signal.profile), Some(entry.profile));
            }
        }
        assert_eq!(live, expected);
    }

    /// U-9, U-10.
    fn check_steps(&self) {
        let steps: BTreeSet<(ProfileId, Token)> = self
            .notes
            .iter()
            .map(|(id, route, _)| (self.owner(*route), *id))
            .collect();
        assert_eq!(self.steps.keys().copied().collect::<BTreeSet<_>>(), steps);
        let cases: BTreeSet<(ProfileId, MatterId)> = self
            .notes
            .iter()
            .map(|(_, route, matter)| (self.owner(*route), *matter))
            .collect();
        for entry in self.entries.values() {
            let known = cases.contains(&(entry.profile, entry.matter));
            assert_eq!(entry.case, known.then(|| entry.matter.own_case()));
        }
    }

    pub(super) fn case_of(&self, matter: MatterId) -> CaseId {
        self.regroups
            .iter()
            .filter(|regroup| regroup.matter == matter)
            .max_by_key(|regroup| regroup.version)
            .map_or(matter.own_case(), |regroup| regroup.to)
    }
}

trait Told {
    fn source_content(&self, words: &BTreeMap<EventId, Event>) -> Token;
}

impl Told for Signal {
    /// The content that a live signal speaks of: the last, or one that stands no more.
    fn source_content(&self, words: &BTreeMap<EventId, Event>) -> Token {
        let event = &words[&self.event];
        let is_last = event.name == self.name && event.kind == self.kind && event.time == self.time;
        if is_last {
            event.content
        } else {
            Token::default()
        }
    }
}

fn digests(unify: &Unifier) -> impl Iterator<Item = Digest> {
    unify.state.iter().filter_map(|(_, row)| match row {
        Row::Digest(digest) => Some(digest.digest()),
        _ => None,
    })
}

/// Every digest is found by what may concern it, and nothing else is found.
pub(super) fn check_indices(unify: &Unifier) {
    let digest = |spot: &Spot| match unify.state.get(&Key::Digest(*spot)) {
        Some(Row::Digest(digest)) => digest.digest(),
        other => panic!("{spot:?} leads to {other:?}"),
    };
    for (key, row) in unify.state.iter() {
        match (key, row) {
            (Key::Skipped(value, spot), _) => {
                let digest = digest(spot);
                assert_ne!(digest.route, *value);
                assert!(digest.values.iter().any(|known| known.token == *value));
            }
            (Key::Revision(profile, event, revision), Row::Revision(spot)) => {
                let digest = digest(spot);
                let of = (digest.profile, digest.event, digest.revision);
                assert_eq!(of, (*profile, *event, *revision));
            }
            (Key::Digest(spot), Row::Digest(digest)) => {
                let digest = digest.digest();
                let tokens = digest.values.iter().map(|value| value.token);
                for stronger in tokens.take_while(|value| *value != digest.route) {
                    let key = Key::Skipped(stronger, *spot);
                    assert!(unify.state.contains_key(&key));
                }
            }
            _ => {}
        }
    }
}
