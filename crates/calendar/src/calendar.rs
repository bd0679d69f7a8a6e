//! Business time: when a department is open, and what that makes of a length of time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use event::{
    DepartmentId, Millis, Time,
    rules::{Department, Weekday},
};
use jiff::{
    Timestamp,
    civil::{self, Date},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

use crate::fault::Fault;

/// Only the zones that are compiled in: two machines never decide by different tables.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// After this many days without one open minute a calendar counts as always open, so that a deadline exists whatever was
/// configured.
const CLOSED_DAYS_MAX: u32 = 400;

const DAY_MINUTES: u16 = 24 * 60;

/// The open hours of one department.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// From Monday: the open intervals of the day in minutes of wall time, in order and apart from each other. `None`: every
    /// hour of every day.
    week: Option<[Vec<Interval>; 7]>,
    holidays: BTreeSet<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Interval {
    start: u16,
    end: u16,
}

impl Calendar {
    /// # Errors
    /// When the zone, an interval or a holiday cannot be read.
    pub fn new(department: &Department) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let zone = ZONES.get(&department.zone).unwrap_or_else(|_| {
            let problem = format!(
                "`{}` is no IANA time zone: write one like `Europe/Helsinki`",
                department.zone
            );
            faults.push(Fault::new("zone", problem));
            TimeZone::UTC
        });
        let mut holidays = BTreeSet::new();
        for (index, text) in department.holidays.iter().enumerate() {
            match text.parse() {
                Ok(date) => {
                    holidays.insert(date);
                }
                Err(_) => faults.push(Fault::new(
                    format!("holidays[{index}]"),
                    format!("`{text}` is no date: write one like `2026-12-24`"),
                )),
            }
        }
        let week = week(department, &mut faults);
        if faults.is_empty() {
            Ok(Self {
                zone,
                week,
                holidays,
            })
        } else {
            Err(faults)
        }
    }

    /// The calendar of a department as the machines use it. The check of the rules keeps faulty ones out; should one get past
    /// it, its department counts as always open, which makes its deadlines early rather than never.
    pub fn of(departments: &BTreeMap<DepartmentId, Department>, department: &DepartmentId) -> Self {
        departments
            .get(department)
            .and_then(|found| Self::new(found).ok())
            .unwrap_or_else(Self::always)
    }

    /// Open all the time: business time is plain time.
    pub fn always() -> Self {
        Self {
            zone: TimeZone::UTC,
            week: None,
            holidays: BTreeSet::new(),
        }
    }

    /// The first moment by which this much business time has passed since `from`.
    pub fn add(&self, from: Time, length: Millis) -> Time {
        if length <= Millis::ZERO {
            return from;
        }
        let mut left = length;
        let mut cursor = from;
        let mut closed_days = 0;
        let Some(mut days) = self.days(from) else {
            return from + length;
        };
        while closed_days < CLOSED_DAYS_MAX {
            let Some(open) = days.next() else { break };
            closed_days = if open.is_empty() { closed_days + 1 } else { 0 };
            for (start, end) in open {
                let start = start.max(cursor);
                if end <= start {
                    continue;
                }
                if end - start >= left {
                    return start + left;
                }
                left = left - (end - start);
                cursor = end;
            }
        }
        cursor + left
    }

    /// The last moment from which on this much business time passes until `to`: `add` backwards.
    pub fn back(&self, to: Time, length: Millis) -> Time {
        if length <= Millis::ZERO {
            return to;
        }
        let Some(mut days) = self.days_back(to) else {
            return to - length;
        };
        let mut left = length;
        let mut cursor = to;
        let mut closed_days = 0;
        while closed_days < CLOSED_DAYS_MAX {
            let Some(open) = days.next() else { break };
            closed_days = if open.is_empty() { closed_days + 1 } else { 0 };
            for (start, end) in open.into_iter().rev() {
                let end = end.min(cursor);
                if end <= start {
                    continue;
                }
                if end - start >= left {
                    return end - left;
                }
                left = left - (end - start);
                cursor = start;
            }
        }
        cursor - left
    }

    /// How much business time lies between two moments; none when `to` is not after `from`.
    pub fn between(&self, from: Time, to: Time) -> Millis {
        if to <= from {
            return Millis::ZERO;
        }
        let mut sum = Millis::ZERO;
        let mut cursor = from;
        let mut closed_days = 0;
        let Some(mut days) = self.days(from) else {
            return to - from;
        };
        while cursor < to {
            if closed_days == CLOSED_DAYS_MAX {
                return sum + (to - cursor);
            }
            let Some(open) = days.next() else { break };
            closed_days = if open.is_empty() { closed_days + 1 } else { 0 };
            for (start, end) in open {
                if start >= to {
                    return sum;
                }
                let (start, end) = (start.max(cursor), end.min(to));
                if start < end {
                    sum = sum + (end - start);
                    cursor = end;
                }
            }
        }
        sum
    }

    /// Day by day from the one that `from` lies in: the open intervals. `None` when nothing is ever closed, or when the
    /// moment has no date.
    fn days(&self, from: Time) -> Option<impl Iterator<Item = Vec<(Time, Time)>>> {
        self.walk(from, |today| today.tomorrow().ok())
    }

    /// The same into the past.
    fn days_back(&self, from: Time) -> Option<impl Iterator<Item = Vec<(Time, Time)>>> {
        self.walk(from, |today| today.yesterday().ok())
    }

    fn walk(
        &self,
        from: Time,
        next: fn(Date) -> Option<Date>,
    ) -> Option<impl Iterator<Item = Vec<(Time, Time)>>> {
        if self.week.is_none() && self.holidays.is_empty() {
            return None;
        }
        let moment = Timestamp::from_millisecond(from.as_millis()).ok()?;
        let mut date = Some(self.zone.to_datetime(moment).date());
        Some(std::iter::from_fn(move || {
            let today = date?;
            date = next(today);
            Some(self.open_on(today))
        }))
    }

    fn open_on(&self, date: Date) -> Vec<(Time, Time)> {
        if self.holidays.contains(&date) {
            return Vec::new();
        }
        let all_day = [Interval {
            start: 0,
            end: DAY_MINUTES,
        }];
        let intervals = match &self.week {
            None => &all_day[..],
            Some(week) => {
                let day = date.weekday().to_monday_zero_offset();
                &week[usize::try_from(day).expect("a weekday is 0 to 6")]
            }
        };
        intervals
            .iter()
            .filter_map(|interval| {
                let start = self.moment(date, interval.start, Edge::Start)?;
                let end = self.moment(date, interval.end, Edge::End)?;
                (start < end).then_some((start, end))
            })
            .collect()
    }

    /// When the wall clock shows these minutes. When clocks are turned back it shows them twice: an interval starts with the
    /// first time and ends with the last. Minutes that clocks skip are the moment of the turn.
    fn moment(&self, date: Date, minutes: u16, edge: Edge) -> Option<Time> {
        let (date, minutes) = if minutes == DAY_MINUTES {
            (date.tomorrow().ok()?, 0)
        } else {
            (date, minutes)
        };
        let hour = i8::try_from(minutes / 60).expect("a day has 24 hours");
        let minute = i8::try_from(minutes % 60).expect("an hour has 60 minutes");
        let wall = civil::Time::constant(hour, minute, 0, 0);
        let shown = self.zone.to_ambiguous_timestamp(date.to_datetime(wall));
        let moment = match (shown.offset(), edge) {
            (AmbiguousOffset::Gap { .. }, _) => {
                let before = shown.earlier().ok()?;
                self.zone.following(before).next()?.timestamp()
            }
            (AmbiguousOffset::Fold { .. }, Edge::End) => {
                let (first, last) = (shown.earlier().ok()?, shown.later().ok()?);
                let turn = self.zone.following(first).next()?.timestamp();
                // Turned back to the very end of the interval, the clock never shows a time in it again.
                if last == turn { first } else { last }
            }
            (AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. }, _) => {
                shown.earlier().ok()?
            }
        };
        Some(Time::from_millis(moment.as_millisecond()))
    }
}

