//! Values, customers and events as the pages about identity show them: in words, and masked for whoever may not read them.

use std::sync::Arc;

use askama::Template;
use event::{DecisionId, EventId, Name, ProfileId, Time, Token, event::Personal};

use crate::{
    access::{Grants, Opened},
    api::Api,
    desk::{
        customer, entry,
        page::Person,
        speech::{Moment, Speech, Words},
    },
    model::{self, why},
    personal,
    personal::{Permission, Shown, Why},
};

/// One look at the model, for one reader.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) api: &'a Api,
    pub(super) state: &'a model::State,
    pub(super) speech: &'a Speech,
    pub(super) person: &'a Person,
    /// Of whom it opened something.
    pub(super) opened: &'a Opened,
}

/// An identifier or a reference.
pub(super) struct Value {
    pub(super) kind: String,
    pub(super) text: Words,
    /// Why only a mask is shown.
    pub(super) why: Option<String>,
    /// What is to be said of it here: that it moves, that it names nobody.
    pub(super) mark: Option<String>,
}

/// Values, as an element of a page.
#[derive(Default, Template)]
#[template(path = "identity_values.html")]
pub(super) struct Values {
    pub(super) values: Vec<Value>,
}

impl askama::filters::HtmlSafe for Values {}

/// A customer, by the name or the strongest value.
pub(super) struct Who {
    pub(super) name: Words,
    /// Of one that the reader may read.
    pub(super) address: Option<String>,
    pub(super) values: Values,
    pub(super) events: String,
}

/// An event that speaks for something, in short.
pub(super) struct Evidence {
    pub(super) time: Moment,
    pub(super) what: String,
    pub(super) details: String,
    /// What the customer said, for whoever may read it.
    pub(super) words: Option<Words>,
}

/// A person's word.
pub(super) struct Judgement {
    pub(super) by: String,
    pub(super) time: Moment,
    pub(super) reason: Words,
    /// Of a decision that the reader may look at.
    pub(super) address: Option<String>,
}

/// Who said something: a source, or a person.
pub(super) enum Word {
    Source(Evidence),
    Person(Judgement),
}

/// A customer with more is told by its strongest.
const VALUES_MAX: usize = 12;
const VALUE_CHARS_MAX: usize = 256;
const REASON_CHARS_MAX: usize = 1_000;
const WORDS_CHARS_MAX: usize = 120;
/// Events that are looked through for how a value is written.
const WITNESSES_MAX: usize = 8;

