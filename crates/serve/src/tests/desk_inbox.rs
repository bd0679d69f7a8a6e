use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::StatusCode};
use event::{
    Channel, Event, Kind, Record,
    case::{Phase, State, StepKind},
    notice::Why,
};
use futures::StreamExt as _;
use tokio::time::timeout;

use super::{
    pages::Browser,
    world::{
        COMPANY, Told, WEB, World, assigned, at, case, case_id, company, department, entry, name,
        notice, placed, profile, stands, step,
    },
};
use crate::Config;

const PATIENCE: Duration = Duration::from_secs(10);

/// Two days, four hours and five minutes after it happened.
pub(super) const NOW: i64 = 3_125;

const LABELS: &str = "
[departments.delivery.units.helsinki]
name = 'Helsingin keskusta'
[labels.fi]
sofa = 'Sohva'
'delivery.late' = 'myöhässä'
posti = 'Posti'
[labels.sv]
sofa = 'Soffan'
'delivery.late' = 'försenad'
posti = 'Posten'
[labels.en]
sofa = 'Sofa'
'delivery.late' = 'delivered late'
posti = 'The post'
";

/// A shop that has words for what it sells, at a fixed time.
pub(super) async fn shop() -> World {
    let clock = Arc::new(|| at(NOW).as_millis());
    let world = World::at(Config::default(), clock).await;
    world
        .write([company(2, &format!("{COMPANY}{LABELS}"))])
        .await;
    world
}

/// Aino's sofa is late, she has asked for the third time, and delivery waits for the post.
pub(super) async fn sofa(world: &World, text: &str) -> State {
    let event = complaint(world, "Aino Korhonen", text);
    let customer = profile(&event.values[0]);
    let placed = placed(entry(&event, customer, 1));
    let mut state = case(entry(&event, customer, 1).matter.own_case(), &[customer]);
    state.product = Some(name("sofa"));
    state.contacts = 3;
    state.channels = vec![Channel::Web, Channel::CallCentre];
    state.phase = Phase::Acknowledged;
    state.waiting_on = Some(name("posti"));
    state.waiting_since = Some(at(NOW - 60));
    state.deadline = Some(at(NOW + 80));
    let mut opened = step(state.case, 1, StepKind::Opened, "billing");
    opened.event = Some(event.id);
    let mut accepted = step(state.case, 2, StepKind::Accepted, "delivery");
    accepted.time = at(NOW - 80);
    let assignments: Vec<Record> = event
        .values
        .iter()
        .map(|value| assigned(value, customer, 1))
        .collect();
    let steps = [opened, accepted].map(|step| Record::Case(event::case::Case::Step(step)));
    world.write([Record::Event(event), placed]).await;
    world.write(assignments).await;
    world.write(steps).await;
    world.write([stands(state.clone())]).await;
    state
}

fn complaint(world: &World, who: &str, text: &str) -> Event {
    let told = Told {
        identifiers: &[("email", "aino@example.fi"), ("phone", "040 705 5810")],
        references: &[("order", "A-77")],
        what: "delivery.late",
        name: Some(who),
        text: Some(text),
        ..WEB
    };
    let mut event = world.event(told);
    event.kind = Kind::Complaint;
    event
}

#[tokio::test]
async fn a_row_is_a_sentence_in_the_readers_language() {
    let world = shop().await;
    sofa(&world, "Missä pakettini?").await;
    for (language, first, second, due) in [
        (
            "fi",
            "Sohva myöhässä · Aino K. · Missä pakettini?",
            "3. yhteydenotto, 2 kanavaa · odottanut 2 pv 4 h · teillä 1 h 20 min · odottaa: Posti",
            "aikaa 1 h 20 min",
        ),
        (
            "sv",
            "Soffan försenad · Aino K. · Missä pakettini?",
            "kontakt nr 3, 2 kanaler · väntat 2 d 4 h · hos er 1 h 20 min · väntar på: Posten",
            "tid kvar 1 h 20 min",
        ),
        (
            "en",
            "Sofa delivered late · Aino K. · Missä pakettini?",
            "contact no. 3, 2 channels · waited 2 d 4 h · yours for 1 h 20 min · waits for: The post",
            "due in 1 h 20 min",
        ),
    ] {
        let browser = Browser::of(&world, "advisor").await.speaking(language);
        let page = browser.get("/inbox/delivery").await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.texts(".row .line"), [first, second]);
        assert_eq!(page.texts(".row .mark"), [due]);
        assert_eq!(page.said("h1"), "Delivery & <returns>");
    }
}