#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "mon"),
    (Weekday::Tue, "tue"),
    (Weekday::Wed, "wed"),
    (Weekday::Thu, "thu"),
    (Weekday::Fri, "fri"),
    (Weekday::Sat, "sat"),
    (Weekday::Sun, "sun"),
];

fn week(department: &Department, faults: &mut Vec<Fault>) -> Option<[Vec<Interval>; 7]> {
    if department.hours.is_empty() {
        return None;
    }
    let week = WEEKDAYS.map(|(weekday, name)| {
        let texts = department
            .hours
            .get(&weekday)
            .map_or(&[][..], Vec::as_slice);
        let mut day = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match interval(text) {
                Ok(interval) => day.push(interval),
                Err(problem) => faults.push(Fault::new(format!("hours.{name}[{index}]"), problem)),
            }
        }
        day.sort();
        if day.windows(2).any(|pair| pair[1].start < pair[0].end) {
            faults.push(Fault::new(
                format!("hours.{name}"),
                "two of the day's intervals overlap",
            ));
        }
        day
    });
    if week.iter().all(Vec::is_empty) {
        faults.push(Fault::new(
            "hours",
            "the department is never open: leave `hours` out if it always is",
        ));
    }
    Some(week)
}

fn interval(text: &str) -> Result<Interval, String> {
    let wrong = || format!("`{text}` is no interval: write one like `08:00-16:00`");
    let (start, end) = text.split_once('-').ok_or_else(wrong)?;
    let interval = Interval {
        start: minutes(start).ok_or_else(wrong)?,
        end: minutes(end).ok_or_else(wrong)?,
    };
    if interval.start < interval.end {
        Ok(interval)
    } else {
        Err(format!(
            "`{text}` ends before it starts: end at `24:00` and go on the next day"
        ))
    }
}

/// `08:00` to `24:00` as minutes of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two_digits = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= DAY_MINUTES).then_some(total)
}

#[cfg(test)]
mod tests;