impl Look<'_> {
    fn permission(&self, token: Token) -> Permission {
        let profile = self.state.identity.resolve(ProfileId::new(token));
        match profile.filter(|profile| self.may_read(*profile)) {
            Some(profile) => {
                self.opened.add(profile);
                Permission::Open
            }
            None => Permission::Masked,
        }
    }

    pub(super) fn may_read(&self, profile: ProfileId) -> bool {
        let grants: &Grants = &self.api.grants;
        let caller = &self.person.credential;
        self.state
            .may_read_customer(caller, grants, profile, self.api.now())
    }

    /// What is personal of an event that is on the page of a customer whom the reader may read.
    pub(super) fn personal(&self, id: EventId) -> Option<Personal> {
        let row = self.state.events.get(id)?;
        let route = row.route(|value| self.state.identity.is_out(value));
        let owner = self.state.identity.resolve(ProfileId::new(route))?;
        if !self.may_read(owner) {
            return None;
        }
        self.opened.add(owner);
        personal::open(&personal::event(&row.bytes))
    }

    pub(super) fn value(&self, token: Token) -> Value {
        let known = self.state.identity.get(token);
        let witnesses: Vec<Arc<[u8]>> = known
            .into_iter()
            .flat_map(|known| known.events.iter().rev().take(WITNESSES_MAX))
            .filter_map(|event| self.state.events.get(*event))
            .map(|row| Arc::clone(&row.bytes))
            .collect();
        let written = known.and_then(|known| {
            personal::written(
                &known.value,
                &witnesses,
                &self.api.pepper,
                &self.api.doors.spaces,
            )
        });
        let shown = Shown::new(written.as_deref(), self.permission(token));
        let kind = known.map_or_else(
            || self.speech.say("identity-value-unknown"),
            |known| customer::kind(self.speech, known.value.kind.as_str()),
        );
        Value {
            kind,
            text: Words::line(&shown.shown, VALUE_CHARS_MAX),
            why: shown.why.map(|why| match why {
                Why::NotPermitted => self.speech.say("customer-not-permitted"),
                Why::NotReadable => self.speech.say("customer-not-readable"),
            }),
            mark: None,
        }
    }

    /// The strongest first.
    pub(super) fn values(&self, tokens: &[Token]) -> Values {
        let tokens = self.in_order(tokens);
        let shown = tokens.into_iter().take(VALUES_MAX);
        Values {
            values: shown.map(|token| self.value(token)).collect(),
        }
    }

    /// Identifiers before references, the strongest first.
    pub(super) fn in_order(&self, tokens: &[Token]) -> Vec<Token> {
        let types = self.speech.company().types();
        let mut tokens = tokens.to_vec();
        tokens.sort_by_key(|token| {
            let known = self.state.identity.get(*token);
            let rank = known.and_then(|known| {
                let value = &known.value;
                types
                    .iter()
                    .position(|of| of.class == value.class && of.name == value.kind)
            });
            (rank.unwrap_or(types.len()), *token)
        });
        tokens.dedup();
        tokens
    }

    pub(super) fn who(&self, profile: ProfileId) -> Who {
        let customer = self.state.customer(profile);
        let is_open = self.may_read(profile);
        let tokens: Vec<Token> = customer
            .values
            .iter()
            .map(|(value, _)| value.token)
            .collect();
        let values = self.values(&tokens);
        let name = customer.latest.iter().filter(|_| is_open);
        let name = name
            .filter_map(|bytes| personal::open(&personal::event(bytes))?.name)
            .next();
        if name.is_some() {
            self.opened.add(profile);
        }
        let strongest = values.values.first().map(|value| value.text.clone());
        let name = match name {
            Some(name) => Words::line(&name, VALUE_CHARS_MAX),
            None => strongest.unwrap_or_else(|| {
                let nobody = self.speech.say("customer-nameless");
                Words::line(&nobody, VALUE_CHARS_MAX)
            }),
        };
        Who {
            name,
            address: is_open.then(|| format!("/customers/{profile}")),
            values,
            events: self.events(customer.events),
        }
    }

    pub(super) fn events(&self, count: usize) -> String {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let count = [("count", count.into())];
        self.speech.with("decide-trial-events", count)
    }

    pub(super) fn word(&self, said: &why::Evidence) -> Word {
        match said {
            // Of an event that is kept no more, what its report says.
            why::Evidence::Event {
                event,
                source,
                time,
                trusted,
            } => Word::Source(self.evidence(*event).unwrap_or_else(|| Evidence {
                time: self.speech.moment(*time),
                what: self.speech.say("identity-event-unknown"),
                details: format!("{source} · {}", self.trust(*trusted)),
                words: None,
            })),
            why::Evidence::Decision {
                id,
                actor,
                reason,
                time,
            } => Word::Person(self.judgement(*id, actor, reason, *time)),
        }
    }

    /// Of a decision that is known.
    pub(super) fn decided(&self, id: DecisionId) -> Option<Word> {
        let decision = self.state.decided(id)?.decision;
        let event::link::Decision {
            actor,
            reason,
            time,
            ..
        } = &decision;
        Some(Word::Person(self.judgement(id, actor, reason, *time)))
    }

    fn judgement(&self, id: DecisionId, actor: &Name, reason: &str, time: Time) -> Judgement {
        let named = [("actor", actor.to_string().into())];
        let may_look = self.person.credential.decides();
        Judgement {
            by: self.speech.with("decision-by", named),
            time: self.speech.moment(time),
            reason: Words::new(reason, REASON_CHARS_MAX),
            address: may_look.then(|| format!("/identity/decisions/{id}")),
        }
    }

    fn trust(&self, trusted: bool) -> String {
        self.speech.say(if trusted {
            "identity-source-trusted"
        } else {
            "identity-source-untrusted"
        })
    }

    /// None of an event that is kept no more.
    pub(super) fn evidence(&self, id: EventId) -> Option<Evidence> {
        let row = self.state.events.get(id)?;
        let event = personal::event(&row.bytes);
        let text = self.personal(id).and_then(|personal| personal.text);
        let source = event.source.as_str();
        let details = [
            self.speech.named("channel", event.channel.as_str()),
            entry::source(self.speech, source),
            self.trust(event.trusted),
        ];
        Some(Evidence {
            time: self.speech.moment(event.time),
            what: entry::what(self.speech, &event),
            details: details.join(" · "),
            words: text
                .map(|text| Words::line(&text, WORDS_CHARS_MAX))
                .filter(|words| !words.text.is_empty()),
        })
    }
}
