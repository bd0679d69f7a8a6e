use event::{Name, rules::TypeRule};
use proptest::{collection::vec, prelude::*};

use super::*;

fn pepper() -> Pepper {
    Pepper::from_bytes(&[7; 32]).unwrap()
}

fn fi() -> Region {
    Region::new("FI").unwrap()
}

fn company(blocked: &[&str]) -> Company {
    let mut company = Company::default();
    let mut known = company.types();
    for TypeOf { name, rule, .. } in known.drain(..5) {
        let blocked = blocked.iter().map(|it| (*it).to_owned()).collect();
        company
            .identifiers
            .insert(name, TypeRule { blocked, ..rule });
    }
    company
}

/// The normalised value, or nothing for a blocked one.
fn shown(vocabulary: &Vocabulary, type_name: &str, raw: &str) -> Result<Option<String>, Invalid> {
    vocabulary
        .value(&pepper(), Class::Identifier, type_name, "till", fi(), raw)
        .map(|value| value.map(|(_, normalised)| normalised))
}

#[test]
fn a_value_that_names_nobody_is_left_away() {
    let vocabulary = Vocabulary::new(&Company::default());
    for type_name in [
        "customer_number",
        "loyalty_card",
        "email",
        "phone",
        "device",
    ] {
        for raw in ["", "  ", "0", "000-000", "-", "-1", " NULL ", "Anonymous"] {
            assert_eq!(
                shown(&vocabulary, type_name, raw),
                Ok(None),
                "{type_name} {raw:?}"
            );
        }
    }
    for (type_name, raw) in [("loyalty_card", "card 00"), ("device", "\u{200b}0")] {
        assert_eq!(
            shown(&vocabulary, type_name, raw),
            Ok(None),
            "{type_name} {raw:?}"
        );
    }
}

#[test]
fn a_blocked_value_is_known_in_every_spelling() {
    let vocabulary = Vocabulary::new(&company(&[
        "NoReply@shop.example",
        "040 705 5810",
        "9999 9999",
        "Test",
    ]));
    for (type_name, raw) in [
        ("email", "noreply@SHOP.example"),
        ("phone", "+358 40 7055810"),
        ("phone", "040-7055810"),
        ("loyalty_card", "9999-9999"),
        ("customer_number", "TEST"),
        ("device", "test"),
    ] {
        assert_eq!(
            shown(&vocabulary, type_name, raw),
            Ok(None),
            "{type_name} {raw:?}"
        );
    }
    for (type_name, raw, expected) in [
        ("email", "reply@shop.example", "reply@shop.example"),
        ("phone", "040 705 5811", "+358407055811"),
        ("customer_number", "test-1", "TEST-1"),
    ] {
        assert_eq!(
            shown(&vocabulary, type_name, raw),
            Ok(Some(expected.to_owned())),
            "{type_name} {raw:?}"
        );
    }
}

#[test]
fn a_pattern_blocks_what_it_matches_once_it_is_normalised() {
    let mut company = Company::default();
    for (name, patterns) in [
        ("customer_number", &["^TEST-", "^[0-]*$"][..]),
        ("phone", &["^\\+358600", "^0"]),
        ("email", &["@shop\\.example$", "^(no-?reply"]),
        ("loyalty_card", &[]),
    ] {
        let name = Name::new(name).unwrap();
        let known = company.types().into_iter().find(|known| known.name == name);
        let patterns = patterns.iter().map(|it| (*it).to_owned()).collect();
        let rule = TypeRule {
            patterns,
            ..known.unwrap().rule
        };
        company.identifiers.insert(name, rule);
    }
    let vocabulary = Vocabulary::new(&company);
    for (type_name, raw, expected) in [
        ("customer_number", "test-7", Ok(None)),
        ("customer_number", "attest-7", Ok(Some("ATTEST-7"))),
        ("customer_number", "00", Ok(None)),
        ("phone", "0600 12345", Ok(None)),
        // The normalised number begins with a plus sign, not with a nought.
        ("phone", "040 705 5810", Ok(Some("+358407055810"))),
        ("phone", "0", Ok(None)),
        ("email", "Anybody@Shop.Example", Ok(None)),
        ("email", "a@myshop.example", Ok(Some("a@myshop.example"))),
        // What is no regular expression matches nothing.
        (
            "email",
            "noreply@else.example",
            Ok(Some("noreply@else.example")),
        ),
        ("loyalty_card", "0", Ok(Some("0"))),
        ("loyalty_card", " ", Ok(None)),
    ] {
        let found = shown(&vocabulary, type_name, raw);
        let expected = expected.map(|value: Option<&str>| value.map(str::to_owned));
        assert_eq!(found, expected, "{type_name} {raw:?}");
    }
}

