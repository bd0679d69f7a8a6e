//! The masks: Finnish personal identity codes, payment cards and IBANs leave every text before anything is stored.
//!
//! A text is folded once into glyphs (digits, upper-case letters, dashes, spaces), so that lower case, full-width forms, Unicode
//! dashes and odd spaces need no rule of their own. At each beginning of a word or a group of digits a matcher looks at a
//! bounded number of glyphs, so that the scan is linear whatever the text. Every match is verified by its check digit.

mod card;
mod hetu;
mod iban;

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// What a personal identity code becomes.
const HETU: &str = "[hetu]";
/// What stands for the hidden part of a card or an IBAN.
const DOTS: &str = "••••";

/// How many of each were masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub hetu: u64,
    pub card: u64,
    pub iban: u64,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.hetu += other.hetu;
        self.card += other.card;
        self.iban += other.iban;
    }
}

/// The text without what must not be stored. Borrowed when there was nothing to mask.
pub fn text(text: &str) -> (Cow<'_, str>, Counts) {
    let mut counts = Counts::default();
    // Each of the three has at least nine digits; most texts have none.
    if text
        .chars()
        .filter(|c| fold(*c).is_ascii_digit())
        .take(9)
        .count()
        < 9
    {
        return (Cow::Borrowed(text), counts);
    }
    let glyphs = Glyphs::of(text);
    let found = glyphs.scan();
    if found.is_empty() {
        return (Cow::Borrowed(text), counts);
    }
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for found in found {
        masked.push_str(&text[copied..glyphs.byte(found.start)]);
        match found.what {
            What::Hetu => {
                counts.hetu += 1;
                masked.push_str(HETU);
            }
            What::Card => {
                counts.card += 1;
                masked.push_str(DOTS);
                masked.push(' ');
                masked.push_str(&glyphs.last_four(&found));
            }
            What::Iban => {
                counts.iban += 1;
                masked.push_str(&glyphs.first_four(&found));
                masked.push(' ');
                masked.push_str(DOTS);
                masked.push(' ');
                masked.push_str(&glyphs.last_four(&found));
            }
        }
        copied = glyphs.byte(found.end);
    }
    masked.push_str(&text[copied..]);
    (Cow::Owned(masked), counts)
}

/// Masks every text, number and key of a JSON value in place.
pub fn json(value: &mut Value) -> Counts {
    let mut counts = Counts::default();
    mask_json(value, &mut counts);
    counts
}

fn mask_json(value: &mut Value, counts: &mut Counts) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            let written = number.to_string();
            let (masked, found) = text(&written);
            if let Cow::Owned(masked) = masked {
                *value = Value::String(masked);
                counts.add(found);
            }
        }
        Value::String(said) => {
            let (masked, found) = text(said);
            if let Cow::Owned(masked) = masked {
                *said = masked;
                counts.add(found);
            }
        }
        Value::Array(items) => {
            for item in items {
                mask_json(item, counts);
            }
        }
        Value::Object(fields) => {
            for (key, mut inner) in std::mem::take(fields) {
                mask_json(&mut inner, counts);
                let (masked, found) = text(&key);
                counts.add(found);
                fields.insert(masked.into_owned(), inner);
            }
        }
    }
}

/// Bytes that could not be read as anything, as text after the masks. JSON's escapes are resolved first: a dash written as
/// `\u002d` hides nothing.
pub fn bytes(bytes: &[u8]) -> (String, Counts) {
    let read = String::from_utf8_lossy(bytes);
    let plain = unescape(&read);
    let (masked, counts) = text(&plain);
    (masked.into_owned(), counts)
}

