//! What the simulated customers say, in Finnish, Swedish and English.

use rand::{rngs::StdRng, seq::IndexedRandom};

use super::person::Language;

/// What a customer talks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Late,
    Damaged,
    WrongItem,
    Queue,
    WhereIsIt,
    Thanks,
    PutRight,
    SoSo,
}

pub(super) fn say(topic: Topic, language: Language, rng: &mut StdRng) -> &'static str {
    let texts = match language {
        Language::Finnish => finnish(topic),
        Language::Swedish => swedish(topic),
        Language::English => english(topic),
    };
    texts.choose(rng).copied().unwrap_or_default()
}

fn finnish(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::Late => &[
            "Paketti on jo kaksi päivää myöhässä eikä kukaan kerro missä se on.",
            "Sohvan piti tulla maanantaina. Olin kotona koko päivän turhaan.",
            "Toimitus siirtyi taas, ja sain tietää vasta kun itse kysyin.",
        ],
        Topic::Damaged => &[
            "Pöydän kansi oli haljennut, kun avasin paketin.",
            "Lampun varjostin oli lytyssä ja laatikko märkä.",
            "Tuolin jalka irtosi ensimmäisenä iltana.",
        ],
        Topic::WrongItem => &[
            "Sain väärän värisen tuolin, tilasin vihreän.",
            "Laatikossa oli aivan eri lamppu kuin tilauksessa.",
        ],
        Topic::Queue => &[
            "Jonotin palvelutiskillä puoli tuntia, kassoja oli auki yksi.",
            "Noutotiskillä ei ollut ketään, ja puhelimeen ei vastattu.",
        ],
        Topic::WhereIsIt => &[
            "Missä pakettini on?",
            "Seuranta ei ole liikkunut kolmeen päivään. Missä tavarani on?",
        ],
        Topic::Thanks => &[
            "Kiitos, kaikki sujui hienosti.",
            "Kuljettaja soitti etukäteen ja kantoi sohvan sisään. Kiitos!",
        ],
        Topic::PutRight => &[
            "Asia hoidettiin lopulta kuntoon, kiitos siitä.",
            "Korvaus tuli nopeasti ja pahoittelu tuntui aidolta.",
        ],
        Topic::SoSo => &["Ihan hyvin, mutta verkkosivuilta oli vaikea löytää mittoja."],
    }
}

fn swedish(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::Late => &["Paketet är två dagar försenat och ingen berättar var det är."],
        Topic::Damaged => &["Bordsskivan var sprucken när jag öppnade paketet."],
        Topic::WrongItem => &["Stolen har fel färg, jag beställde en grön."],
        Topic::Queue => &["Jag köade en halvtimme och bara en kassa var öppen."],
        Topic::WhereIsIt => &["Var är mitt paket?"],
        Topic::Thanks => &["Tack, allt gick fint."],
        Topic::PutRight => &["Det ordnade sig till slut, tack för det."],
        Topic::SoSo => &["Helt okej, men måtten var svåra att hitta."],
    }
}

fn english(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::Late => &["The parcel is two days late and nobody tells me where it is."],
        Topic::Damaged => &["The table top was cracked when I opened the box."],
        Topic::WrongItem => &["You sent a chair of the wrong colour, I ordered the green one."],
        Topic::Queue => &["I queued for half an hour and only one till was open."],
        Topic::WhereIsIt => &["Where is my parcel?"],
        Topic::Thanks => &["Thank you, everything went well."],
        Topic::PutRight => &["It was put right in the end, thank you for that."],
        Topic::SoSo => &["Fine, but the measurements were hard to find."],
    }
}
