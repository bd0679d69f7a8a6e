use super::*;

fn speech(language: Language) -> Speech {
    let text = "
        [labels.fi]
        sofa = 'Sohva'
        'delivery.late' = 'myöhässä'
        [departments.delivery]
        zone = 'Europe/Helsinki'
    ";
    Speech {
        messages: Messages::of(language),
        company: Arc::new(toml::from_str(text).unwrap()),
        zone: TimeZone::get("Europe/Helsinki").unwrap(),
        now: time("2026-11-20T09:31:00Z"),
    }
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

#[test]
fn a_length_is_said_in_its_two_largest_units() {
    for (minutes, finnish, english) in [
        (0, "alle 1 min", "under 1 min"),
        (-5, "alle 1 min", "under 1 min"),
        (59, "59 min", "59 min"),
        (60, "1 h", "1 h"),
        (80, "1 h 20 min", "1 h 20 min"),
        (1_440, "1 pv", "1 d"),
        (1_445, "1 pv", "1 d"),
        (3_125, "2 pv 4 h", "2 d 4 h"),
    ] {
        let length = Millis::from_secs(60 * minutes);
        assert_eq!(speech(Language::Finnish).length(length), finnish);
        assert_eq!(speech(Language::English).length(length), english);
    }
}

#[test]
fn a_moment_is_said_in_the_departments_time() {
    for (moment, finnish, swedish, english) in [
        (
            "2026-11-20T05:05:00Z",
            "tänään klo 7.05",
            "i dag kl. 07:05",
            "today at 07:05",
        ),
        // Midnight in Helsinki is 22:00 before it in Greenwich.
        (
            "2026-11-19T22:00:00Z",
            "tänään klo 0.00",
            "i dag kl. 00:00",
            "today at 00:00",
        ),
        (
            "2026-11-19T21:59:00Z",
            "eilen klo 23.59",
            "i går kl. 23:59",
            "yesterday at 23:59",
        ),
        (
            "2026-11-20T22:00:00Z",
            "huomenna klo 0.00",
            "i morgon kl. 00:00",
            "tomorrow at 00:00",
        ),
        (
            "2026-11-17T10:00:00Z",
            "ti 17.11. klo 12.00",
            "ti 17 nov. kl. 12:00",
            "Tue 17 Nov at 12:00",
        ),
        (
            "2025-06-17T10:00:00Z",
            "ti 17.6.2025 klo 13.00",
            "ti 17 juni 2025 kl. 13:00",
            "Tue 17 Jun 2025 at 13:00",
        ),
    ] {
        let said = |language| speech(language).moment(time(moment)).text;
        assert_eq!(said(Language::Finnish), finnish);
        assert_eq!(said(Language::Swedish), swedish);
        assert_eq!(said(Language::English), english);
    }
    let never = speech(Language::Finnish).moment(Time::MAX);
    assert!(!never.text.is_empty());
}

#[test]
fn a_name_is_labelled_in_the_readers_language_else_it_is_itself() {
    let name = |text: &str| Name::new(text).unwrap();
    assert_eq!(speech(Language::Finnish).label(&name("sofa")), "Sohva");
    assert_eq!(speech(Language::Swedish).label(&name("sofa")), "sofa");
    assert_eq!(Speech::sentence("äiti"), "Äiti");
    assert_eq!(Speech::sentence(""), "");
}

#[test]
fn what_people_wrote_is_text_of_a_bounded_length_that_ends_its_own_direction() {
    for (text, max, expected) in [
        (
            "Missä pakettini?",
            80,
            "<bdi dir=\"auto\">Missä pakettini?</bdi>",
        ),
        (
            "<img src=x onerror=a()>",
            80,
            "<bdi dir=\"auto\">&#60;img src=x onerror=a()&#62;</bdi>",
        ),
        ("a\u{202e}b", 80, "<bdi dir=\"auto\">a\u{202e}b</bdi>"),
        ("a\u{0}\u{7}b\nc", 80, "<bdi dir=\"auto\">ab\nc</bdi>"),
        ("yksi kaksi", 5, "<bdi dir=\"auto\">yksi…</bdi>"),
        ("  ", 5, "<bdi dir=\"auto\"></bdi>"),
    ] {
        assert_eq!(Words::new(text, max).to_string(), expected);
    }
    let emoji = "\u{1f600}".repeat(10_000);
    assert_eq!(Words::new(&emoji, 80).text.chars().count(), 81);
    assert_eq!(Words::line("a\n\n b\tc", 80).text, "a b c");
    for (name, short) in [
        ("Aino Korhonen", "Aino K."),
        ("Aino", "Aino"),
        ("Aino Maria von Korhonen", "Aino K."),
        ("", ""),
    ] {
        assert_eq!(Words::short_name(name).text, short);
    }
}
