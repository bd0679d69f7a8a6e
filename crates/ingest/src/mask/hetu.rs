//! The Finnish personal identity code: `DDMMYY`, a sign for the century, `NNN` and a check character.

use super::{DASH, Glyphs, SPACE};

const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
/// How many spaces in a row may stand between two characters of a code.
const SPACES_MAX: usize = 3;

/// One past the end of the code that begins at `start`, if one does: its date exists and its check character is right.
pub(super) fn find(glyphs: &Glyphs, start: usize) -> Option<usize> {
    let spaces = |at| glyphs.skip(at, &[SPACE], SPACES_MAX);
    let mut at = start;
    let mut century = 0;
    let mut digits = [0_u32; 9];
    for (place, digit) in digits.iter_mut().enumerate() {
        if place > 0 {
            at = spaces(at);
        }
        if matches!(place, 2 | 4) {
            at = spaces(glyphs.skip(at, &[b'.', b'/', DASH], 1));
        }
        if place == 6 {
            century = century_of(glyphs.at(at))?;
            at = spaces(at + 1);
        }
        *digit = value(glyphs.at(at))?;
        at += 1;
    }
    at = spaces(at);
    let number = digits.iter().fold(0, |number, digit| number * 10 + digit);
    let check = CHECKS[usize::try_from(number % 31).ok()?];
    let is_code = glyphs.at(at) == check
        && glyphs.ends_at(at + 1)
        && number % 1_000 >= 2
        && is_date(
            digits[0] * 10 + digits[1],
            digits[2] * 10 + digits[3],
            century * 100 + digits[4] * 10 + digits[5],
        );
    is_code.then_some(at + 1)
}

fn value(glyph: u8) -> Option<u32> {
    glyph.is_ascii_digit().then(|| u32::from(glyph - b'0'))
}

/// The letters came in 2023, beside the signs that were in use.
fn century_of(sign: u8) -> Option<u32> {
    match sign {
        b'+' => Some(18),
        b'-' | b'Y' | b'X' | b'W' | b'V' | b'U' => Some(19),
        b'A'..=b'F' => Some(20),
        _ => None,
    }
}

fn is_date(day: u32, month: u32, year: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use crate::mask::text;

    fn is_masked(input: &str) -> bool {
        text(input).0.contains("[hetu]")
    }

    #[test]
    fn published_test_codes_are_masked_in_every_spelling() {
        for code in ["010594Y9032", "010516B903X", "131052-308T", "010594-9032"] {
            let (date, rest) = code.split_at(6);
            let (sign, rest) = rest.split_at(1);
            let (number, check) = rest.split_at(3);
            let dotted = format!("{}.{}.{}", &date[..2], &date[2..4], &date[4..]);
            for spelled in [
                code.to_owned(),
                code.to_lowercase(),
                format!("{date} {sign}{number}{check}"),
                format!("{date}{sign} {number}{check}"),
                format!("{date} {sign} {number} {check}"),
                format!("{date}\u{a0}{sign}\u{a0}{number}{check}"),
                format!("{date}\u{200b}{sign}{number}{check}"),
                format!("{dotted}{sign}{number}{check}"),
                format!(
                    "{}-{}-{}{sign}{number}{check}",
                    &date[..2],
                    &date[2..4],
                    &date[4..]
                ),
                code.chars().map(|c| format!("{c} ")).collect::<String>(),
                format!("Hetuni on {code}."),
                format!("hetu:{code}:n"),
                format!("hetuni{code}"),
                format!("12 {code}"),
                format!("\"{code}\""),
                format!("ä{code}ä"),
            ] {
                assert!(is_masked(&spelled), "{spelled:?}");
            }
        }
    }

    #[test]
    fn every_dash_and_every_century_sign_counts() {
        for dash in
            "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{fe58}\u{fe63}\u{ff0d}"
                .chars()
        {
            assert!(is_masked(&format!("010594{dash}9032")), "{dash:?}");
        }
        for sign in "+-YXWVUABCDEFyxwvuabcdef".chars() {
            assert!(is_masked(&format!("010594{sign}9032")), "{sign}");
        }
        for sign in "GHZ*0:_".chars() {
            assert!(!is_masked(&format!("010594{sign}9032")), "{sign}");
        }
        assert!(is_masked("０１０５９４－９０３２"));
    }

    #[test]
    fn a_wrong_check_a_wrong_date_or_something_longer_is_no_code() {
        for other in [
            "010594Y9033",
            "320594-9032",
            "011394-9032",
            "290201-9036",
            "010594-0014",
            "1010594-9032",
            "010594-90321",
            "010594-9032A",
            "a1010594-9032",
            "040-705-5810",
            "0105949032",
        ] {
            assert!(!is_masked(other), "{other}");
        }
    }

    #[test]
    fn the_century_decides_whether_the_year_has_a_leap_day() {
        let with_check = |sign: char| {
            let number = 290_200_123_u32;
            let check = super::CHECKS[usize::try_from(number % 31).unwrap()];
            format!("290200{sign}123{}", char::from(check))
        };
        assert!(is_masked(&with_check('A')));
        assert!(!is_masked(&with_check('-')));
    }
}