#[tokio::test]
async fn one_channel_is_one_and_who_has_it_in_hand_is_named() {
    let world = shop().await;
    let mut state = sofa(&world, "Missä pakettini?").await;
    state.channels = vec![Channel::Web];
    state.contacts = 1;
    state.waiting_on = None;
    let mut claimed = step(state.case, 3, StepKind::Claimed, "delivery");
    claimed.time = at(NOW - 5);
    world
        .write([Record::Case(event::case::Case::Step(claimed))])
        .await;
    for (by, held) in [("advisor", "sinulla 5 min"), ("lead", "lead 5 min")] {
        state.claimed_by = Some(name(by));
        world.write([stands(state.clone())]).await;
        let browser = Browser::of(&world, "advisor").await;
        let page = browser.get("/inbox/delivery").await;
        let line = format!("1. yhteydenotto, 1 kanava · odottanut 2 pv 4 h · {held}");
        assert_eq!(page.texts(".row .line.quiet"), [line]);
    }
}

/// One case for each list.
async fn many(world: &World) {
    let of = |id: &str, change: &dyn Fn(&mut State)| {
        let mut state = case(case_id(id), &[]);
        state.what = name(id);
        state.deadline = Some(at(NOW + 600));
        state.phase = Phase::Acknowledged;
        state.claimed_by = Some(name("lead"));
        change(&mut state);
        stands(state)
    };
    let mut missed = step(case_id("missed"), 2, StepKind::Missed, "delivery");
    missed.reason = Some("contact".to_owned());
    let mut contacted = step(case_id("made-good"), 3, StepKind::Contacted, "delivery");
    contacted.reached = Some(false);
    let mut missed_before = step(case_id("made-good"), 2, StepKind::Missed, "delivery");
    missed_before.reason = Some("acknowledge, contact".to_owned());
    let steps = [missed, missed_before, contacted];
    world
        .write(steps.map(|step| Record::Case(event::case::Case::Step(step))))
        .await;
    world
        .write([
            of("new", &|state| state.phase = Phase::Open),
            of("soon", &|state| state.deadline = Some(at(NOW + 239))),
            of("passed", &|state| state.deadline = Some(at(NOW))),
            of("missed", &|_| ()),
            of("made-good", &|_| ()),
            of("mine", &|state| state.claimed_by = Some(name("advisor"))),
            of("free", &|state| state.claimed_by = None),
            of("waits", &|state| state.waiting_on = Some(name("posti"))),
            of("offered", &|state| {
                state.owner = department("billing");
                state.offered_to = Some(department("delivery"));
                state.offer_due = Some(at(NOW + 300));
            }),
            of("done", &|state| {
                state.phase = Phase::Resolved;
                state.resolved = Some(at(NOW - 60));
            }),
            of("done-long-ago", &|state| {
                state.phase = Phase::Resolved;
                state.resolved = Some(at(NOW - 8 * 1_440));
            }),
            of("asleep", &|state| state.dormant = true),
            of("closed", &|state| state.phase = Phase::Closed),
            of("theirs", &|state| state.owner = department("billing")),
        ])
        .await;
}