#[test]
fn the_companys_own_numbers_and_addresses_name_nobody() {
    let mut company = company(&["040 111 2222"]);
    company.identity.own = vec![
        "010 123 4567".to_owned(),
        "+358 20 1234567".to_owned(),
        "Asiakaspalvelu@Shop.Example".to_owned(),
    ];
    let vocabulary = Vocabulary::new(&company);
    for (type_name, raw, is_own) in [
        ("phone", "+358101234567", true),
        ("phone", "(010) 1234567", true),
        ("phone", "020 1234567", true),
        ("phone", "0401112222", true),
        ("phone", "010 123 4568", false),
        ("email", "asiakaspalvelu@shop.example", true),
        ("email", "asiakas@shop.example", false),
        // Numbers of customers are numbers of another kind.
        ("customer_number", "010 123 4567", false),
    ] {
        let found = shown(&vocabulary, type_name, raw).unwrap();
        assert_eq!(found.is_none(), is_own, "{type_name} {raw:?}");
    }
    let tokens = vocabulary.blocked_tokens(&pepper(), &Spaces::default(), &[fi()]);
    for (type_name, value) in [
        ("phone", "+358101234567"),
        ("phone", "+358201234567"),
        ("email", "asiakaspalvelu@shop.example"),
    ] {
        let token = pepper().token("identifier", type_name, "", value);
        assert!(tokens.contains(&token), "{value}");
    }
}

#[test]
fn faults_are_told_from_values_that_name_nobody() {
    let vocabulary = Vocabulary::new(&Company::default());
    for (type_name, raw, expected) in [
        ("phone", "112", Invalid::Phone),
        ("email", "aino", Invalid::Email),
        ("loyalty_card", "none", Invalid::Digits),
        ("order", "A-77", Invalid::UnknownType),
        ("fax", "1", Invalid::UnknownType),
    ] {
        assert_eq!(
            shown(&vocabulary, type_name, raw),
            Err(expected),
            "{type_name} {raw:?}"
        );
    }
}

#[test]
fn one_number_in_two_spaces_is_two_and_an_address_is_one_everywhere() {
    let vocabulary = Vocabulary::new(&Company::default());
    let token = |class, type_name, space, raw| {
        let value = vocabulary.value(&pepper(), class, type_name, space, fi(), raw);
        value.unwrap().unwrap().0.token
    };
    let (identifier, reference) = (Class::Identifier, Class::Reference);
    assert_ne!(
        token(reference, "ticket", "zendesk", "1001"),
        token(reference, "ticket", "web", "1001")
    );
    assert_ne!(
        token(reference, "ticket", "web", "1001"),
        token(reference, "order", "web", "1001")
    );
    assert_eq!(
        token(identifier, "email", "zendesk", "aino@example.fi"),
        token(identifier, "email", "web", "Aino@example.fi")
    );
    assert_eq!(
        token(identifier, "phone", "zendesk", "0407055810"),
        token(identifier, "phone", "web", "+358407055810")
    );
    assert_eq!(
        token(identifier, "email", "web", "aino@example.fi"),
        pepper().token("identifier", "email", "", "aino@example.fi")
    );
    assert_eq!(
        token(reference, "order", "shop", "a-77"),
        pepper().token("reference", "order", "shop", "A-77")
    );
}

fn value(class: Class, kind: &str, token: u8) -> Value {
    Value {
        token: Token::new([token; 16]),
        class,
        kind: Name::new(kind).unwrap(),
    }
}

#[test]
fn values_stand_in_order_of_strength_and_the_first_is_the_anchor() {
    let vocabulary = Vocabulary::new(&Company::default());
    let sorted = [
        value(Class::Identifier, "customer_number", 9),
        value(Class::Identifier, "email", 1),
        value(Class::Identifier, "email", 2),
        value(Class::Identifier, "phone", 0),
        value(Class::Identifier, "forgotten", 3),
        value(Class::Reference, "order", 4),
        value(Class::Reference, "ticket", 1),
    ];
    let mut values: Vec<Value> = sorted.iter().rev().chain(&sorted[2..4]).cloned().collect();
    assert_eq!(vocabulary.anchor(&values), Some(sorted[0].token));
    vocabulary.sort(&mut values);
    assert_eq!(values, sorted);
    assert_eq!(vocabulary.anchor(&sorted[5..]), Some(sorted[5].token));
    assert_eq!(vocabulary.anchor(&[]), None);
}

