//! The pages, as their templates are filled.

use askama::Template;

use super::{
    feeling::Feeling,
    given::{Fault, Given, SCORE_MAX, TEXT_CHARS_MAX},
    language::{Language, Messages},
};

/// The form itself.
#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct Form<'a> {
    pub(super) say: &'static Messages,
    /// Whom it speaks for.
    pub(super) company: Option<&'a str>,
    pub(super) source: &'a str,
    pub(super) given: &'a Given,
    pub(super) faults: &'a [Fault],
    pub(super) trouble: Option<Trouble>,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "said.html")]
pub(super) struct Said<'a> {
    pub(super) say: &'static Messages,
    pub(super) company: Option<&'a str>,
    /// Where the style sheet lies from here.
    pub(super) root: &'a str,
    pub(super) title: String,
    pub(super) text: String,
    /// A link back to the form, and what it is called.
    pub(super) again: Option<(String, String)>,
}

/// Why nothing was taken, though nothing is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The address answers too often.
    TooMany,
    /// The log takes nothing now.
    Unavailable,
    /// The door refused it.
    Refused,
}

/// One of several to choose from.
pub(super) struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

pub(super) struct Link {
    language: &'static str,
    name: &'static str,
    query: String,
    here: bool,
}

/// A fault with the field it leads to.
pub(super) struct Shown {
    anchor: &'static str,
    text: String,
}

impl Trouble {
    const fn key(self) -> &'static str {
        match self {
            Trouble::TooMany => "trouble-too-many",
            Trouble::Unavailable => "trouble-unavailable",
            Trouble::Refused => "trouble-refused",
        }
    }
}

impl Fault {
    const fn anchor(self) -> &'static str {
        match self {
            Fault::Nothing => "score-0",
            Fault::TextTooLong => "text",
            Fault::Email => "email",
            Fault::Phone => "phone",
        }
    }
}

impl Form<'_> {
    fn language(&self) -> &'static str {
        self.say.language.as_str()
    }

    fn scores(&self) -> Vec<Choice> {
        let choice = |score: u8| Choice {
            value: score.to_string(),
            label: score.to_string(),
            chosen: self.given.score == Some(score),
        };
        (0..=SCORE_MAX).map(choice).collect()
    }

    fn feelings(&self) -> Vec<Choice> {
        let choice = |feeling: Feeling| Choice {
            value: feeling.as_str().to_owned(),
            label: self.say.say(feeling.key()),
            chosen: self.given.feeling == Some(feeling),
        };
        Feeling::ALL.map(choice).into()
    }

    fn links(&self) -> Vec<Link> {
        let link = |language: Language| Link {
            language: language.as_str(),
            name: language.own_name(),
            query: self.given.about.query(language.as_str()),
            here: language == self.say.language,
        };
        Language::ALL.map(link).into()
    }

    fn shown(&self) -> Vec<Shown> {
        let shown = |fault: &Fault| Shown {
            anchor: fault.anchor(),
            text: self.text_of(*fault),
        };
        self.faults.iter().map(shown).collect()
    }

    fn text_of(&self, fault: Fault) -> String {
        match fault {
            Fault::Nothing => self.say.say("fault-nothing"),
            Fault::TextTooLong => self.say.with_most("fault-text", TEXT_CHARS_MAX),
            Fault::Email => self.say.say("fault-email"),
            Fault::Phone => self.say.say("fault-phone"),
        }
    }

    /// The fault that is shown at a field.
    fn at(&self, anchor: &str) -> Option<String> {
        let fault = self.faults.iter().find(|fault| fault.anchor() == anchor);
        fault.map(|fault| self.text_of(*fault))
    }

    fn trouble_text(&self) -> Option<String> {
        self.trouble.map(|trouble| self.say.say(trouble.key()))
    }
}
