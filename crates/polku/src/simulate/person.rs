//! The simulated customers: each has several identifiers and uses a different one in each channel.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Finnish,
    Swedish,
    English,
}

impl Language {
    pub(super) fn code(self) -> &'static str {
        match self {
            Language::Finnish => "fi",
            Language::Swedish => "sv",
            Language::English => "en",
        }
    }
}

/// One customer. No two share an identifier.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) language: Language,
    pub(super) customer_number: String,
    pub(super) loyalty_card: String,
    pub(super) email: String,
    /// Without its country code: `40 705 5810`.
    pub(super) phone: String,
    pub(super) device: String,
    /// The call centre's own number for the customer.
    pub(super) zendesk_user: String,
}

const FINNISH_NAMES: [&str; 12] = [
    "Aino", "Eero", "Helmi", "Onni", "Venla", "Toivo", "Siiri", "Arvo", "Lempi", "Kaino", "Elina",
    "Mikko",
];
const SWEDISH_NAMES: [&str; 6] = ["Astrid", "Björn", "Linnea", "Gustav", "Ebba", "Axel"];
const ENGLISH_NAMES: [&str; 6] = ["Emma", "Oliver", "Grace", "Henry", "Alice", "Arthur"];
const INITIALS: [char; 12] = ['A', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'R', 'S', 'T', 'V'];

impl Person {
    /// The person of that number in the company of that seed.
    pub(super) fn new(seed: u64, number: u32, rng: &mut StdRng) -> Person {
        let (language, names) = match rng.random_range(0..10) {
            0..7 => (Language::Finnish, &FINNISH_NAMES[..]),
            7 | 8 => (Language::Swedish, &SWEDISH_NAMES[..]),
            _ => (Language::English, &ENGLISH_NAMES[..]),
        };
        let first = names.choose(rng).copied().unwrap_or("Aino");
        let initial = INITIALS.choose(rng).copied().unwrap_or('K');
        // The seed is in every identifier, so that two simulated companies never share a customer.
        let unique = (seed % 900) * 100_000 + u64::from(number);
        Person {
            name: format!("{first} {initial}."),
            language,
            customer_number: format!("C{unique:08}"),
            loyalty_card: format!("60{unique:08}"),
            email: format!(
                "{}.{}.{unique}@example.fi",
                first.to_lowercase().replace('ö', "o"),
                initial.to_lowercase()
            ),
            phone: format!(
                "4{} {:03} {:04}",
                unique / 10_000_000 % 10,
                unique / 10_000 % 1_000,
                unique % 10_000
            ),
            device: format!("device-{unique:x}"),
            zendesk_user: format!("9{unique:09}"),
        }
    }

    /// The phone number as people write it, one way or another.
    pub(super) fn phone_as_written(&self, rng: &mut StdRng) -> String {
        if rng.random_bool(0.5) {
            format!("0{}", self.phone)
        } else {
            format!("+358 {}", self.phone.replace(' ', ""))
        }
    }
}
