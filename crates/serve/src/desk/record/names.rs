//! What a recorded event names, so that it reaches the customer and joins the matter that it is about.

use std::collections::BTreeSet;

use event::{
    Class, MatterId, Name, SourceId, Token, Value, case::State as CaseState, rules::TypeOf,
};

use super::{
    draft::{Draft, Same},
    subject::Subject,
};
use crate::{
    api::Api,
    model::{self, page::Customer},
    personal,
};

/// Types with their values, and whose numbers they are.
#[derive(Default)]
pub(super) struct Names {
    pub(super) identifiers: Vec<(Name, String)>,
    pub(super) references: Vec<(Name, String)>,
    pub(super) numbers_of: Option<SourceId>,
}

/// How an event of a case named its customer and what it is about: who names the same joins it.
pub(super) struct Join {
    source: SourceId,
    identifier: Option<(Name, String)>,
    pub(super) reference: Option<(Name, String)>,
}

pub(super) fn of(api: &Api, state: &model::State, draft: &Draft, subject: &Subject) -> Names {
    match (subject, draft.same) {
        (Subject::Known(known), Some(Same::Case(chosen))) => {
            let tokens = state.identity.tokens(known.customer.id);
            let case = state.cases.get(chosen);
            match case.and_then(|case| join(api, state, case, &tokens)) {
                Some(join) => Names {
                    identifiers: join.identifier.into_iter().collect(),
                    references: join.reference.into_iter().collect(),
                    numbers_of: Some(join.source),
                },
                None => of_customer(api, state, &known.customer, None),
            }
        }
        (Subject::Known(known), Some(Same::New) | None) => {
            let reference = typed_reference(api, state, draft);
            let source = reference.as_ref().and_then(|(_, source)| source.clone());
            let mut names = of_customer(api, state, &known.customer, source);
            names
                .references
                .extend(reference.map(|(reference, _)| reference));
            names
        }
        (Subject::Named(_) | Subject::Nobody | Subject::Several(_), _) => {
            let reference = typed_reference(api, state, draft);
            let mut names = Names {
                numbers_of: reference.as_ref().and_then(|(_, source)| source.clone()),
                references: reference
                    .into_iter()
                    .map(|(reference, _)| reference)
                    .collect(),
                ..Names::default()
            };
            if let Subject::Named(named) = subject
                && let Some((class, kind)) = named.kind.clone()
            {
                let named = (kind, named.value.clone());
                match class {
                    Class::Identifier => names.identifiers.push(named),
                    Class::Reference => names.references.insert(0, named),
                }
            }
            names
        }
    }
}

/// By the first event of the case that is the customer's: its own words, so that the matter comes out the same.
pub(super) fn join(
    api: &Api,
    state: &model::State,
    case: &CaseState,
    tokens: &BTreeSet<Token>,
) -> Option<Join> {
    let told = state.told_of(case);
    told.iter().find_map(|told| {
        let event = personal::event(&told.bytes);
        if !event
            .values
            .iter()
            .any(|value| tokens.contains(&value.token))
        {
            return None;
        }
        let first = |class: Class| event.values.iter().find(|value| value.class == class);
        let reference = first(Class::Reference)
            .filter(|value| case.matters.contains(&MatterId::of_reference(value.token)));
        let identifier = first(Class::Identifier);
        let write = |value: &Value| {
            let (written, source) =
                personal::written_in(&event, value, &api.pepper, &api.doors.spaces)?;
            Some((value.kind.clone(), written, source))
        };
        let reference = reference.and_then(write);
        let identifier = identifier.and_then(write);
        let sources = reference.iter().chain(&identifier);
        let source = sources.map(|(_, _, source)| source.clone()).next()?;
        let unsourced = |(kind, written, _): (Name, String, SourceId)| (kind, written);
        Some(Join {
            source,
            identifier: identifier.map(unsourced),
            reference: reference.map(unsourced),
        })
    })
}

/// The strongest value that leads to the customer, read by the numbers of a source where one is given.
fn of_customer(
    api: &Api,
    state: &model::State,
    customer: &Customer,
    source: Option<SourceId>,
) -> Names {
    let types = state.companies.current().types();
    let strength = |value: &Value| {
        let is_it = |known: &TypeOf| known.class == value.class && known.name == value.kind;
        types.iter().position(is_it).unwrap_or(types.len())
    };
    let mut values: Vec<_> = customer.values.iter().collect();
    values.sort_by_key(|(value, _)| (strength(value), value.token));
    let mut written = values.into_iter().filter_map(|(value, witnesses)| {
        witnesses.iter().find_map(|bytes| {
            let event = personal::event(bytes);
            let found = personal::written_in(&event, value, &api.pepper, &api.doors.spaces)?;
            Some((value, found.0, found.1))
        })
    });
    let fits = |value: &Value, text: &str| {
        source.as_ref().is_none_or(|source| {
            let kind = value.kind.as_str();
            let class = match value.class {
                Class::Identifier => "identifier",
                Class::Reference => "reference",
            };
            let spaces = ["", api.doors.spaces.of(source, kind)];
            spaces
                .iter()
                .any(|space| api.pepper.token(class, kind, space, text) == value.token)
        })
    };
    let Some((value, text, own)) = written.find(|(value, text, _)| fits(value, text)) else {
        return Names {
            numbers_of: source,
            ..Names::default()
        };
    };
    let named = vec![(value.kind.clone(), text)];
    let (identifiers, references) = match value.class {
        Class::Identifier => (named, Vec::new()),
        Class::Reference => (Vec::new(), named),
    };
    Names {
        identifiers,
        references,
        numbers_of: source.or(Some(own)),
    }
}

/// The number that was typed, and a source that knows it, if any does.
fn typed_reference(
    api: &Api,
    state: &model::State,
    draft: &Draft,
) -> Option<((Name, String), Option<SourceId>)> {
    let typed = draft.reference.as_ref()?;
    let kind = draft.reference_type.as_deref().unwrap_or("order");
    let kind: Name = kind.parse().ok()?;
    let company = state.companies.current();
    let spaces = &api.doors.spaces;
    let is_known = |source: &&SourceId| {
        let space = BTreeSet::from([spaces.of(source, kind.as_str())]);
        let kind = kind.as_str();
        crate::search::tokens_in(&company, &api.doors, &api.pepper, kind, &space, typed).is_ok_and(
            |tokens| {
                tokens
                    .iter()
                    .any(|token| state.identity.get(*token).is_some())
            },
        )
    };
    let source = spaces.sources.keys().find(is_known);
    Some(((kind, typed.clone()), source.cloned()))
}
