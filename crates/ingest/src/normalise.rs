//! From what the sender wrote to what travels: normalised values, their tokens in order of strength, the anchor.

use event::{
    Channel, Class, Company, Event, EventId, Perspective, SourceId, Standing, Time, Token, Value,
    event::{Personal, Promise},
};
use identifier::{Invalid, Pepper, Region, Spaces, Vocabulary};

use crate::{
    config::Source,
    mask,
    validate::{Draft, Faults, MARKED, Said},
};

/// What the company's rules say at the door.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    version: u64,
    vocabulary: Vocabulary,
}

impl Rules {
    pub(crate) fn of(company: &Company) -> Rules {
        Rules {
            version: company.version,
            vocabulary: Vocabulary::new(company),
        }
    }
}

/// Who sends, and by which rules it is read.
pub(crate) struct Context<'a> {
    pub(crate) source_id: &'a SourceId,
    pub(crate) source: &'a Source,
    /// The source whose numbers are meant.
    pub(crate) numbers_of: &'a SourceId,
    pub(crate) channel: Channel,
    pub(crate) rules: &'a Rules,
    pub(crate) pepper: &'a Pepper,
    pub(crate) spaces: &'a Spaces,
    pub(crate) region: Region,
}

/// What the door itself knows of an event.
pub(crate) struct Stamp {
    pub(crate) id: EventId,
    pub(crate) content: Token,
    pub(crate) standing: Standing,
    pub(crate) received: Time,
}

/// What an event names: what travels, and what people with the right are shown.
#[derive(Default)]
pub(crate) struct Named {
    values: Vec<Value>,
    identifiers: Vec<event::event::Named>,
    references: Vec<event::event::Named>,
}

/// Normalises everything that a draft names.
pub(crate) fn named(context: &Context<'_>, draft: &Draft, faults: &mut Faults) -> Named {
    let is_test = draft.perspective == Perspective::Test;
    let mut named = Named::default();
    for (class, said, shown) in [
        (
            Class::Identifier,
            &draft.identifiers,
            &mut named.identifiers,
        ),
        (Class::Reference, &draft.references, &mut named.references),
    ] {
        for said in said {
            match context.value(class, said) {
                Ok(Some((value, normalised))) => {
                    shown.push(event::event::Named {
                        kind: value.kind.clone(),
                        value: normalised,
                    });
                    named.values.push(context.own_space(value, is_test));
                }
                // It names nobody: the event is taken without it.
                Ok(None) => {}
                Err(problem) => faults.add(said.field.clone(), problem),
            }
        }
    }
    named
}

/// The event of a draft without faults.
pub(crate) fn event(context: &Context<'_>, stamp: &Stamp, draft: Draft, named: Named) -> Event {
    let mut values = named.values;
    let personal = Personal {
        identifiers: named.identifiers,
        references: named.references,
        name: draft.person,
        text: draft.text,
        promise: draft
            .promise
            .as_ref()
            .and_then(|promise| promise.text.clone()),
        attributes: draft.attributes,
        customer: draft.customer,
    };
    let vocabulary = &context.rules.vocabulary;
    vocabulary.sort(&mut values);
    let anchor = vocabulary
        .anchor(&values)
        .unwrap_or_else(|| stamp.id.token());
    let promise = draft.promise.map(|promise| Promise {
        id: context.promise_id(&promise.id),
        what: promise.what,
        due: promise.due,
        by: promise.by,
        keeper: promise.keeper,
        state: promise.state,
    });
    Event {
        id: stamp.id,
        source: context.source_id.clone(),
        channel: context.channel,
        revision: 0,
        kind: draft.kind,
        name: draft.name,
        time: draft.time,
        received: stamp.received,
        time_clamped: draft.time_clamped,
        anchor,
        values,
        trusted: context.source.trusted,
        perspective: draft.perspective,
        history: draft.history,
        score: draft.score,
        language: draft.language,
        place: draft.place,
        product: draft.product,
        stage: draft.stage,
        touchpoint: draft.touchpoint,
        party: draft.party,
        amount: draft.amount,
        promise,
        operational: draft.operational,
        recorded_by: draft.recorded_by,
        standing: stamp.standing,
        rules_version: context.rules.version,
        content: stamp.content,
        personal: wire::personal::encode(&personal),
    }
}

impl Context<'_> {
    /// None for a value that names nobody.
    pub(crate) fn value(
        &self,
        class: Class,
        said: &Said,
    ) -> Result<Option<(Value, String)>, String> {
        let found = self.rules.vocabulary.value(
            self.pepper,
            class,
            &said.kind,
            self.spaces.of(self.numbers_of, &said.kind),
            self.source.region.unwrap_or(self.region),
            &said.value,
        );
        match found {
            // Normalising may bring to light what the masks could not see.
            Ok(Some((_, normalised))) if mask::is_marked(&mask::text(&normalised).0) => {
                Err(MARKED.to_owned())
            }
            Ok(found) => Ok(found),
            Err(Invalid::UnknownType) => Err(self.unknown_type(class, &said.kind)),
            Err(
                invalid @ (Invalid::TooLong
                | Invalid::ControlCharacter
                | Invalid::Empty
                | Invalid::Email
                | Invalid::Phone
                | Invalid::Digits),
            ) => Err(invalid.to_string()),
        }
    }

    fn unknown_type(&self, class: Class, kind: &str) -> String {
        let known: Vec<&str> = self
            .rules
            .vocabulary
            .types(class)
            .map(|known| known.name.as_str())
            .collect();
        match service::config::nearest(kind, known.iter().copied()) {
            Some(near) => format!("is of no known type; did you mean `{near}`?"),
            None => format!("is of no known type; there are {}", known.join(", ")),
        }
    }

    /// What a test names is its own: it never meets a customer's profile, and is grouped as the real one would be.
    fn own_space(&self, value: Value, is_test: bool) -> Value {
        if !is_test {
            return value;
        }
        Value {
            token: self.pepper.token("test", "", "", &value.token.to_string()),
            ..value
        }
    }

    fn promise_id(&self, id: &str) -> Token {
        self.pepper
            .token("promise", "", self.source_id.as_str(), id)
    }
}
