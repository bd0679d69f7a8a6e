//! Payment card numbers: 13 to 19 digits with separators, in the range of a network and of its length, with Luhn's check.
//!
//! Eighteen digits whose check digit is GS1's are the number of a transport unit (an SSCC), as it stands on every parcel, even if
//! Luhn's check holds too, as it does by chance for one in ten of them. Of the two errors the other one is worse: a masked shipment
//! number refuses one parcel in ten for good, every day, whereas cards of eighteen digits are issued no more (the last, Solo and
//! Switch of the United Kingdom, ended in 2011), and nine in ten of those would still be masked. What is shorter or longer is a card
//! as before.

use super::{DASH, Glyphs, SPACE};

const DIGITS_MAX: usize = 19;
/// Of a transport unit's number.
const SSCC_DIGITS: usize = 18;
/// How many separators may stand between two digits.
const SEPARATORS_MAX: usize = 2;

/// One past the end of the longest card number that begins at `start`, if one does.
pub(super) fn find(glyphs: &Glyphs, start: usize) -> Option<usize> {
    // No network's numbers begin otherwise; this also ends most scans at their first digit.
    if !(b'2'..=b'6').contains(&glyphs.at(start)) {
        return None;
    }
    let mut at = start;
    let mut head = 0_u32;
    // Luhn doubles every second digit counted from the right, so which ones is known only at the end: both sums are kept.
    let (mut last_plain, mut last_doubled) = (0_u32, 0_u32);
    // So does GS1, but it triples.
    let (mut last_once, mut last_thrice) = (0_u32, 0_u32);
    let mut longest = None;
    for length in 1..=DIGITS_MAX {
        let glyph = glyphs.at(at);
        if !glyph.is_ascii_digit() {
            break;
        }
        let digit = u32::from(glyph - b'0');
        if length <= 6 {
            head = head * 10 + digit;
        }
        (last_plain, last_doubled) = (last_doubled + digit, last_plain + doubled(digit));
        (last_once, last_thrice) = (last_thrice + digit, last_once + 3 * digit);
        at += 1;
        let is_sscc = length == SSCC_DIGITS && last_once.is_multiple_of(10);
        let is_card = last_plain.is_multiple_of(10) && is_network(head, length) && !is_sscc;
        if is_card && glyphs.ends_at(at) {
            longest = Some(at);
        }
        at = glyphs.skip(at, &[SPACE, DASH, b'.'], SEPARATORS_MAX);
    }
    longest
}

fn doubled(digit: u32) -> u32 {
    let twice = digit * 2;
    twice / 10 + twice % 10
}

/// Whether a number of that length with those first six digits belongs to a network.
fn is_network(head: u32, length: usize) -> bool {
    match head {
        // Visa
        400_000..=499_999 => matches!(length, 13 | 16 | 19),
        // Mastercard
        510_000..=559_999 | 222_100..=272_099 => length == 16,
        // American Express
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        // Diners Club
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            (14..=19).contains(&length)
        }
        // JCB
        352_800..=358_999 => (16..=19).contains(&length),
        // Discover, UnionPay
        601_100..=601_199
        | 622_126..=622_925
        | 644_000..=659_999
        | 620_000..=622_125
        | 622_926..=629_999 => (16..=19).contains(&length),
        // Maestro
        500_000..=509_999
        | 560_000..=589_999
        | 601_200..=619_999
        | 630_000..=639_999
        | 670_000..=679_999 => (13..=19).contains(&length),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::mask::text;

    /// The digits with the one behind them that makes the sum of all, weighed from the right, a multiple of ten.
    fn checked(digits: &str, weigh: impl Fn(u32, usize) -> u32) -> String {
        let sum: u32 = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| weigh((digit - b'0').into(), place))
            .sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    }

    fn gs1(digits: &str) -> String {
        checked(digits, |digit, place| {
            digit * if place % 2 == 0 { 3 } else { 1 }
        })
    }

    fn luhn(digits: &str) -> String {
        checked(digits, |digit, place| match digit * 2 {
            twice if place % 2 == 0 => twice / 10 + twice % 10,
            _ => digit,
        })
    }

    /// Serial numbers as a Finnish sender counts its parcels.
    #[test]
    fn no_parcel_is_a_card() {
        let of = |serial: u32| gs1(&format!("36430030{serial:09}"));
        assert_eq!(gs1("10614141234567890"), "106141412345678908");
        let masked: Vec<String> = (0..10_000)
            .map(of)
            .filter(|sscc| text(sscc).0 != *sscc)
            .collect();
        assert_eq!(masked.len(), 0, "{:?}", masked.first());
    }

    proptest! {
        #[test]
        fn no_transport_unit_of_any_company_is_a_card(digits in "[0-9]{17}") {
            let sscc = gs1(&digits);
            prop_assert_eq!(text(&sscc).0, sscc.as_str());
            let read_out = format!("kolli (00){sscc}, kiitos");
            prop_assert_eq!(text(&read_out).0, read_out.as_str());
        }

        #[test]
        fn cards_of_all_other_lengths_are_masked_though_they_look_like_another_number(
            digits in "(4[0-9]{14}|4[0-9]{17}|36[0-9]{11}|5[1-5][0-9]{13}|6799[0-9]{14})"
        ) {
            let card = luhn(&digits);
            let masked = format!("•••• {}", &card[card.len() - 4..]);
            prop_assert_eq!(text(&card).0, masked.as_str());
        }

        #[test]
        fn eighteen_digits_of_a_network_are_masked_unless_they_are_a_transport_units(digits in "6799[0-9]{13}") {
            let card = luhn(&digits);
            let is_sscc = gs1(&digits) == card;
            prop_assert_eq!(text(&card).0 == card, is_sscc);
        }
    }

    fn check(input: &str, expected: &str) {
        assert_eq!(text(input).0, expected, "{input:?}");
    }

    /// The networks' own test numbers.
    #[test]
    fn cards_of_every_network_are_masked_to_their_last_four_digits() {
        for card in [
            "4111111111111111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "6759649826438453",
            "6200000000000005",
        ] {
            let masked = format!("•••• {}", &card[card.len() - 4..]);
            check(card, &masked);
            for separator in [" ", "-", "\u{2013}", "\u{a0}", ".", " - ".trim_end()] {
                let grouped: Vec<String> = card
                    .as_bytes()
                    .chunks(4)
                    .map(|group| String::from_utf8_lossy(group).into_owned())
                    .collect();
                check(&grouped.join(separator), &masked);
            }
            check(
                &format!("kortti{card}, kiitos"),
                &format!("kortti{masked}, kiitos"),
            );
        }
        check("3782 822463 10005", "•••• 0005");
        check("12 4111 1111 1111 1111 12/26", "12 •••• 1111 12/26");
        check("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "•••• 1111");
    }

    #[test]
    fn a_wrong_check_digit_range_or_length_is_no_card() {
        for other in [
            "4111111111111112",
            "1111111111111117",
            "41111111111111111111",
            "0004111111111111111",
            "411111111111111",
            "4111   1111   1111   1111",
            "1763628660000",
            "101004143000",
        ] {
            check(other, other);
        }
    }
}
