use axum::http::StatusCode;
use event::{
    Event, ProfileId, Record, Standing, Time, Token, Version,
    case::StepKind,
    timeline::{Moved, StepEntry, Timeline},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use serde_json::{Value as Json, json};

use super::{
    sse::Client,
    world::{
        TILL, Told, WEB, World, assigned, at, case, case_id, department, entry, event_text, name,
        placed, profile, stands,
    },
};
use crate::Config;

const AINO: &[(&str, &str)] = &[("email", "aino@example.fi")];
const BEA: &[(&str, &str)] = &[("email", "bea@example.fi")];

/// Aino bought, complained on the web, and was called; a case about the complaint took a step.
async fn story(world: &World) -> (ProfileId, [Event; 3]) {
    let bought = world.event(Told {
        identifiers: AINO,
        ..TILL
    });
    let mut wrote = world.event(Told {
        id: "2",
        at: 10,
        what: "delivery.late",
        identifiers: AINO,
        text: Some("Paketti tuli myöhässä"),
        ..WEB
    });
    wrote.kind = event::Kind::Complaint;
    let called = world.event(Told {
        id: "3",
        at: 20,
        what: "call",
        channel: event::Channel::CallCentre,
        identifiers: AINO,
        ..TILL
    });
    let aino = profile(&bought.values[0]);
    let mut about = entry(&wrote, aino, 1);
    about.matter = event::MatterId::of_window(wrote.anchor, "delivery", at(0));
    let step = StepEntry {
        profile: aino,
        id: Token::hash("test.step", &[]),
        case: about.matter.own_case(),
        matter: about.matter,
        step: 1,
        time: at(15),
        what: StepKind::Opened,
        department: Some(department("delivery")),
    };
    let events = [bought.clone(), wrote.clone(), called.clone()].map(Record::Event);
    world.write(events).await;
    world
        .write([
            placed(entry(&bought, aino, 1)),
            placed(about),
            placed(entry(&called, aino, 1)),
            Record::Timeline(Timeline::Step(step)),
        ])
        .await;
    (aino, [bought, wrote, called])
}

/// What stands on a page: an event's id, or the step's number.
fn shown(page: &Json) -> Vec<Json> {
    let entries = page["entries"].as_array().unwrap();
    let id = |entry: &Json| {
        let event = &entry["event"];
        let is = if event.is_null() {
            &entry["step"]
        } else {
            event
        };
        is.clone()
    };
    entries.iter().map(id).collect()
}

#[tokio::test]
async fn a_timeline_is_filtered_by_time_kind_channel_matter_and_party() {
    let world = World::new().await;
    let (aino, events) = story(&world).await;
    let [bought, wrote, called] = events.each_ref().map(|event| event_text(event.id));
    let path = format!("/v1/customers/{aino}/timeline");
    let (_, page) = world.get("admin", &path).await;
    let matter = page["entries"][1]["matter"].as_str().unwrap().to_owned();
    let step = json!(1);
    for (filter, expected) in [
        ("", vec![&bought, &wrote, &step, &called]),
        (&format!("from={}", at(10)), vec![&wrote, &step, &called]),
        (&format!("to={}", at(10)), vec![&bought]),
        (&format!("from={}&to={}", at(11), at(20)), vec![&step]),
        ("kind=complaint", vec![&wrote]),
        ("channel=call_centre", vec![&called]),
        ("channel=store", vec![&bought]),
        (&format!("matter={matter}"), vec![&wrote, &step]),
        ("party=posti", vec![&bought, &wrote, &called]),
        ("party=dhl", vec![]),
        ("kind=service&channel=web", vec![]),
    ] {
        let (status, page) = world.get("admin", &format!("{path}?{filter}")).await;
        assert_eq!(status, StatusCode::OK, "{filter}: {page}");
        assert_eq!(
            shown(&page),
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{filter}"
        );
    }
    let cursor = page["next"]
        .as_str()
        .unwrap_or("0.00000000000000000000000000000000");
    for (query, field) in [
        ("kind=praise", "kind"),
        ("channel=shop", "channel"),
        ("matter=7", "matter"),
        ("party=DHL%20Oy", "party"),
        ("from=yesterday", "from"),
        ("to=2026-11-20", "to"),
        ("before=x", "before"),
        (&format!("cursor={cursor}&before={cursor}"), "before"),
        (&format!("live=true&before={cursor}"), "before"),
    ] {
        let (status, answer) = world.get("admin", &format!("{path}?{query}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(answer["faults"][field].is_string(), "{query}: {answer}");
    }
    let (status, _) = world.get("admin", &format!("{path}?live=perhaps")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

/// Reads the timeline from one of its ends to the other, and back.
async fn there_and_back(world: &World, path: &str) -> (Vec<Json>, Vec<Json>) {
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let mut query = String::new();
    let last = loop {
        let (_, page) = world.get("admin", &format!("{path}{query}")).await;
        assert_eq!(page["previous"].is_null(), there.is_empty(), "{page}");
        there.extend(shown(&page));
        match page["next"].as_str() {
            Some(next) => query = format!("&cursor={next}"),
            None => break page,
        }
    };
    let mut page = last;
    loop {
        back.splice(0..0, shown(&page));
        let Some(previous) = page["previous"].as_str() else {
            break;
        };
        let query = format!("{path}&before={previous}");
        (_, page) = world.get("admin", &query).await;
        assert!(page["next"].is_string(), "{page}");
    }
    (there, back)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_both_ways_without_gap_or_repeat_under_every_filter() {
    let world = World::new().await;
    let runtime = tokio::runtime::Handle::current();
    let numbers = std::cell::Cell::new(0);
    // (minute, on the web, complaint): several at one moment, so that the id decides their order.
    let told = vec((0..4_i64, any::<bool>(), any::<bool>()), 0..12);
    tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
        let cases = (told, 1..5_usize, any::<bool>());
        let checked = runner.run(&cases, |(told, limit, newest)| {
            let number = numbers.get() + 1;
            numbers.set(number);
            let email = format!("customer-{number}@example.fi");
            let events: Vec<Event> = told
                .iter()
                .enumerate()
                .map(|(index, (minute, web, complaint))| {
                    let id = format!("{number}-{index}");
                    let mut event = world.event(Told {
                        id: &id,
                        at: *minute,
                        identifiers: &[("email", &email)],
                        ..if *web { WEB } else { TILL }
                    });
                    if *complaint {
                        event.kind = event::Kind::Complaint;
                    }
                    event
                })
                .collect();
            let Some(first) = events.first() else {
                return Ok(());
            };
            let customer = profile(&first.values[0]);
            runtime.block_on(world.write(events.iter().cloned().map(Record::Event)));
            for filter in [
                "",
                "&channel=web",
                "&kind=complaint",
                "&kind=complaint&channel=store",
            ] {
                let mut expected: Vec<(Time, String)> = events
                    .iter()
                    .filter(|event| {
                        !filter.contains("complaint") || event.kind == event::Kind::Complaint
                    })
                    .filter(|event| !filter.contains("web") || event.channel == event::Channel::Web)
                    .filter(|event| {
                        !filter.contains("store") || event.channel == event::Channel::Store
                    })
                    .map(|event| (event.time, event.id.to_string()))
                    .collect();
                expected.sort();
                if newest {
                    expected.reverse();
                }
                let expected: Vec<Json> = expected.into_iter().map(|(_, id)| json!(id)).collect();
                let order = if newest { "newest" } else { "oldest" };
                let path = format!(
                    "/v1/customers/{customer}/timeline?limit={limit}&order={order}{filter}"
                );
                let (there, back) = runtime.block_on(there_and_back(&world, &path));
                prop_assert_eq!(&there, &expected);
                prop_assert_eq!(&back, &expected);
            }
            Ok(())
        });
        checked.unwrap();
    });
}

#[tokio::test]
async fn a_cursor_stays_where_it_is_while_entries_come_and_go() {
    let world = World::new().await;
    let events = [0, 10, 20, 30].map(|minute| {
        world.event(Told {
            id: &minute.to_string(),
            at: minute,
            identifiers: AINO,
            ..WEB
        })
    });
    world.write(events.clone().map(Record::Event)).await;
    let path = format!(
        "/v1/customers/{}/timeline?limit=2",
        profile(&events[0].values[0])
    );
    let (_, first) = world.get("admin", &path).await;
    let next = first["next"].as_str().unwrap();
    // The last one given turns out to be another customer's, and something comes late before and after it.
    let mut gone = events[1].clone();
    (gone.revision, gone.standing, gone.personal) = (1, Standing::Withdrawn, Vec::new());
    let late = [5, 15].map(|minute| {
        world.event(Told {
            id: &format!("late-{minute}"),
            at: minute,
            identifiers: AINO,
            ..WEB
        })
    });
    world.write([Record::Event(gone)]).await;
    world.write(late.clone().map(Record::Event)).await;
    let (_, rest) = world.get("admin", &format!("{path}&cursor={next}")).await;
    assert_eq!(
        shown(&rest),
        [&late[1], &events[2]].map(|event| event_text(event.id))
    );
    let previous = rest["previous"].as_str().unwrap();
    let (_, before) = world
        .get("admin", &format!("{path}&before={previous}"))
        .await;
    assert_eq!(
        shown(&before),
        [&events[0], &late[0]].map(|event| event_text(event.id))
    );
}

/// The versions of an event as `unify` passes them on: what was said, that it is said no more, and what is said now.
fn corrected(first: &Event, now: Event) -> [Event; 3] {
    let mut first = first.clone();
    first.standing = Standing::Correctable;
    let mut withdrawn = first.clone();
    (withdrawn.revision, withdrawn.standing) = (1, Standing::Withdrawn);
    withdrawn.personal = Vec::new();
    let mut now = now;
    (now.revision, now.standing) = (2, Standing::Correctable);
    [first, withdrawn, now]
}

#[tokio::test]
async fn a_correction_shows_the_newest_and_keeps_what_was_said_also_when_it_names_another() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let world = World::new().await;
        let said = |identifiers, text| Told {
            identifiers,
            text: Some(text),
            ..WEB
        };
        let first = world.event(said(AINO, "Missä pakettini on?"));
        let now = world.event(said(BEA, "Missä laskuni on?"));
        let (aino, bea) = (profile(&first.values[0]), profile(&now.values[0]));
        let versions = corrected(&first, now.clone());
        for index in order {
            world.write([Record::Event(versions[index].clone())]).await;
        }
        let page = async |customer: ProfileId| {
            let path = format!("/v1/customers/{customer}/timeline");
            world.get("admin", &path).await.1
        };
        // The old one no longer has it; whoever was never named but by a mistake is no customer any more, or an empty one.
        let old = page(aino).await;
        assert!(old["entries"].as_array().is_none_or(Vec::is_empty), "{old}");
        let entries = page(bea).await["entries"].clone();
        assert_eq!(entries.as_array().unwrap().len(), 1, "{order:?}");
        assert_eq!(entries[0]["text"]["shown"], "Missä laskuni on?");
        assert_eq!(entries[0]["revision"], 2);
        let earlier = &entries[0]["corrected"];
        assert_eq!(earlier.as_array().unwrap().len(), 1, "{order:?}: {earlier}");
        assert_eq!(earlier[0]["revision"], 0);
        assert_eq!(earlier[0]["same_customer"], false);
        assert_eq!(
            earlier[0]["text"],
            Json::Null,
            "Bea's page has no word of Aino's"
        );
        let mut there = entry(&now, bea, 1);
        there.revision = 2;
        world.write([placed(there)]).await;
        let counts = world.get("machine", "/v1/counts").await.1;
        assert_eq!(
            counts["events"],
            json!({ "accepted": 1, "duplicate": 0, "corrected": 1, "rejected": 0, "refused": 0 }),
            "{order:?}"
        );
        assert_eq!(
            (
                &counts["entries"],
                &counts["withdrawn"],
                &counts["balanced"],
                &counts["customers"]
            ),
            (&json!(1), &json!(0), &json!(true), &json!(1)),
            "{order:?}: {counts}"
        );
    }
}

#[tokio::test]
async fn a_correction_of_the_words_alone_shows_both() {
    let world = World::new().await;
    let first = world.event(Told {
        identifiers: AINO,
        text: Some("Kolme"),
        ..WEB
    });
    let mut now = world.event(Told {
        identifiers: AINO,
        text: Some("Neljä"),
        ..WEB
    });
    now.revision = 1;
    world
        .write([first.clone(), now.clone(), now.clone()].map(Record::Event))
        .await;
    let path = format!("/v1/customers/{}/timeline", profile(&first.values[0]));
    let (_, page) = world.get("admin", &path).await;
    let entry = &page["entries"][0];
    assert_eq!(page["entries"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(
        (&entry["revision"], &entry["text"]["shown"]),
        (&json!(1), &json!("Neljä"))
    );
    assert_eq!(entry["corrected"][0]["text"]["shown"], "Kolme");
    let counts = world.get("machine", "/v1/counts").await.1;
    assert_eq!(counts["events"]["duplicate"], 1);
    assert_eq!(counts["events"]["corrected"], 1);
}

#[tokio::test]
async fn an_event_that_is_withdrawn_for_good_is_on_no_page_and_the_counts_say_so() {
    let world = World::new().await;
    let first = world.event(Told {
        identifiers: AINO,
        ..WEB
    });
    let aino = profile(&first.values[0]);
    let mut gone = first.clone();
    (gone.revision, gone.standing, gone.personal) = (1, Standing::Withdrawn, Vec::new());
    let moved = Moved {
        profile: aino,
        entry: first.id.token(),
        to: None,
        version: Version::default(),
    };
    world
        .write([
            Record::Event(first.clone()),
            placed(entry(&first, aino, 1)),
            Record::Event(gone),
            Record::Timeline(Timeline::Moved(moved)),
        ])
        .await;
    let (_, page) = world
        .get("admin", &format!("/v1/customers/{aino}/timeline"))
        .await;
    assert_eq!(shown(&page), Vec::<Json>::new());
    let counts = world.get("machine", "/v1/counts").await.1;
    assert_eq!(
        (
            &counts["entries"],
            &counts["withdrawn"],
            &counts["balanced"],
            &counts["customers"]
        ),
        (&json!(0), &json!(1), &json!(true), &json!(0)),
        "{counts}"
    );
}

#[tokio::test]
async fn a_timeline_is_followed_live_from_its_first_page_on() {
    let world = World::new().await;
    let (aino, events) = story(&world).await;
    let path = format!("/v1/customers/{aino}/timeline?live=true&limit=2");
    let mut client = Client::open(&world, "admin", &path, None).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let event = client.next().await.unwrap();
        assert_eq!(event.kind, "entry");
        seen.push((event.id.is_some(), event.data));
    }
    let (_, page) = world
        .get("admin", &format!("/v1/customers/{aino}/timeline"))
        .await;
    let entries = page["entries"].as_array().unwrap().iter().cloned();
    let expected: Vec<_> = entries
        .enumerate()
        .map(|(index, entry)| (index == 3, entry))
        .collect();
    assert_eq!(
        seen, expected,
        "the id comes with the last, so that whoever comes back misses none"
    );

    // What somebody else's events do is not told; what comes late is, and then what the unifier says of it.
    let other = world.event(Told {
        id: "other",
        identifiers: BEA,
        ..WEB
    });
    let late = world.event(Told {
        id: "late",
        at: 5,
        identifiers: AINO,
        ..WEB
    });
    world.write([other, late.clone()].map(Record::Event)).await;
    let told = client.next().await.unwrap();
    assert_eq!(
        (told.kind.as_str(), &told.data["event"]),
        ("entry", &event_text(late.id))
    );
    assert_eq!(told.data["matter"], Json::Null);
    world.write([placed(entry(&late, aino, 1))]).await;
    let told = client.next().await.unwrap();
    assert_eq!(told.data["event"], event_text(late.id));
    assert!(told.data["matter"].is_string());
    let id = told.id.unwrap();

    // A correction is told to who listens, and to who comes back.
    let mut now = events[1].clone();
    now.revision = 1;
    world.write([Record::Event(now)]).await;
    let told = client.next().await.unwrap();
    assert_eq!(
        (&told.data["event"], &told.data["revision"]),
        (&event_text(events[1].id), &json!(1))
    );
    drop(client);
    let mut back = Client::open(&world, "admin", &path, Some(&id)).await;
    let again = back.next().await.unwrap();
    assert_eq!((again.id, again.data), (told.id, told.data));
    // The page says where to go on from, too.
    let (_, page) = world
        .get("admin", &format!("/v1/customers/{aino}/timeline"))
        .await;
    let live = page["live"].as_str().unwrap();
    let mut from_page = Client::open(&world, "admin", &path, Some(live)).await;
    world.write([placed(entry(&late, aino, 2))]).await;
    for client in [&mut back, &mut from_page] {
        assert_eq!(
            client.next().await.unwrap().data["event"],
            event_text(late.id)
        );
    }
}

#[tokio::test]
async fn whoever_follows_a_timeline_is_told_when_something_left_it_and_when_the_customer_has_another_id()
 {
    let world = World::new().await;
    let (aino, events) = story(&world).await;
    let path = format!("/v1/customers/{aino}/timeline?live=true");
    let (_, page) = world
        .get("admin", &format!("/v1/customers/{aino}/timeline"))
        .await;
    let now = page["live"].as_str().unwrap().to_owned();
    let mut client = Client::open(&world, "admin", &path, Some(&now)).await;
    let mut complaints = Client::open(
        &world,
        "admin",
        &format!("{path}&kind=complaint"),
        Some(&now),
    )
    .await;

    let mut praise = events[1].clone();
    (praise.revision, praise.kind) = (1, event::Kind::Feedback);
    world.write([Record::Event(praise)]).await;
    assert_eq!(client.next().await.unwrap().kind, "entry");
    let gone = complaints.next().await.unwrap();
    assert_eq!(
        (gone.kind.as_str(), gone.data),
        ("gone", json!({ "event": event_text(events[1].id) }))
    );

    let mut gone = events[2].clone();
    (gone.revision, gone.standing, gone.personal) = (1, Standing::Withdrawn, Vec::new());
    world.write([Record::Event(gone)]).await;
    let reset = client.next().await.unwrap();
    assert_eq!((reset.kind.as_str(), reset.data), ("reset", json!({})));
    for last in ["nothing", "0000000000000000.1", "0000000000000000.99999999"] {
        let mut late = Client::open(&world, "admin", &path, Some(last)).await;
        assert_eq!(late.next().await.unwrap().kind, "reset", "{last}");
    }

    let number = world.value(
        "till",
        event::Class::Identifier,
        "customer_number",
        "100234",
    );
    world
        .write([
            assigned(&number, profile(&number), 1),
            assigned(&events[0].values[0], profile(&number), 1),
        ])
        .await;
    let moved = client.next().await.unwrap();
    let to = json!({ "moved_to": profile(&number).to_string() });
    assert_eq!((moved.kind.as_str(), moved.data), ("moved", to));
    assert_eq!(client.next().await, None, "the stream ends");
}

#[tokio::test]
async fn a_live_timeline_ends_when_its_reader_may_read_it_no_more() {
    let world = World::with(Config {
        streams_max: 1,
        ..Config::default()
    })
    .await;
    let (aino, events) = story(&world).await;
    let mut open = case(case_id("a"), &[aino]);
    world.write([stands(open.clone())]).await;
    let path = format!("/v1/customers/{aino}/timeline?live=true");
    let mut client = Client::open(&world, "advisor", &path, None).await;
    for _ in 0..4 {
        assert_eq!(client.next().await.unwrap().kind, "entry");
    }
    let (status, _) = world.get("admin", &path).await;
    assert_eq!(
        status,
        StatusCode::SERVICE_UNAVAILABLE,
        "streams are bounded"
    );
    // The case goes to billing for good.
    (open.owner, open.version) = (department("billing"), 2);
    open.phase = event::case::Phase::Closed;
    world
        .write([stands(open), placed(entry(&events[0], aino, 2))])
        .await;
    assert_eq!(client.next().await, None);
    let reads = world.accesses();
    assert_eq!(reads.len(), 1, "a stream is one reading: {reads:?}");
    assert_eq!(reads[0].credential, name("advisor"));
}
