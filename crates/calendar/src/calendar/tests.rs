use proptest::prelude::*;

use super::*;

fn department(zone: &str, hours: &[(Weekday, &[&str])], holidays: &[&str]) -> Department {
    Department {
        zone: zone.to_owned(),
        hours: hours
            .iter()
            .map(|(day, texts)| (*day, texts.iter().map(|text| (*text).to_owned()).collect()))
            .collect(),
        holidays: holidays.iter().map(|text| (*text).to_owned()).collect(),
        ..Department::default()
    }
}

fn helsinki(hours: &[(Weekday, &[&str])], holidays: &[&str]) -> Calendar {
    Calendar::new(&department("Europe/Helsinki", hours, holidays)).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

const OFFICE: [(Weekday, &[&str]); 5] = [
    (Weekday::Mon, &["08:00-16:00"]),
    (Weekday::Tue, &["08:00-16:00"]),
    (Weekday::Wed, &["08:00-16:00"]),
    (Weekday::Thu, &["08:00-12:00", "13:00-17:00"]),
    (Weekday::Fri, &["08:00-16:00"]),
];

#[test]
fn business_time_passes_only_while_the_department_is_open() {
    let office = helsinki(&OFFICE, &["2026-12-24", "2026-12-25"]);
    for (from, length, expected, why) in [
        (
            "2026-11-23T09:00:00+02:00",
            "4h",
            "2026-11-23T13:00:00+02:00",
            "within a day",
        ),
        (
            "2026-11-23T08:00:00+02:00",
            "8h",
            "2026-11-23T16:00:00+02:00",
            "to the day's last moment",
        ),
        (
            "2026-11-23T14:00:00+02:00",
            "4h",
            "2026-11-24T10:00:00+02:00",
            "over night",
        ),
        (
            "2026-11-26T11:00:00+02:00",
            "2h",
            "2026-11-26T14:00:00+02:00",
            "over lunch",
        ),
        (
            "2026-11-27T15:00:00+02:00",
            "2h",
            "2026-11-30T09:00:00+02:00",
            "over a weekend",
        ),
        (
            "2026-11-28T12:00:00+02:00",
            "1h",
            "2026-11-30T09:00:00+02:00",
            "from a closed day",
        ),
        (
            "2026-12-23T15:00:00+02:00",
            "2h",
            "2026-12-28T09:00:00+02:00",
            "over holidays",
        ),
        (
            "2026-03-27T15:00:00+02:00",
            "2h",
            "2026-03-30T09:00:00+03:00",
            "into summer time",
        ),
        (
            "2026-10-23T15:00:00+03:00",
            "2h",
            "2026-10-26T09:00:00+02:00",
            "out of summer time",
        ),
        (
            "2026-11-23T06:00:00+02:00",
            "0s",
            "2026-11-23T06:00:00+02:00",
            "no time",
        ),
    ] {
        let length: Millis = length.parse().unwrap();
        let reached = office.add(time(from), length);
        assert_eq!(reached, time(expected), "{why}");
        assert_eq!(office.between(time(from), reached), length, "{why}");
    }
}

#[test]
fn a_night_shift_gains_and_loses_the_hour_of_the_turn() {
    let every_night: Vec<(Weekday, &[&str])> = WEEKDAYS
        .iter()
        .map(|(day, _)| (*day, &["00:00-06:00", "22:00-24:00"][..]))
        .collect();
    let night = helsinki(&every_night, &[]);
    for (day, hours, why) in [
        ("2026-03-28", 8, "a plain day"),
        ("2026-03-29", 7, "03:00 is 04:00"),
        ("2026-10-25", 9, "04:00 is 03:00 again"),
    ] {
        let zone = ZONES.get("Europe/Helsinki").unwrap();
        let date: Date = day.parse().unwrap();
        let midnight = |date: Date| {
            let moment = zone.to_timestamp(date.to_datetime(civil::Time::midnight()));
            Time::from_millis(moment.unwrap().as_millisecond())
        };
        let (start, end) = (midnight(date), midnight(date.tomorrow().unwrap()));
        assert_eq!(
            night.between(start, end),
            Millis::from_hours(hours),
            "{why}"
        );
        assert_eq!(night.add(start, Millis::from_hours(hours)), end, "{why}");
    }
}

#[test]
fn who_is_always_open_counts_plain_time_but_for_holidays() {
    let from = time("2026-12-23T20:00:00+02:00");
    assert_eq!(
        helsinki(&[], &[]).add(from, Millis::from_hours(10)),
        time("2026-12-24T06:00:00+02:00")
    );
    assert_eq!(
        helsinki(&[], &["2026-12-24"]).add(from, Millis::from_hours(10)),
        time("2026-12-25T06:00:00+02:00")
    );
    assert_eq!(Calendar::always().add(Time::MAX, Millis::new(5)), Time::MAX);
}

#[test]
fn a_department_that_never_opens_again_still_gets_a_deadline() {
    let mut holidays = Vec::new();
    let mut date: Date = "2026-01-01".parse().unwrap();
    for _ in 0..600 {
        holidays.push(date.to_string());
        date = date.tomorrow().unwrap();
    }
    let holidays: Vec<&str> = holidays.iter().map(String::as_str).collect();
    let closed = helsinki(&OFFICE, &holidays);
    let from = time("2026-01-01T08:00:00+02:00");
    assert_eq!(
        closed.add(from, Millis::from_hours(4)),
        from + Millis::from_hours(4)
    );
}

#[test]
fn what_cannot_be_read_is_named_by_its_field() {
    let faulty = department(
        "Europe/Helsingfors",
        &[
            (Weekday::Mon, &["08:00-16:00", "15:00-17:00"]),
            (Weekday::Tue, &["8-16", "09:00-25:00", "22:00-06:00"]),
        ],
        &["2026-12-24", "24.12.2026"],
    );
    let faults = Calendar::new(&faulty).unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "zone",
            "holidays[1]",
            "hours.mon",
            "hours.tue[0]",
            "hours.tue[1]",
            "hours.tue[2]"
        ]
    );
    let never = department("Europe/Helsinki", &[(Weekday::Mon, &[])], &[]);
    assert_eq!(Calendar::new(&never).unwrap_err()[0].field, "hours");
}

