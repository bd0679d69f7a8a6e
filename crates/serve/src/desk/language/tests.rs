use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::tests::pages::{keys_used, templates};

/// Key -> the variables of its message, of one file.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = None;
    for line in language
        .text()
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        if let Some((key, _)) = line
            .split_once(" =")
            .filter(|_| !line.starts_with([' ', '}']))
        {
            let is_new = messages.insert(key.to_owned(), BTreeSet::new()).is_none();
            assert!(is_new, "{key} is there twice in {}", language.as_str());
            current = Some(key.to_owned());
        }
        let Some(key) = &current else { continue };
        for piece in line.split('$').skip(1) {
            let variable: String = piece
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            messages.get_mut(key).unwrap().insert(variable);
        }
    }
    messages
}

#[test]
fn the_three_languages_say_the_same_things_of_the_same_values() {
    let finnish = messages(Language::Finnish);
    assert!(finnish.len() > 50);
    for other in [Language::Swedish, Language::English] {
        let other_messages = messages(other);
        for (key, variables) in &finnish {
            assert_eq!(
                other_messages.get(key),
                Some(variables),
                "{key} in {}",
                other.as_str()
            );
        }
        for key in other_messages.keys() {
            assert!(
                finnish.contains_key(key),
                "{key} is only in {}",
                other.as_str()
            );
        }
    }
}

#[test]
fn every_message_is_read_by_the_bundle() {
    for language in Language::ALL {
        for key in messages(language).keys() {
            assert!(
                Messages::of(language).has(key),
                "{key} in {}",
                language.as_str()
            );
        }
    }
}

#[test]
fn every_key_that_is_used_exists_and_every_family_has_members() {
    let known = messages(Language::Finnish);
    let used = keys_used();
    assert!(!used.messages.is_empty() && !templates().is_empty());
    for key in &used.messages {
        assert!(known.contains_key(key), "`{key}` is no message");
    }
    for family in &used.families {
        let start = format!("{family}-");
        assert!(
            known.keys().any(|key| key.starts_with(&start)),
            "no message `{start}…`"
        );
    }
    for key in known.keys() {
        let is_used = used.messages.contains(key)
            || used
                .families
                .iter()
                .any(|family| key.starts_with(&format!("{family}-")));
        assert!(is_used, "`{key}` is said nowhere");
    }
}

#[test]
fn the_language_is_the_chosen_one_else_the_preferred_one_else_finnish() {
    for (cookie, accept, expected) in [
        (None, None, Language::Finnish),
        (None, Some("sv-FI,sv;q=0.9,en;q=0.8"), Language::Swedish),
        (None, Some("de, en;q=0.5, fi;q=0.7"), Language::Finnish),
        (None, Some("EN-gb"), Language::English),
        (None, Some("de, *;q=0.1"), Language::Finnish),
        (None, Some("en;q=0"), Language::Finnish),
        (None, Some("en;q=x, sv"), Language::Swedish),
        (Some("polku_language=en"), Some("sv"), Language::English),
        (Some("a=b; polku_language=sv"), None, Language::Swedish),
        (Some("polku_language=tlh"), Some("sv"), Language::Swedish),
    ] {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::COOKIE, cookie), (header::ACCEPT_LANGUAGE, accept)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        assert_eq!(
            Language::of_request(&headers),
            expected,
            "{cookie:?} {accept:?}"
        );
    }
}
