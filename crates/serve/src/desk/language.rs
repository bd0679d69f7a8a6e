//! What the desk says, in Finnish, Swedish and English. The messages lie in `i18n`, one file a language.

use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use fluent::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::cookie;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    #[default]
    Finnish,
    Swedish,
    English,
}

impl Language {
    pub(crate) const ALL: [Language; 3] = [Language::Finnish, Language::Swedish, Language::English];

    /// As in `lang`, in `Accept-Language` and in `[labels.…]`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Language::Finnish => "fi",
            Language::Swedish => "sv",
            Language::English => "en",
        }
    }

    /// What its speakers call it.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Language::Finnish => "Suomi",
            Language::Swedish => "Svenska",
            Language::English => "English",
        }
    }

    pub(crate) fn of_code(code: &str) -> Option<Language> {
        Language::ALL
            .into_iter()
            .find(|language| language.as_str() == code)
    }

    /// The chosen one, else what the browser prefers, else Finnish.
    pub(crate) fn of_request(headers: &HeaderMap) -> Language {
        let chosen = cookie::value(headers, cookie::LANGUAGE).and_then(Language::of_code);
        let accepted = || {
            let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            preferred(accepted)
        };
        chosen.or_else(accepted).unwrap_or_default()
    }

    const fn text(self) -> &'static str {
        match self {
            Language::Finnish => include_str!("../../i18n/fi.ftl"),
            Language::Swedish => include_str!("../../i18n/sv.ftl"),
            Language::English => include_str!("../../i18n/en.ftl"),
        }
    }
}

/// The language of the highest weight that we speak; of equal ones the first.
fn preferred(accepted: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for range in accepted.split(',') {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let primary = tag.split('-').next().unwrap_or_default();
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        let Some(language) = Language::of_code(&primary.to_ascii_lowercase()) else {
            continue;
        };
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// The messages of one language.
pub(crate) struct Messages {
    pub(crate) language: Language,
    bundle: FluentBundle<FluentResource>,
}

static MESSAGES: LazyLock<[Messages; 3]> = LazyLock::new(|| Language::ALL.map(Messages::read));

impl Messages {
    pub(crate) fn of(language: Language) -> &'static Messages {
        let [finnish, swedish, english] = &*MESSAGES;
        match language {
            Language::Finnish => finnish,
            Language::Swedish => swedish,
            Language::English => english,
        }
    }

    fn read(language: Language) -> Messages {
        let resource = FluentResource::try_new(language.text().to_owned());
        let Ok(resource) = resource else {
            unreachable!("the messages are part of the program, and a test reads them");
        };
        let tag: LanguageIdentifier = language
            .as_str()
            .parse()
            .expect("two letters are a language");
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // What people wrote never goes into a message, but beside it, in an element that isolates it.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Messages { language, bundle }
    }

    /// A message without values.
    pub(crate) fn say(&self, key: &str) -> String {
        self.with(key, [])
    }

    /// A message with its values. None of them may be what a customer wrote.
    pub(crate) fn with<'a>(
        &self,
        key: &str,
        values: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
    ) -> String {
        let pattern = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value());
        let Some(pattern) = pattern else {
            // A test compares the keys that are used with those that there are.
            tracing::error!(key, "a message is missing");
            return key.to_owned();
        };
        let values: FluentArgs<'_> = values.into_iter().collect();
        let mut faults = Vec::new();
        let said = self
            .bundle
            .format_pattern(pattern, Some(&values), &mut faults);
        for fault in faults {
            tracing::error!(key, error = %fault, "a message lacks a value");
        }
        said.into_owned()
    }

    /// What one of a family of names is called: `named("phase", "open")` is the message `phase-open`.
    pub(crate) fn named(&self, family: &str, name: &str) -> String {
        self.say(&format!("{family}-{}", name.replace('_', "-")))
    }

    #[cfg(test)]
    pub(crate) fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }
}

#[cfg(test)]
mod tests;