#[tokio::test]
async fn every_list_holds_its_cases_and_says_how_many() {
    let world = shop().await;
    many(&world).await;
    let advisor = Browser::of(&world, "advisor").await;
    let all = [
        "Free",
        "Made-good",
        "Mine",
        "Missed",
        "New",
        "Offered",
        "Passed",
        "Soon",
        "Waits",
    ];
    for (show, expected) in [
        ("all", &all[..]),
        ("new", &["New"]),
        ("due-soon", &["Soon"]),
        ("overdue", &["Missed", "Passed"]),
        ("mine", &["Mine"]),
        ("unclaimed", &["Free"]),
        ("waiting", &["Waits"]),
        ("offered", &["Offered"]),
        ("resolved", &["Done"]),
        ("dormant", &["Asleep"]),
        ("praise", &[]),
    ] {
        let page = advisor.get(&format!("/inbox/delivery?show={show}")).await;
        let mut shown = page.texts(".row strong");
        shown.sort();
        assert_eq!(shown, expected, "{show}");
        let count = page.said(&format!("#show-{show} .count"));
        assert_eq!(count, expected.len().to_string(), "{show}");
        assert_eq!(
            page.attributes(".tabs [aria-current]", "id"),
            [format!("show-{show}")]
        );
        assert_eq!(page.has(".rows"), !expected.is_empty(), "{show}");
    }
    let missing = advisor.get("/inbox/delivery?show=lost").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_due_first_comes_first_and_what_was_missed_before_it() {
    let world = shop().await;
    many(&world).await;
    let advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get("/inbox/delivery").await;
    let shown = page.texts(".row strong");
    assert_eq!(
        shown[..4],
        ["Missed", "Passed", "Soon", "Offered"],
        "{shown:?}"
    );
    let tones = page.attributes(".row", "class");
    assert_eq!(tones[..4], ["row bad", "row bad", "row soon", "row later"]);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let world = shop().await;
    let many = (0..120).map(|number| {
        let mut state = case(case_id(&number.to_string()), &[]);
        // Several are due at one moment.
        state.deadline = Some(at(NOW + 600 + number / 7));
        stands(state)
    });
    world.write(many).await;
    let advisor = Browser::of(&world, "advisor").await;
    let mut seen = Vec::new();
    let mut path = "/inbox/delivery?show=new".to_owned();
    let mut pages = 0;
    loop {
        let page = advisor.get(&path).await;
        seen.extend(page.attributes(".row a", "href"));
        pages += 1;
        let next = page.attributes("a.button[href*=after]", "href");
        let Some(next) = next.first() else { break };
        path.clone_from(next);
    }
    assert_eq!((pages, seen.len()), (3, 120));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
}

#[tokio::test]
async fn a_unit_has_an_inbox_of_its_own() {
    let world = shop().await;
    let of = |id: &str, unit: Option<&str>| {
        let mut state = case(case_id(id), &[]);
        state.what = name(id);
        state.unit = unit.map(name);
        stands(state)
    };
    world
        .write([
            of("there", Some("kamppi")),
            of("elsewhere", Some("itis")),
            of("nowhere", None),
        ])
        .await;
    for (who, path, expected) in [
        ("advisor", "/inbox/delivery", 3),
        ("advisor", "/inbox/delivery?unit=kamppi", 1),
        ("advisor", "/inbox/delivery?unit=helsinki", 0),
        ("kamppi", "/inbox/delivery", 1),
        ("kamppi", "/inbox/delivery?unit=kamppi", 1),
    ] {
        let page = Browser::of(&world, who).await.get(path).await;
        assert_eq!(page.texts(".row").len(), expected, "{who} {path}");
    }
    let kamppi = Browser::of(&world, "kamppi").await;
    for (path, status) in [
        ("/inbox/delivery?unit=itis", StatusCode::FORBIDDEN),
        ("/inbox/delivery?unit=nowhere", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(kamppi.get(path).await.status, status, "{path}");
    }
    let titled = Browser::of(&world, "advisor").await;
    let page = titled.get("/inbox/delivery?unit=helsinki").await;
    assert_eq!(page.said("h1"), "Delivery & <returns>: Helsingin keskusta");
}

#[tokio::test]
async fn an_inbox_is_its_departments() {
    let world = shop().await;
    let state = sofa(&world, "Missä pakettini?").await;
    let case = format!("/cases/{}", state.case);
    for (who, delivery, billing) in [
        ("advisor", 200, 403),
        ("lead", 200, 403),
        ("kamppi", 200, 403),
        ("stranger", 403, 200),
        ("front", 403, 403),
        ("admin", 200, 200),
    ] {
        let browser = Browser::of(&world, who).await;
        for (path, expected) in [
            ("/inbox/delivery", delivery),
            ("/inbox/delivery/live", delivery),
            ("/inbox/billing", billing),
            ("/inbox/billing/live", billing),
        ] {
            let status = browser.answer(path).await.status();
            assert_eq!(status.as_u16(), expected, "{who} {path}");
        }
        let nowhere = if who == "admin" { 404 } else { 403 };
        let status = browser.get("/inbox/nowhere").await.status;
        assert_eq!(status.as_u16(), nowhere, "{who}");
    }
    for path in ["/inbox/delivery", "/inbox/delivery/live", case.as_str()] {
        let answer = Browser::new(&world).get(path).await;
        let to: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.location(), format!("/sign-in?to={to}"));
    }
}

#[tokio::test]
async fn hostile_words_are_shown_as_words() {
    let world = shop().await;
    let hostile = "<img src=x onerror=alert(1)></bdi></a><script>a()</script> \u{202e}txet\u{200b} &amp; \u{0}\u{1b}[31m ";
    let emoji = "\u{1f600}".repeat(10_000);
    let state = sofa(&world, &format!("{hostile}{emoji}")).await;
    let advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get("/inbox/delivery").await;
    let quote = page.said(".row q bdi");
    assert!(
        quote.starts_with("<img src=x onerror=alert(1)></bdi></a><script>a()</script>"),
        "{quote}"
    );
    assert!(quote.chars().count() < 100, "{quote}");
    let page = advisor.get(&format!("/cases/{}", state.case)).await;
    assert_eq!(page.status, StatusCode::OK);
    let said = page.said(".said blockquote bdi");
    assert!(said.contains("\u{202e}txet\u{200b} &amp;"), "{said}");
    assert!(said.chars().count() <= 4_001 && said.ends_with('…'));
}

#[tokio::test]
async fn thanks_have_a_list_of_their_own() {
    let world = shop().await;
    let Record::Notice(mut thanks) = notice(case_id("a"), 1) else {
        unreachable!("a notice is a notice")
    };
    thanks.why = Why::Praise;
    thanks.what = name("praise.delivery");
    world
        .write([Record::Notice(thanks), notice(case_id("b"), 2)])
        .await;
    let advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get("/inbox/delivery?show=praise").await;
    assert_eq!(page.texts(".row strong"), ["Praise.delivery"]);
    assert_eq!(page.said("#show-praise .count"), "1");
}

#[tokio::test]
async fn the_list_alone_is_given_to_the_script() {
    let world = shop().await;
    sofa(&world, "Missä pakettini?").await;
    let advisor = Browser::of(&world, "advisor").await;
    let request = advisor.request("GET", "/inbox/delivery?show=waiting");
    let request = request
        .header("polku-part", "list")
        .body(Body::empty())
        .unwrap();
    let answer = world.send(request).await;
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(
        text.starts_with("<section id=\"list\" data-said=\"Luettelossa 1 rivi\""),
        "{text}"
    );
    assert!(!text.contains("<html"), "{text}");
}

/// The next event of a stream; `None` at its end.
pub(super) async fn next(stream: &mut axum::body::BodyDataStream) -> Option<String> {
    loop {
        let piece = timeout(PATIENCE, stream.next()).await.expect("in time")?;
        let text = String::from_utf8(piece.unwrap().to_vec()).unwrap();
        if text.contains("event:") {
            return Some(text);
        }
    }
}

#[tokio::test]
async fn an_open_inbox_is_told_of_changes_until_its_reader_signs_out() {
    let world = shop().await;
    let mut advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get("/inbox/delivery").await;
    let path = page.attributes("[data-live]", "data-live").remove(0);
    // What changes between the page and its stream is told too.
    world.write([stands(case(case_id("a"), &[]))]).await;
    let mut stream = advisor.answer(&path).await.into_body().into_data_stream();
    assert!(next(&mut stream).await.unwrap().contains("event: changed"));
    let mut theirs = case(case_id("b"), &[]);
    theirs.owner = department("billing");
    world.write([stands(theirs)]).await;
    world.write([notice(case_id("a"), 1)]).await;
    let told = next(&mut stream).await.unwrap();
    assert!(told.contains("data: 1."), "{told}");
    advisor.submit("/sign-out", &[]).await;
    let end = timeout(Duration::from_secs(5), next(&mut stream)).await;
    assert_eq!(end.expect("within five seconds"), None);
    assert_eq!(advisor.answer(&path).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_open_inbox_ends_with_the_process() {
    let world = shop().await;
    let advisor = Browser::of(&world, "advisor").await;
    let stream = advisor.answer("/inbox/delivery/live?seen=0.0").await;
    let mut stream = stream.into_body().into_data_stream();
    world.shutdown.stop();
    assert_eq!(next(&mut stream).await, None);
}
