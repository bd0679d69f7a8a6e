//! The three languages say the same things.

use std::collections::BTreeSet;

use crate::form::language::{Language, Messages};

fn keys(language: Language) -> BTreeSet<&'static str> {
    language
        .text()
        .lines()
        .filter(|line| !line.starts_with(['#', ' ']))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .collect()
}

#[test]
fn the_keys_of_the_languages_are_equal() {
    let [finnish, swedish, english] = Language::ALL.map(keys);
    assert_eq!(finnish, swedish);
    assert_eq!(finnish, english);
    assert!(finnish.len() > 30);
}

#[test]
fn every_message_reads_and_none_is_its_own_key() {
    for language in Language::ALL {
        let messages = Messages::of(language);
        for key in keys(language) {
            let said = messages.with_most(key, 5_000);
            assert!(said != key && !said.contains('{'), "{key}: {said}");
        }
    }
}

/// What templates and code ask for, and nothing besides.
#[test]
fn every_key_is_used_and_every_used_key_is_there() {
    let used = [
        include_str!("../../../templates/form.html"),
        include_str!("../../../templates/said.html"),
        include_str!("../page.rs"),
        include_str!("../feeling.rs"),
        include_str!("../routes.rs"),
    ]
    .concat();
    let keys = keys(Language::English);
    for key in &keys {
        assert!(used.contains(&format!("\"{key}\"")), "{key} is never said");
    }
    for rest in used.split(".say(\"").skip(1) {
        let key = rest.split('"').next().unwrap();
        assert!(keys.contains(key), "{key} is missing");
    }
}