/// Whether a text carries the trace of a mask, so that it cannot serve as an identifier or a name.
pub fn is_marked(text: &str) -> bool {
    text.contains(HETU) || text.contains(DOTS)
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let unicode = rest
            .strip_prefix('u')
            .and_then(|digits| digits.get(..4))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        if let Some(unicode) = unicode {
            plain.push(unicode);
            rest = &rest[5..];
        } else if rest.starts_with(['n', 'r', 't', 'b', 'f']) {
            plain.push(' ');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Hetu,
    Card,
    Iban,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    what: What,
    start: usize,
    /// One past the last glyph.
    end: usize,
}

const SPACE: u8 = b' ';
const DASH: u8 = b'-';
/// Any character that belongs to none of the three.
const OTHER: u8 = 0;

/// A text, folded: one byte a character, with the character's place in the text.
struct Glyphs {
    folded: Vec<u8>,
    /// The byte each glyph begins at, and the text's length.
    starts: Vec<usize>,
    #[cfg(test)]
    looked: std::cell::Cell<u64>,
}

impl Glyphs {
    fn of(text: &str) -> Glyphs {
        let mut folded = Vec::with_capacity(text.len());
        let mut starts = Vec::with_capacity(text.len() + 1);
        for (at, character) in text.char_indices() {
            folded.push(fold(character));
            starts.push(at);
        }
        starts.push(text.len());
        Glyphs {
            folded,
            starts,
            #[cfg(test)]
            looked: std::cell::Cell::default(),
        }
    }

    /// The glyph at a place; `OTHER` past the end.
    fn at(&self, index: usize) -> u8 {
        #[cfg(test)]
        self.looked.set(self.looked.get() + 1);
        self.folded.get(index).copied().unwrap_or(OTHER)
    }

    fn byte(&self, index: usize) -> usize {
        self.starts[index]
    }

    /// A match ends where no further letter or digit follows at once.
    fn ends_at(&self, index: usize) -> bool {
        !self.at(index).is_ascii_alphanumeric()
    }

    /// Skips up to `most` glyphs of the given ones.
    fn skip(&self, mut index: usize, of: &[u8], most: usize) -> usize {
        for _ in 0..most {
            if !of.contains(&self.at(index)) {
                break;
            }
            index += 1;
        }
        index
    }

    fn scan(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut index = 0;
        // Letters alone may precede a number (`hetuni010594-9032`); a digit before it makes it part of something longer.
        let mut only_letters = true;
        while index < self.folded.len() {
            let glyph = self.at(index);
            if !glyph.is_ascii_alphanumeric() {
                only_letters = true;
                index += 1;
                continue;
            }
            let starts_word = index == 0 || !self.folded[index - 1].is_ascii_alphanumeric();
            let matched = if glyph.is_ascii_digit() && only_letters {
                hetu::find(self, index)
                    .map(|end| (What::Hetu, end))
                    .or_else(|| card::find(self, index).map(|end| (What::Card, end)))
            } else if starts_word {
                iban::find(self, index).map(|end| (What::Iban, end))
            } else {
                None
            };
            if let Some((what, end)) = matched {
                found.push(Found {
                    what,
                    start: index,
                    end,
                });
                index = end;
                only_letters = true;
            } else {
                only_letters &= !glyph.is_ascii_digit();
                index += 1;
            }
        }
        found
    }

    fn first_four(&self, found: &Found) -> String {
        self.signs(found).take(4).collect()
    }

    fn last_four(&self, found: &Found) -> String {
        let signs: Vec<char> = self.signs(found).collect();
        signs[signs.len().saturating_sub(4)..].iter().collect()
    }

    fn signs(&self, found: &Found) -> impl Iterator<Item = char> {
        self.folded[found.start..found.end]
            .iter()
            .filter(|glyph| glyph.is_ascii_alphanumeric())
            .map(|glyph| char::from(*glyph))
    }
}

fn fold(character: char) -> u8 {
    match character {
        '0'..='9' | 'A'..='Z' | '+' | '.' | '/' => character as u8,
        'a'..='z' => character.to_ascii_uppercase() as u8,
        '-'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}' => DASH,
        // Soft hyphen, zero-width and joining characters are seen as spaces: they hide a number from nobody who reads it.
        '\0' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => SPACE,
        space if space.is_whitespace() => SPACE,
        // Full-width, raised, bold or circled forms. Letters with marks stay what they are: they end a word of their own.
        other if !other.is_ascii() => match other.nfkd().next() {
            Some(plain) if plain.is_ascii_alphanumeric() && other.nfkc().eq([plain]) => {
                plain.to_ascii_uppercase() as u8
            }
            Some('+') => b'+',
            Some(_) | None => OTHER,
        },
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(text(input).0, expected, "{input:?}");
    }

    #[test]
    fn a_text_without_numbers_is_left_as_it_is() {
        for same in [
            "",
            "Paketti tuli kaksi päivää myöhässä",
            "call 040 705 5810 or +358 40 705 5810",
            "2026-11-20T09:31:00+02:00",
            "order 100234, 129.90 EUR, 12.05.2026",
            "e481f51cbdc54678b7cc49136f2d6af7",
        ] {
            check(same, same);
        }
    }

    #[test]
    fn several_in_one_text_are_all_masked_and_counted() {
        let (masked, counts) =
            text("Olen 010594Y9032, kortti 4111-1111-1111-1111, tili FI21 1234 5600 0007 85.");
        assert_eq!(
            masked,
            "Olen [hetu], kortti •••• 1111, tili FI21 •••• 0785."
        );
        assert_eq!(
            counts,
            Counts {
                hetu: 1,
                card: 1,
                iban: 1
            }
        );
    }

    #[test]
    fn json_is_masked_in_texts_numbers_keys_and_depths() {
        let mut value = json!({
            "text": "010516B903X",
            "010594Y9032": 1,
            "deep": [{"n": 4_111_111_111_111_111_u64, "ok": 17}],
        });
        let counts = json(&mut value);
        assert_eq!(
            value,
            json!({"text": "[hetu]", "[hetu]": 1, "deep": [{"n": "•••• 1111", "ok": 17}]})
        );
        assert_eq!((counts.hetu, counts.card), (2, 1));
    }

    #[test]
    fn escapes_hide_nothing_in_bytes_that_are_no_json() {
        for raw in [
            r#"{"text": "a\n010594\u002D9032"#,
            r#"{"text": "01059\u0034-9032"#,
            "{\"text\": \"010594-9032\"\u{0}",
        ] {
            let (masked, counts) = bytes(raw.as_bytes());
            assert!(masked.contains("[hetu]"), "{masked}");
            assert_eq!(counts.hetu, 1);
        }
        assert_eq!(bytes(&[b'"', 0xff, b'1']).0, "\"\u{fffd}1");
    }

    /// The number of glyphs looked at grows with the text and not faster, also for texts made to be hard.
    #[test]
    fn the_scan_is_linear() {
        for hard in [
            "0101",
            "0 1 0 1 ",
            "4 4 4 4 ",
            "01.01.01 A",
            "FI21 ",
            "FI21 4444 0101",
            "a4444 ",
        ] {
            let looked = |length: usize| {
                let glyphs = Glyphs::of(&hard.repeat(length / hard.len()));
                glyphs.scan();
                glyphs.looked.get()
            };
            let (small, large) = (looked(1 << 14), looked(1 << 20));
            assert!(large <= small * 66, "{hard:?}: {small} then {large}");
            assert!(large <= 64 << 20, "{hard:?}: {large}");
        }
    }

    #[test]
    fn random_texts_of_eleven_characters_are_hardly_ever_masked() {
        let alphabet: Vec<char> = "0123456789ABCDEFHJKLMNPRSTUVWXY-+".chars().collect();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut masked = 0;
        for _ in 0..10_000 {
            let random: String = (0..11)
                .map(|_| alphabet[usize::try_from(next() % 33).unwrap()])
                .collect();
            masked += usize::from(is_marked(&text(&random).0));
        }
        assert!(masked < 100, "{masked} of 10,000");
    }

    proptest! {
        #[test]
        fn a_masked_text_has_nothing_left_to_mask(input in "[0-9A-Fa-f+ .–-]{0,60}") {
            let once = text(&input).0.into_owned();
            prop_assert_eq!(text(&once).1, Counts::default(), "{}", once);
        }

        #[test]
        fn any_text_is_taken(input in ".{0,80}") {
            let _masked = text(&input);
            let _bytes = bytes(input.as_bytes());
        }
    }
}
