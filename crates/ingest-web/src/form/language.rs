//! What the form says, in Finnish, Swedish and English. The messages lie in `i18n`, one file a language.

use std::sync::LazyLock;

use fluent::{FluentArgs, FluentResource, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    #[default]
    Finnish,
    Swedish,
    English,
}

impl Language {
    pub(super) const ALL: [Language; 3] = [Language::Finnish, Language::Swedish, Language::English];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Language::Finnish => "fi",
            Language::Swedish => "sv",
            Language::English => "en",
        }
    }

    /// What its speakers call it.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            Language::Finnish => "Suomeksi",
            Language::Swedish => "På svenska",
            Language::English => "In English",
        }
    }

    /// What the link says, else what the browser prefers, else Finnish.
    pub(super) fn of(link: Option<&str>, accepted: Option<&str>) -> Language {
        link.and_then(Language::of_code)
            .or_else(|| accepted.and_then(preferred))
            .unwrap_or_default()
    }

    fn of_code(code: &str) -> Option<Language> {
        Language::ALL
            .into_iter()
            .find(|language| language.as_str().eq_ignore_ascii_case(code))
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Language::Finnish => include_str!("../../i18n/fi.ftl"),
            Language::Swedish => include_str!("../../i18n/sv.ftl"),
            Language::English => include_str!("../../i18n/en.ftl"),
        }
    }
}

/// The language of the highest weight that the form speaks; of equal ones the first.
fn preferred(accepted: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for range in accepted.split(',') {
        let (tag, weight) = range.split_once(";").unwrap_or((range, "q=1"));
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|weight| weight.parse().ok())
            .unwrap_or(0.0);
        if let Some(language) = Language::of_code(primary)
            && weight > best.map_or(0.0, |(_, weight)| weight)
        {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// The messages of one language.
pub(super) struct Messages {
    pub(super) language: Language,
    bundle: FluentBundle<FluentResource>,
}

static MESSAGES: LazyLock<[Messages; 3]> = LazyLock::new(|| Language::ALL.map(Messages::read));

impl Messages {
    pub(super) fn of(language: Language) -> &'static Messages {
        let [finnish, swedish, english] = &*MESSAGES;
        match language {
            Language::Finnish => finnish,
            Language::Swedish => swedish,
            Language::English => english,
        }
    }

    fn read(language: Language) -> Messages {
        let Ok(resource) = FluentResource::try_new(language.text().to_owned()) else {
            unreachable!("the messages are part of the program, and a test reads them");
        };
        let tag: LanguageIdentifier = language
            .as_str()
            .parse()
            .expect("two letters are a language");
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // What people wrote never goes into a message.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Messages { language, bundle }
    }

    /// A test holds the keys that are used against those that there are.
    pub(super) fn say(&self, key: &str) -> String {
        self.formatted(key, None)
    }

    /// A message with one number in it.
    pub(super) fn with_most(&self, key: &str, most: usize) -> String {
        let mut values = FluentArgs::new();
        values.set("most", most);
        self.formatted(key, Some(&values))
    }

    fn formatted(&self, key: &str, values: Option<&FluentArgs<'_>>) -> String {
        let message = self.bundle.get_message(key);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            tracing::error!(key, "a message is missing");
            return key.to_owned();
        };
        let mut faults = Vec::new();
        let text = self.bundle.format_pattern(pattern, values, &mut faults);
        if !faults.is_empty() {
            tracing::error!(key, ?faults, "a message has no value for what it names");
        }
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_goes_before_the_browser_and_the_browser_before_finnish() {
        for (link, accepted, expected) in [
            (None, None, "fi"),
            (Some("sv"), Some("en"), "sv"),
            (Some("SV"), None, "sv"),
            (Some("de"), Some("en-GB,en;q=0.9"), "en"),
            (None, Some("de-DE,de;q=0.9,sv-FI;q=0.8,en;q=0.7"), "sv"),
            (None, Some("en;q=0.5, fi;q=0.9"), "fi"),
            (None, Some("en;q=0, fi;q=0"), "fi"),
            (None, Some("de"), "fi"),
            (Some("<script>"), Some(";;;,=,q=9"), "fi"),
        ] {
            assert_eq!(
                Language::of(link, accepted).as_str(),
                expected,
                "{link:?} {accepted:?}"
            );
        }
    }
}
