//! How a page says what the model holds: in the reader's language, with the company's labels, in the department's time.

use std::sync::Arc;

use askama::Template;
use event::{Company, DepartmentId, Millis, Name, Time};
use fluent::FluentValue;
use jiff::{
    Timestamp, Zoned,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::language::{Language, Messages};
use crate::model::State;

#[derive(Clone)]
pub(crate) struct Speech {
    pub(crate) messages: &'static Messages,
    company: Arc<Company>,
    zone: TimeZone,
    pub(crate) now: Time,
}

/// A moment, as an element of a page.
#[derive(Clone, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ iso }}" title="{{ whole }}">{{ text }}</time>"#
)]
pub(crate) struct Moment {
    pub(crate) iso: String,
    /// Date and time, without "today".
    pub(crate) whole: String,
    pub(crate) text: String,
}

/// A length of time that grows, or shrinks towards a deadline, as an element of a page; a script keeps it true.
#[derive(Clone, Template)]
#[template(
    ext = "html",
    source = r#"<time class="clock" datetime="{{ iso }}"{% if let Some(to) = to %} data-to="{{ to }}"{% endif %}>{{ text }}</time>"#
)]
pub(crate) struct Clock {
    iso: String,
    /// The moment that it counts from or to, in milliseconds since the epoch; none when it stands still.
    to: Option<i64>,
    pub(crate) text: String,
}

/// What a customer or a colleague wrote, as an element of a page: its direction is its own and ends with it.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<bdi dir="auto">{{ text }}</bdi>"#)]
pub(crate) struct Words {
    pub(crate) text: String,
}

impl askama::filters::HtmlSafe for Moment {}
impl askama::filters::HtmlSafe for Clock {}
impl askama::filters::HtmlSafe for Words {}

impl Speech {
    /// In the time of a department; without one, in that of the company's first.
    pub(crate) fn new(
        state: &State,
        language: Language,
        department: Option<&DepartmentId>,
        now: Time,
    ) -> Speech {
        let company = state.companies.current();
        let zone = department
            .and_then(|department| company.departments.get(department))
            .or_else(|| company.departments.values().next())
            .map_or_else(
                || event::rules::Department::default().zone,
                |department| department.zone.clone(),
            );
        Speech {
            messages: Messages::of(language),
            zone: TimeZone::get(&zone).unwrap_or(TimeZone::UTC),
            company,
            now,
        }
    }

    pub(crate) fn say(&self, key: &str) -> String {
        self.messages.say(key)
    }