/// Which minutes of one day are open, by looking at the wall clock minute by minute.
fn open_minutes(
    intervals: &[(u16, u16)],
    minutes: &[(Time, Date, u16)],
    date: Date,
) -> BTreeSet<Time> {
    let mut open = BTreeSet::new();
    let of_day: Vec<_> = minutes.iter().filter(|(_, day, _)| *day == date).collect();
    for (start, end) in intervals {
        let first = of_day.iter().find(|(_, _, wall)| wall >= start);
        let last = of_day.iter().rev().find(|(_, _, wall)| wall < end);
        if let (Some((first, ..)), Some((last, ..))) = (first, last) {
            open.extend(
                of_day
                    .iter()
                    .map(|(at, ..)| *at)
                    .filter(|at| first <= at && at <= last),
            );
        }
    }
    open
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_calendar_agrees_with_one_that_looks_at_every_minute(
        zone in prop::sample::select(vec!["Europe/Helsinki", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago"]),
        start in prop::sample::select(vec!["2026-03-07T12:00:00Z", "2026-03-27T20:00:00Z", "2026-04-03T01:00:00Z", "2026-10-23T05:00:00Z", "2026-10-31T00:00:00Z", "2026-09-04T00:00:00Z"]),
        cuts in prop::collection::vec(prop::collection::btree_set(0_u16..=96, 0..=4), 7),
        holiday in 0_usize..8,
        pairs in prop::collection::vec((0_usize..5_000, 0_usize..5_000), 6),
    ) {
        let intervals: Vec<Vec<(u16, u16)>> = cuts
            .iter()
            .map(|cuts| {
                let cuts: Vec<u16> = cuts.iter().map(|cut| cut * 15).collect();
                cuts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
            })
            .collect();
        prop_assume!(intervals.iter().any(|day| !day.is_empty()));
        let write = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let tz = ZONES.get(zone).unwrap();
        let start = time(start);
        let minutes: Vec<(Time, Date, u16)> = (0..6_000_i64)
            .map(|minute| {
                let at = start + Millis::from_secs(60 * minute);
                let wall = tz.to_datetime(Timestamp::from_millisecond(at.as_millis()).unwrap());
                let of_day = u16::try_from(i16::from(wall.hour()) * 60 + i16::from(wall.minute())).unwrap();
                (at, wall.date(), of_day)
            })
            .collect();
        // The first and last days are only partly in view, which shifts their first and last minutes; leave them out.
        let days: BTreeSet<Date> = minutes.iter().map(|(_, date, _)| *date).collect();
        let whole: Vec<Date> = days.iter().copied().skip(1).take(days.len() - 2).collect();
        let closed = whole.get(holiday).copied();
        let calendar = Calendar::new(&Department {
            zone: zone.to_owned(),
            hours: WEEKDAYS.iter().zip(&intervals).map(|((day, _), intervals)| {
                (*day, intervals.iter().map(|(a, b)| format!("{}-{}", write(*a), write(*b))).collect())
            }).collect(),
            holidays: closed.iter().map(Date::to_string).collect(),
            ..Department::default()
        }).map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
        let mut open = BTreeSet::new();
        for date in whole.iter().filter(|date| Some(**date) != closed) {
            let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap();
            open.extend(open_minutes(&intervals[day], &minutes, *date));
        }
        let in_view: Vec<Time> = minutes.iter().filter(|(_, date, _)| whole.contains(date)).map(|(at, ..)| *at).collect();
        for (a, b) in pairs {
            let (from, to) = (in_view[a % in_view.len()], in_view[b % in_view.len()]);
            let expected = i64::try_from(open.range(from.min(to)..from.max(to)).count()).unwrap();
            let length = Millis::from_secs(60 * expected);
            prop_assert_eq!(calendar.between(from.min(to), from.max(to)), length);
            // Adding what lies between reaches the end of the last open minute before `to`.
            if let Some(last) = open.range(from.min(to)..from.max(to)).next_back() {
                prop_assert_eq!(calendar.add(from.min(to), length), *last + Millis::from_secs(60));
            }
            if let Some(first) = open.range(from.min(to)..from.max(to)).next() {
                prop_assert_eq!(calendar.back(from.max(to), length), *first);
            }
        }
    }
}
