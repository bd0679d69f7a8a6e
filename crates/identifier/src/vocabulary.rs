//! What the company's rules say of the types of identifiers and references.

use std::collections::BTreeSet;

use event::{
    Class, Company, Token, Value,
    rules::{Normaliser, TypeOf},
};

use crate::{Invalid, Pepper, Region, Spaces, normalise};

/// The types, in order of strength.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    types: Vec<Type>,
}

#[derive(Clone, Debug)]
struct Type {
    of: TypeOf,
    /// Blocked values as people write them, in lower case.
    blocked: BTreeSet<String>,
    /// Blocked values as the normaliser writes them, but for telephone numbers: those depend on the region.
    blocked_normalised: BTreeSet<String>,
}

impl Vocabulary {
    pub fn new(company: &Company) -> Self {
        Self {
            types: company.types().into_iter().map(Type::new).collect(),
        }
    }

    /// The types of one class, the strongest first.
    pub fn types(&self, class: Class) -> impl Iterator<Item = &TypeOf> {
        self.types
            .iter()
            .map(|known| &known.of)
            .filter(move |known| known.class == class)
    }

    /// What travels in place of the value, and the value as it is shown to those who may see it; `None` for one that names
    /// nobody (`-1`, `000000`, `anonymous`). `space` is `Spaces::of` the source; for what is the same everywhere it is left
    /// away.
    ///
    /// # Errors
    /// When the type is unknown or the value cannot be of it.
    pub fn value(
        &self,
        pepper: &Pepper,
        class: Class,
        type_name: &str,
        space: &str,
        region: Region,
        raw: &str,
    ) -> Result<Option<(Value, String)>, Invalid> {
        let known = self
            .types
            .iter()
            .find(|known| known.of.class == class && known.of.name.as_str() == type_name)
            .ok_or(Invalid::UnknownType)?;
        if known.blocks_raw(raw) {
            return Ok(None);
        }
        let normalised = normalise(known.of.rule.normaliser, region, raw)?;
        if known.blocks_normalised(region, &normalised) {
            return Ok(None);
        }
        let value = Value {
            token: known.token(pepper, space, &normalised),
            class,
            kind: known.of.name.clone(),
        };
        Ok(Some((value, normalised)))
    }

    /// Identifiers, then references, each in order of strength, ties by token, none twice. A type that the rules do not
    /// know (any more) is the weakest of its class.
    pub fn sort(&self, values: &mut Vec<Value>) {
        values.sort_by_cached_key(|value| self.rank(value));
        values.dedup();
    }

    /// The strongest of the values, in whatever order they stand.
    pub fn anchor(&self, values: &[Value]) -> Option<Token> {
        values
            .iter()
            .min_by_key(|value| self.rank(value))
            .map(|value| value.token)
    }

    /// The tokens of all blocked values in every space they can lie in, and of blocked telephone numbers as each region
    /// reads them: what the machines know them by.
    pub fn blocked_tokens(
        &self,
        pepper: &Pepper,
        spaces: &Spaces,
        regions: &[Region],
    ) -> Vec<Token> {
        let mut tokens = BTreeSet::new();
        for known in &self.types {
            let spaces = if known.is_the_same_everywhere() {
                BTreeSet::from([""])
            } else {
                spaces.known(known.of.name.as_str())
            };
            let mut values = known.blocked_normalised.clone();
            for region in regions {
                values.extend(known.blocked_in(*region));
            }
            for space in spaces {
                tokens.extend(values.iter().map(|value| known.token(pepper, space, value)));
            }
        }
        tokens.into_iter().collect()
    }

    fn rank(&self, value: &Value) -> (Class, usize, Token) {
        let strength = self
            .types
            .iter()
            .position(|known| known.of.class == value.class && known.of.name == value.kind)
            .unwrap_or(self.types.len());
        (value.class, strength, value.token)
    }
}

impl Type {
    fn new(of: TypeOf) -> Self {
        let blocked: BTreeSet<String> = of.rule.blocked.iter().map(|raw| plain(raw)).collect();
        let blocked_normalised = match of.rule.normaliser {
            // Their candidates are read with the region of whoever asks.
            Normaliser::Phone => BTreeSet::new(),
            normaliser @ (Normaliser::Verbatim
            | Normaliser::Email
            | Normaliser::Digits
            | Normaliser::Upper
            | Normaliser::Lower) => of
                .rule
                .blocked
                .iter()
                .filter_map(|raw| normalise(normaliser, anywhere(), raw).ok())
                .collect(),
        };
        Self {
            of,
            blocked,
            blocked_normalised,
        }
    }

    fn blocks_raw(&self, raw: &str) -> bool {
        let plain = plain(raw);
        names_nobody(&plain) || self.blocked.contains(&plain)
    }

    fn blocks_normalised(&self, region: Region, normalised: &str) -> bool {
        names_nobody(normalised)
            || self.blocked_normalised.contains(normalised)
            || self.blocked_in(region).any(|blocked| blocked == normalised)
    }

    /// The blocked telephone numbers as the region reads them. Words in the list are not worth an attempt at reading.
    fn blocked_in(&self, region: Region) -> impl Iterator<Item = String> {
        let is_phone = self.of.rule.normaliser == Normaliser::Phone;
        self.blocked
            .iter()
            .filter(move |raw| is_phone && raw.bytes().filter(u8::is_ascii_digit).count() > 2)
            .filter_map(move |raw| normalise(Normaliser::Phone, region, raw).ok())
    }

    fn is_the_same_everywhere(&self) -> bool {
        match self.of.rule.normaliser {
            Normaliser::Email | Normaliser::Phone => true,
            Normaliser::Verbatim | Normaliser::Digits | Normaliser::Upper | Normaliser::Lower => {
                false
            }
        }
    }

    fn token(&self, pepper: &Pepper, space: &str, normalised: &str) -> Token {
        let kind = match self.of.class {
            Class::Identifier => "identifier",
            Class::Reference => "reference",
        };
        let space = if self.is_the_same_everywhere() {
            ""
        } else {
            space
        };
        pepper.token(kind, self.of.name.as_str(), space, normalised)
    }
}

fn plain(raw: &str) -> String {
    raw.trim().to_lowercase()
}

/// Empty, or nothing but noughts and dashes: what forms send for "none".
fn names_nobody(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

/// For normalisers that do not ask where they are.
fn anywhere() -> Region {
    Region::new("FI").expect("Finland is a country")
}

#[cfg(test)]
mod tests {
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
    fn shown(
        vocabulary: &Vocabulary,
        type_name: &str,
        raw: &str,
    ) -> Result<Option<String>, Invalid> {
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
        let spaces: Spaces = serde_json::from_str(
            r#"{"sources": {"till": {"customer_number": "shop"}, "web": {}}}"#,
        )
        .unwrap();
        let vocabulary = Vocabulary::new(&company(&["040 705 5810", "x@shop.example"]));
        let tokens =
            vocabulary.blocked_tokens(&pepper(), &spaces, &[fi(), Region::new("SE").unwrap()]);
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

    proptest! {
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
}
