//! Bank account numbers in the international form: a country, two check digits, an account of the country's length.

use super::{DASH, Glyphs, SPACE};

/// The whole length in each country that uses them.
const LENGTHS: [(&[u8; 2], usize); 76] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"XK", 20),
];

/// One past the end of the account number that begins at `start`, if one does.
pub(super) fn find(glyphs: &Glyphs, start: usize) -> Option<usize> {
    let country = [glyphs.at(start), glyphs.at(start + 1)];
    let length = LENGTHS
        .binary_search_by_key(&&country, |(known, _)| *known)
        .ok()
        .map(|place| LENGTHS[place].1)?;
    let mut at = start;
    let mut head = 0;
    let mut account = 0;
    for place in 0..length {
        if place > 0 {
            at = glyphs.skip(at, &[SPACE, DASH], 2);
        }
        let glyph = glyphs.at(at);
        let fits = match place {
            2 | 3 => glyph.is_ascii_digit(),
            _ => glyph.is_ascii_alphanumeric(),
        };
        if !fits {
            return None;
        }
        // The check moves the first four characters to the end.
        if place < 4 {
            head = append(head, glyph);
        } else {
            account = append(account, glyph);
        }
        at += 1;
    }
    // Two letters are four digits: the head is six digits long.
    let remainder = (account * (1_000_000 % 97) + head) % 97;
    (remainder == 1 && glyphs.ends_at(at)).then_some(at)
}

/// Writes a digit, or a letter as its number from 10, behind a number; modulo 97.
fn append(number: u32, glyph: u8) -> u32 {
    if glyph.is_ascii_digit() {
        (number * 10 + u32::from(glyph - b'0')) % 97
    } else {
        (number * 100 + u32::from(glyph - b'A') + 10) % 97
    }
}

#[cfg(test)]
mod tests {
    use crate::mask::text;

    fn check(input: &str, expected: &str) {
        assert_eq!(text(input).0, expected, "{input:?}");
    }

    /// The examples of the registry of account numbers.
    #[test]
    fn accounts_of_many_countries_lose_their_middle() {
        for (account, masked) in [
            ("FI2112345600000785", "FI21 •••• 0785"),
            ("SE4550000000058398257466", "SE45 •••• 7466"),
            ("EE382200221020145685", "EE38 •••• 5685"),
            ("NO9386011117947", "NO93 •••• 7947"),
            ("DE89370400440532013000", "DE89 •••• 3000"),
            ("GB29NWBK60161331926819", "GB29 •••• 6819"),
            ("NL91ABNA0417164300", "NL91 •••• 4300"),
            ("FR1420041010050500013M02606", "FR14 •••• 2606"),
        ] {
            check(account, masked);
            check(&account.to_lowercase(), masked);
            let grouped: Vec<String> = account
                .as_bytes()
                .chunks(4)
                .map(|group| String::from_utf8_lossy(group).into_owned())
                .collect();
            check(
                &format!("tili {}.", grouped.join(" ")),
                &format!("tili {masked}."),
            );
            check(&grouped.join("-"), masked);
        }
    }

    #[test]
    fn a_wrong_check_country_or_length_is_no_account() {
        for other in [
            "FI2112345600000786",
            "ZZ2112345600000785",
            "FI211234560000078",
            "FI21123456000007855",
            "XFI2112345600000785",
        ] {
            check(other, other);
        }
    }
}
