//! One spelling for what people write in many.

use email_address::{EmailAddress, Options};
use event::rules::Normaliser;
use phonenumber::Mode;
use unicode_normalization::UnicodeNormalization;

use crate::Region;

/// Why a value cannot be what it claims to be. Never repeats the value, which is personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("is of no known type")]
    UnknownType,
    #[error("is longer than {VALUE_CHARS_MAX} characters")]
    TooLong,
    #[error("contains a control character")]
    ControlCharacter,
    #[error("is empty")]
    Empty,
    #[error("is no e-mail address")]
    Email,
    #[error("is no telephone number that can be dialled")]
    Phone,
    #[error("has no digits 0 to 9, or has digits of another script")]
    Digits,
}

pub(crate) const VALUE_CHARS_MAX: usize = 256;

/// The value as the normaliser writes it. Normalising again changes nothing.
///
/// # Errors
/// When it cannot be what the normaliser is for.
pub fn normalise(normaliser: Normaliser, region: Region, raw: &str) -> Result<String, Invalid> {
    let value = tidy(raw)?;
    let value = match normaliser {
        Normaliser::Verbatim => value,
        Normaliser::Email => email(&value)?,
        Normaliser::Phone => phone(region, &value)?,
        Normaliser::Digits => digits(raw, &value)?,
        Normaliser::Upper => upper(&value),
        Normaliser::Lower => lower(&value),
    };
    // Capitals of some letters are several: the limit holds for what is kept.
    limit(&value)?;
    Ok(value)
}

/// What is done to every value: compatible forms of a character become one (full-width digits, ligatures), what nobody sees
/// goes (telephones copied from an address book carry marks of direction), and so does space at the ends.
fn tidy(raw: &str) -> Result<String, Invalid> {
    limit(raw.trim())?;
    let value: String = raw.nfkc().filter(|c| !is_invisible(*c)).nfkc().collect();
    let value = value.trim();
    if value.is_empty() {
        return Err(Invalid::Empty);
    }
    if value.chars().any(char::is_control) {
        return Err(Invalid::ControlCharacter);
    }
    Ok(value.to_owned())
}

fn limit(value: &str) -> Result<(), Invalid> {
    if value.chars().nth(VALUE_CHARS_MAX).is_some() {
        Err(Invalid::TooLong)
    } else {
        Ok(())
    }
}

const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The whole address in lower case, its domain in the form that the network uses. RFC 5321 lets a server tell `Aino@` from
/// `aino@`; none that customers have does, while the same customer types both. Dots and plus tags stay: some servers do tell
/// those apart, and to join two people is worse than to miss that two addresses are one.
fn email(value: &str) -> Result<String, Invalid> {
    let (local, domain) = value.rsplit_once('@').ok_or(Invalid::Email)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| Invalid::Email)?;
    let address = format!("{}@{domain}", lower(local));
    let options = Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    EmailAddress::parse_with_options(&address, options).map_err(|_| Invalid::Email)?;
    Ok(address)
}

/// E.164; a number behind a switchboard keeps its extension, so that an office is not one customer.
fn phone(region: Region, value: &str) -> Result<String, Invalid> {
    // The parser knows many ways to write an extension, but not the one that we write.
    let (value, stated) = match value.split_once(EXTENSION) {
        Some((value, extension)) => (value, Some(extension)),
        None => (value, None),
    };
    let number = phonenumber::parse(Some(region.id()), value).map_err(|_| Invalid::Phone)?;
    let found = number.extension().map(ToString::to_string);
    let extension = match (stated.map(str::to_owned), found) {
        (Some(_), Some(_)) => return Err(Invalid::Phone),
        (stated, found) => stated.or(found),
    };
    if !number.is_valid() {
        return Err(Invalid::Phone);
    }
    let dialled = number.format().mode(Mode::E164).to_string();
    match extension {
        None => Ok(dialled),
        Some(extension) if is_digits(&extension) => Ok(format!("{dialled}{EXTENSION}{extension}")),
        Some(_) => Err(Invalid::Phone),
    }
}