    pub(crate) fn with<'a>(
        &self,
        key: &str,
        values: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
    ) -> String {
        self.messages.with(key, values)
    }

    pub(crate) fn named(&self, family: &str, name: &str) -> String {
        self.messages.named(family, name)
    }

    /// What people call a type, a product, a place, a party or a stage; the name itself where nobody said.
    pub(crate) fn label(&self, name: &Name) -> String {
        let language = self.messages.language.as_str();
        self.company.label(language, name).to_owned()
    }

    /// What people call a department.
    pub(crate) fn department(&self, id: &DepartmentId) -> String {
        match self.company.departments.get(id) {
            Some(known) if !known.name.is_empty() => known.name.clone(),
            Some(_) | None => id.to_string(),
        }
    }

    pub(crate) fn company(&self) -> &Company {
        &self.company
    }

    /// A sentence begins with a capital letter, whatever it begins with.
    pub(crate) fn sentence(text: &str) -> String {
        let mut characters = text.chars();
        characters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(characters).collect()
        })
    }

    /// The two largest units: "2 pv 4 h".
    pub(crate) fn length(&self, length: Millis) -> String {
        let minutes = length.as_millis().max(0) / 60_000;
        let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        let (key, one, two) = match (days, hours, minutes) {
            (0, 0, 0) => return self.say("length-under-a-minute"),
            (0, 0, minutes) => ("length-minutes", 0, minutes),
            (0, hours, 0) => ("length-hours", hours, 0),
            (0, hours, minutes) => ("length-hours-minutes", hours, minutes),
            (days, 0, _) => ("length-days", days, 0),
            (days, hours, _) => ("length-days-hours", days, hours),
        };
        let values: &[(&str, i64)] = match key {
            "length-minutes" => &[("minutes", two)],
            "length-hours" => &[("hours", one)],
            "length-hours-minutes" => &[("hours", one), ("minutes", two)],
            "length-days" => &[("days", one)],
            _ => &[("days", one), ("hours", two)],
        };
        self.with(
            key,
            values
                .iter()
                .map(|(name, value)| (*name, FluentValue::from(*value))),
        )
    }

    /// How long it has been since, growing.
    pub(crate) fn since(&self, time: Time) -> Clock {
        self.clock(Some(time), self.now - time)
    }

    /// How long it is until, shrinking.
    pub(crate) fn until(&self, time: Time) -> Clock {
        self.clock(Some(time), time - self.now)
    }

    /// How long it was between two moments.
    pub(crate) fn stood(&self, from: Time, to: Time) -> Clock {
        self.clock(None, to - from)
    }

    fn clock(&self, to: Option<Time>, length: Millis) -> Clock {
        Clock {
            iso: format!("PT{}M", length.as_millis().max(0) / 60_000),
            to: to.map(Time::as_millis),
            text: self.length(length),
        }
    }

    /// "tänään klo 11.31", "pe 20.11. klo 11.31", with the year where it is another.
    pub(crate) fn moment(&self, time: Time) -> Moment {
        let (Some(at), Some(now)) = (self.zoned(time), self.zoned(self.now)) else {
            // Outside the years that a calendar has.
            let text = time.to_string();
            return Moment {
                iso: text.clone(),
                whole: text.clone(),
                text,
            };
        };
        let clock = self.time_of_day(&at);
        let whole = self.dated(&self.date(&at, true), &clock);
        let text = match at.date().since(now.date()).map(|span| span.get_days()) {
            Ok(0) => self.with("moment-today", [("time", clock.into())]),
            Ok(-1) => self.with("moment-yesterday", [("time", clock.into())]),
            Ok(1) => self.with("moment-tomorrow", [("time", clock.into())]),
            Ok(_) | Err(_) => {
                let weekday = self.say(weekday(at.weekday()));
                let date = self.date(&at, at.year() != now.year());
                self.dated(&format!("{weekday} {date}"), &clock)
            }
        };
        Moment {
            iso: time.to_string(),
            whole,
            text,
        }
    }

    /// A date without a time: "20.11.2026".
    pub(crate) fn day(&self, time: Time) -> String {
        self.zoned(time)
            .map_or_else(|| time.to_string(), |at| self.date(&at, true))
    }

    /// The end of a day where the department is.
    pub(crate) fn end_of(&self, day: Date) -> Option<Time> {
        let next = day.tomorrow().ok()?.to_zoned(self.zone.clone()).ok()?;
        Some(Time::from_millis(next.timestamp().as_millisecond() - 1))
    }

    /// The beginning of a day where the department is.
    pub(crate) fn start_of(&self, day: Date) -> Option<Time> {
        let start = day.to_zoned(self.zone.clone()).ok()?;
        Some(Time::from_millis(start.timestamp().as_millisecond()))
    }

    /// The reader's wall time.
    pub(crate) fn zoned(&self, time: Time) -> Option<Zoned> {
        let moment = Timestamp::from_millisecond(time.as_millis()).ok()?;
        Some(moment.to_zoned(self.zone.clone()))
    }

    fn dated(&self, date: &str, clock: &str) -> String {
        self.with(
            "moment-date",
            [("date", date.into()), ("time", clock.into())],
        )
    }

    fn time_of_day(&self, at: &Zoned) -> String {
        let (hour, minute) = (at.hour(), at.minute());
        match self.messages.language {
            Language::Finnish => format!("{hour}.{minute:02}"),
            Language::Swedish | Language::English => format!("{hour:02}:{minute:02}"),
        }
    }

    fn date(&self, at: &Zoned, with_year: bool) -> String {
        let (day, month, year) = (at.day(), at.month(), at.year());
        match (self.messages.language, with_year) {
            (Language::Finnish, true) => format!("{day}.{month}.{year}"),
            (Language::Finnish, false) => format!("{day}.{month}."),
            (Language::Swedish | Language::English, with_year) => {
                let month = self.say(MONTHS[usize::from(month.unsigned_abs()) - 1]);
                if with_year {
                    format!("{day} {month} {year}")
                } else {
                    format!("{day} {month}")
                }
            }
        }
    }
}

const MONTHS: [&str; 12] = [
    "month-1", "month-2", "month-3", "month-4", "month-5", "month-6", "month-7", "month-8",
    "month-9", "month-10", "month-11", "month-12",
];

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "weekday-mon",
        Weekday::Tuesday => "weekday-tue",
        Weekday::Wednesday => "weekday-wed",
        Weekday::Thursday => "weekday-thu",
        Weekday::Friday => "weekday-fri",
        Weekday::Saturday => "weekday-sat",
        Weekday::Sunday => "weekday-sun",
    }
}

impl Words {
    /// The text as it was written, at most so many characters of it.
    pub(crate) fn new(text: &str, chars_max: usize) -> Words {
        // Control characters have no look, and some are not allowed in a page.
        let mut characters = text
            .trim()
            .chars()
            .filter(|character| !character.is_control() || matches!(character, '\n' | '\t'));
        let mut text: String = characters.by_ref().take(chars_max).collect();
        if characters.next().is_some() {
            text.truncate(text.trim_end().len());
            text.push('…');
        }
        Words { text }
    }

    /// On one line.
    pub(crate) fn line(text: &str, chars_max: usize) -> Words {
        let line: Vec<&str> = text.split_whitespace().collect();
        Words::new(&line.join(" "), chars_max)
    }

    /// "Aino Korhonen" is "Aino K." on a list.
    pub(crate) fn short_name(name: &str) -> Words {
        let mut parts = name.split_whitespace();
        let first = parts.next().unwrap_or_default();
        let initial = parts.next_back().and_then(|last| last.chars().next());
        match initial {
            Some(initial) => Words::new(&format!("{first} {initial}."), NAME_CHARS_MAX),
            None => Words::new(first, NAME_CHARS_MAX),
        }
    }
}

const NAME_CHARS_MAX: usize = 40;

#[cfg(test)]
mod tests;