#[test]
fn a_company_may_change_the_order_and_add_types() {
    let mut company = Company::default();
    let rule = TypeRule {
        strength: 1,
        normaliser: Normaliser::Digits,
        ..TypeRule::default()
    };
    company
        .identifiers
        .insert(Name::new("member").unwrap(), rule);
    let vocabulary = Vocabulary::new(&company);
    let first = vocabulary.types(Class::Identifier).next().unwrap();
    assert_eq!(first.name.as_str(), "member");
    assert_eq!(
        shown(&vocabulary, "member", "M-12"),
        Ok(Some("12".to_owned()))
    );
}

#[test]
fn blocked_tokens_are_those_that_the_values_would_have_had() {
    let spaces: Spaces =
        serde_json::from_str(r#"{"sources": {"till": {"customer_number": "shop"}, "web": {}}}"#)
            .unwrap();
    let vocabulary = Vocabulary::new(&company(&["040 705 5810", "x@shop.example"]));
    let tokens = vocabulary.blocked_tokens(&pepper(), &spaces, &[fi(), Region::new("SE").unwrap()]);
    for (type_name, space, value, expected) in [
        ("phone", "", "+358407055810", true),
        ("email", "", "x@shop.example", true),
        ("customer_number", "shop", "040 705 5810", true),
        ("customer_number", "web", "040 705 5810", true),
        ("customer_number", "till", "040 705 5810", false),
        ("loyalty_card", "till", "0407055810", true),
        ("phone", "", "+358407055811", false),
    ] {
        let token = pepper().token("identifier", type_name, space, value);
        assert_eq!(tokens.contains(&token), expected, "{type_name} {space}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let types = vec![
        (Class::Identifier, "email"),
        (Class::Identifier, "phone"),
        (Class::Identifier, "forgotten"),
        (Class::Reference, "order"),
        (Class::Reference, "ticket"),
    ];
    (prop::sample::select(types), 0_u8..4)
        .prop_map(|((class, kind), token)| value(class, kind, token))
}

/// The same number as people write it.
fn any_writing() -> impl Strategy<Value = (String, String)> {
    let number = "(40|41|44|50)[1-9][0-9]{6}";
    let between = prop::sample::select(vec!["", " ", "-", "\u{a0}", "."]);
    (number, between, 0..6_usize).prop_map(|(number, between, form)| {
        let (head, tail) = number.split_at(2);
        let (first, last) = tail.split_at(3);
        let spoken = format!("{head}{between}{first}{between}{last}");
        let written = match form {
            0 => format!("0{spoken}"),
            1 => format!("+358 {spoken}"),
            2 => format!("00358{spoken}"),
            3 => format!("+358 (0){spoken}"),
            4 => format!(" 0{spoken} "),
            _ => format!("tel:+358{number}"),
        };
        (number, written)
    })
}

proptest! {
    #[test]
    fn a_number_has_one_token_however_it_is_written((number, written) in any_writing(), other in "(40|50)[1-9][0-9]{6}") {
        let vocabulary = Vocabulary::new(&Company::default());
        let token = |raw: &str| {
            let value = vocabulary.value(&pepper(), Class::Identifier, "phone", "till", fi(), raw);
            value.unwrap().unwrap().0.token
        };
        prop_assert_eq!(token(&written), token(&format!("+358{number}")));
        prop_assert_eq!(token(&written) == token(&format!("0{other}")), number == other);
    }

    #[test]
    fn the_order_does_not_depend_on_how_the_values_came(mut values in vec(any_value(), 0..12), turn in any::<prop::sample::Index>()) {
        let vocabulary = Vocabulary::new(&Company::default());
        let mut turned = values.clone();
        if !turned.is_empty() {
            let turn = turn.index(turned.len());
            turned.rotate_left(turn);
        }
        prop_assert_eq!(vocabulary.anchor(&turned), vocabulary.anchor(&values));
        vocabulary.sort(&mut values);
        vocabulary.sort(&mut turned);
        prop_assert_eq!(&values, &turned);
        prop_assert_eq!(values.first().map(|value| value.token), vocabulary.anchor(&values));
        let distinct: BTreeSet<&Value> = values.iter().collect();
        prop_assert_eq!(distinct.len(), values.len());
    }
}