const EXTENSION: &str = ";ext=";

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A digit of another script would vanish and leave somebody else's number, and a fraction become two digits: both are
/// refused, as they came.
fn digits(raw: &str, value: &str) -> Result<String, Invalid> {
    let is_plain = |c: char| c.is_ascii_digit() || ('\u{ff10}'..='\u{ff19}').contains(&c);
    if raw.chars().any(|c| c.is_numeric() && !is_plain(c)) {
        return Err(Invalid::Digits);
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if is_digits(&digits) {
        Ok(digits)
    } else {
        Err(Invalid::Digits)
    }
}

fn upper(value: &str) -> String {
    value.to_uppercase().nfkc().collect()
}

fn lower(value: &str) -> String {
    value.to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn region(text: &str) -> Region {
        Region::new(text).unwrap()
    }

    fn check(normaliser: Normaliser, cases: &[(&str, &str, Result<&str, Invalid>)]) {
        for (country, raw, expected) in cases {
            let found = normalise(normaliser, region(country), raw);
            assert_eq!(found.as_deref(), expected.as_deref(), "{country} {raw:?}");
        }
    }

    #[test]
    fn a_telephone_number_is_one_however_it_is_written() {
        check(
            Normaliser::Phone,
            &[
                ("FI", "040 705 5810", Ok("+358407055810")),
                ("FI", "+358 40 7055810", Ok("+358407055810")),
                ("FI", "+358 (0)40 705 5810", Ok("+358407055810")),
                ("FI", "00358407055810", Ok("+358407055810")),
                ("FI", "040-7055810", Ok("+358407055810")),
                (
                    "FI",
                    "\u{202a}+358\u{a0}40\u{a0}705\u{a0}5810\u{202c}",
                    Ok("+358407055810"),
                ),
                ("FI", "０４０７０５５８１０", Ok("+358407055810")),
                ("SE", "+358407055810", Ok("+358407055810")),
                ("FI", "09 310 1691", Ok("+35893101691")),
                ("SE", "070-174 06 05", Ok("+46701740605")),
                ("SE", "08-508 00 000", Ok("+46850800000")),
                ("DE", "030 22710", Ok("+493022710")),
                ("DE", "0151 23456789", Ok("+4915123456789")),
                ("US", "(202) 456-1111", Ok("+12024561111")),
                ("US", "1-202-456-1111", Ok("+12024561111")),
                ("FI", "+1 202 456 1111", Ok("+12024561111")),
                ("IT", "06 6982", Ok("+39066982")),
                ("FI", "112", Err(Invalid::Phone)),
                ("FI", "040", Err(Invalid::Phone)),
                ("FI", "0407055810123456", Err(Invalid::Phone)),
                ("US", "555-0100", Err(Invalid::Phone)),
                ("FI", "soita huomenna", Err(Invalid::Phone)),
                ("FI", "", Err(Invalid::Empty)),
            ],
        );
    }

    #[test]
    fn two_people_behind_one_switchboard_are_two() {
        check(
            Normaliser::Phone,
            &[
                ("US", "(202) 456-1111 x 12", Ok("+12024561111;ext=12")),
                ("US", "+12024561111;ext=12", Ok("+12024561111;ext=12")),
                ("FI", "09 310 1691 ext. 7", Ok("+35893101691;ext=7")),
                ("US", "+12024561111;ext=", Err(Invalid::Phone)),
                ("US", "+12024561111 x 3;ext=12", Err(Invalid::Phone)),
            ],
        );
    }

    #[test]
    fn an_e_mail_address_is_one_however_it_is_written() {
        check(
            Normaliser::Email,
            &[
                ("FI", " Aino@Example.FI ", Ok("aino@example.fi")),
                (
                    "FI",
                    "aino.k+kauppa@example.fi",
                    Ok("aino.k+kauppa@example.fi"),
                ),
                ("FI", "ainok@example.fi", Ok("ainok@example.fi")),
                ("SE", "Åsa@Blåbär.se", Ok("åsa@xn--blbr-noae.se")),
                ("SE", "åsa@xn--blbr-noae.se", Ok("åsa@xn--blbr-noae.se")),
                ("DE", "info@straße.de", Ok("info@xn--strae-oqa.de")),
                ("FI", "ａｉｎｏ＠example.fi", Ok("aino@example.fi")),
                ("FI", "aino\u{200b}@example.fi", Ok("aino@example.fi")),
                ("FI", "aino", Err(Invalid::Email)),
                ("FI", "aino@", Err(Invalid::Email)),
                ("FI", "@example.fi", Err(Invalid::Email)),
                ("FI", "aino@localhost", Err(Invalid::Email)),
                ("FI", "aino@[127.0.0.1]", Err(Invalid::Email)),
                ("FI", "Aino K <aino@example.fi>", Err(Invalid::Email)),
                ("FI", "aino k@example.fi", Err(Invalid::Email)),
                ("FI", "aino@exa mple.fi", Err(Invalid::Email)),
                ("FI", "aino@example..fi", Err(Invalid::Email)),
                ("FI", "aino\n@example.fi", Err(Invalid::ControlCharacter)),
            ],
        );
    }

    #[test]
    fn numbers_and_codes_have_one_spelling() {
        check(
            Normaliser::Digits,
            &[
                ("FI", "6004 1234-5678", Ok("600412345678")),
                ("FI", "０１２", Ok("012")),
                ("FI", "no card", Err(Invalid::Digits)),
                ("FI", "12٣", Err(Invalid::Digits)),
                ("FI", "½", Err(Invalid::Digits)),
                ("FI", "12²", Err(Invalid::Digits)),
            ],
        );
        check(
            Normaliser::Upper,
            &[
                ("FI", " jjfi6512 ", Ok("JJFI6512")),
                ("DE", "straße-1", Ok("STRASSE-1")),
                ("FI", "a\u{308}1", Ok("Ä1")),
            ],
        );
        check(Normaliser::Lower, &[("FI", "ÄB-1", Ok("äb-1"))]);
        check(
            Normaliser::Verbatim,
            &[
                ("FI", "\u{a0}aB \u{ff11}c ", Ok("aB 1c")),
                ("FI", " \u{200b} ", Err(Invalid::Empty)),
                ("FI", "a\u{1f}b", Err(Invalid::ControlCharacter)),
                ("FI", "a\tb", Err(Invalid::ControlCharacter)),
            ],
        );
    }

    #[test]
    fn a_value_has_at_most_256_characters() {
        let normal = |raw: &str| normalise(Normaliser::Upper, region("FI"), raw);
        assert_eq!(normal(&"ä".repeat(256)), Ok("Ä".repeat(256)));
        assert_eq!(normal(&"ä".repeat(257)), Err(Invalid::TooLong));
        assert_eq!(normal(&"ß".repeat(256)), Err(Invalid::TooLong));
        assert_eq!(
            normal(&format!("{}a{0}", " ".repeat(300))),
            Ok("A".to_owned())
        );
    }

    fn any_normaliser() -> impl Strategy<Value = Normaliser> {
        prop::sample::select(vec![
            Normaliser::Verbatim,
            Normaliser::Email,
            Normaliser::Phone,
            Normaliser::Digits,
            Normaliser::Upper,
            Normaliser::Lower,
        ])
    }

    fn any_raw() -> impl Strategy<Value = String> {
        prop_oneof![
            ".{0,30}",
            "\\PC{0,30}",
            "[+0-9 ()-]{0,18}",
            "0[1-9][0-9 ]{5,12}",
            "\\+?[1-9][0-9]{6,13}( ?(x|ext\\.?|;ext=) ?[0-9]{1,4})?",
            "[a-zA-ZåäöÅÄÖß.+_-]{1,10}@[a-zA-ZåäöÅÄÖß-]{1,8}\\.(fi|se|de|com)",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn normalising_again_changes_nothing(
            normaliser in any_normaliser(),
            country in prop::sample::select(vec!["FI", "SE", "DE", "US", "IT"]),
            raw in any_raw(),
        ) {
            if let Ok(once) = normalise(normaliser, region(country), &raw) {
                let twice = normalise(normaliser, region(country), &once);
                prop_assert_eq!(twice.as_deref(), Ok(&once[..]));
            }
        }

        #[test]
        fn space_and_case_around_an_address_do_not_matter(local in "[a-z0-9.]{0,3}[a-z0-9]", domain in "[a-z0-9]{1,8}\\.fi") {
            let plain = format!("{local}@{domain}");
            let loud = format!(" \u{feff}{}\u{a0}", plain.to_uppercase());
            prop_assert_eq!(
                normalise(Normaliser::Email, region("FI"), &plain),
                normalise(Normaliser::Email, region("FI"), &loud)
            );
        }
    }
}
