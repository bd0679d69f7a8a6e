//! What the simulated customers say, in Finnish and English.

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
}

pub(super) fn say(topic: Topic, language: Language) -> &'static str {
    match (topic, language) {
        (Topic::Late, Language::Finnish) => {
            "Paketti on jo kaksi päivää myöhässä eikä kukaan kerro missä se on."
        }
        (Topic::Late, Language::English) => {
            "The parcel is two days late and nobody tells me where it is."
        }
        (Topic::Damaged, Language::Finnish) => "Pöydän kansi oli haljennut, kun avasin paketin.",
        (Topic::Damaged, Language::English) => "The table top was cracked when I opened the box.",
        (Topic::WrongItem, Language::Finnish) => "Sain väärän värisen tuolin, tilasin vihreän.",
        (Topic::WrongItem, Language::English) => {
            "You sent a chair of the wrong colour, I ordered the green one."
        }
        (Topic::Queue, Language::Finnish) => {
            "Jonotin palvelutiskillä puoli tuntia, kassoja oli auki yksi."
        }
        (Topic::Queue, Language::English) => {
            "I queued for half an hour and only one till was open."
        }
        (Topic::WhereIsIt, Language::Finnish) => "Missä pakettini on?",
        (Topic::WhereIsIt, Language::English) => "Where is my parcel?",
        (Topic::Thanks, Language::Finnish) => "Kiitos, kaikki sujui hienosti.",
        (Topic::Thanks, Language::English) => "Thank you, everything went well.",
        (Topic::PutRight, Language::Finnish) => "Asia hoidettiin lopulta kuntoon, kiitos siitä.",
        (Topic::PutRight, Language::English) => "It was put right in the end, thank you for that.",
    }
}
