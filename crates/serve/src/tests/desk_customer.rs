use axum::http::StatusCode;
use event::{
    Record, Score,
    access::AccessKind,
    case::StepKind,
    event::{Promise, PromiseState},
    timeline::{StepEntry, Timeline},
};

use super::{
    desk_inbox::{NOW, shop, sofa},
    pages::Browser,
    world::{TILL, Told, WEB, World, at, department, entry, name, placed, profile},
};

/// Aino's late sofa, and what happened before it in the store.
async fn aino(world: &World, words: &str) -> (event::ProfileId, event::case::State) {
    let state = sofa(world, words).await;
    let customer = state.profiles[0];
    let mut bought = world.event(Told {
        id: "bought",
        at: -60,
        what: "purchase",
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    bought.place = Some(name("store:kamppi"));
    bought.score = Some(Score {
        metric: name("nps"),
        value: 8.5,
        min: 0.0,
        max: 10.0,
    });
    bought.promise = Some(Promise {
        id: event::Token::hash("test.promise", &[]),
        what: name("refund"),
        due: Some(at(NOW)),
        by: None,
        keeper: Some(department("delivery")),
        state: PromiseState::Made,
    });
    let opened = StepEntry {
        profile: customer,
        id: event::Token::hash("test.step", &[]),
        case: state.case,
        matter: state.case.matter(),
        step: 1,
        time: at(5),
        what: StepKind::Opened,
        department: Some(department("delivery")),
    };
    let placed = placed(entry(&bought, customer, 1));
    let step = Record::Timeline(Timeline::Step(opened));
    world.write([Record::Event(bought), placed, step]).await;
    (customer, state)
}

#[tokio::test]
async fn a_customer_is_one_timeline_of_all_channels_newest_first() {
    let world = shop().await;
    let (customer, state) = aino(&world, "Missä pakettini?").await;
    for (language, what, facts) in [
        (
            "fi",
            ["Asia avattiin", "Valitus: myöhässä", "Asiointi: purchase"],
            "Luvattu: rahojen palautus, viimeistään 22.11.2026, Delivery & <returns>",
        ),
        (
            "sv",
            [
                "Ärendet öppnades",
                "Klagomål: försenad",
                "Händelse: purchase",
            ],
            "Lovat: återbetalning, senast 22 nov. 2026, Delivery & <returns>",
        ),
        (
            "en",
            [
                "The case was opened",
                "Complaint: delivered late",
                "Event: purchase",
            ],
            "Promised: a refund, by 22 Nov 2026, Delivery & <returns>",
        ),
    ] {
        let browser = Browser::of(&world, "advisor").await.speaking(language);
        let page = browser.get(&format!("/customers/{customer}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.said("h1"), "Aino Korhonen");
        assert_eq!(page.texts(".entry .line > strong"), what);
        assert_eq!(page.texts(".entry .promise"), [facts]);
        assert_eq!(page.texts(".entry blockquote"), ["Missä pakettini?"]);
        let link = format!("/cases/{}", state.case);
        assert_eq!(page.attributes(".plain a", "href"), [link.as_str()]);
        assert!(page.attributes(".timeline a", "href").contains(&link));
    }
    let browser = Browser::of(&world, "advisor").await;
    let page = browser.get(&format!("/customers/{customer}")).await;
    let facts = page.texts(".entry:last-child dd");
    assert_eq!(
        facts,
        ["delivery", "store:kamppi", "Posti", "nps 8,5 / 10", "till"]
    );
    let values = page.texts("section[aria-labelledby=who] dd");
    assert_eq!(values, ["aino@example.fi", "+358407055810", "A-77"]);
    let record = page.attributes("a.record", "href");
    assert_eq!(record, [format!("/record?customer={customer}")]);
}

#[tokio::test]
async fn who_has_no_case_of_the_customer_reads_nothing_and_leaves_nothing() {
    let world = shop().await;
    let (customer, _) = aino(&world, "Missä pakettini?").await;
    let path = format!("/customers/{customer}");
    let nobody = format!("/customers/p_{}", "0".repeat(32));
    for (key, text) in [("stranger", "osasto"), ("front", "Hae asiakas ensin")] {
        let browser = Browser::of(&world, key).await;
        for path in [&path, &nobody] {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{key} {path}");
            assert!(page.text.contains(text), "{key}: {}", page.text);
            assert!(!page.text.contains("Aino"), "{key}: {}", page.text);
        }
    }
    assert!(world.accesses().is_empty());
    let admin = Browser::of(&world, "admin").await;
    assert_eq!(admin.get(&nobody).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        admin.get("/customers/x").await.status,
        StatusCode::NOT_FOUND
    );
    admin.get(&path).await;
    let accesses = world.accesses();
    assert_eq!(accesses.len(), 1);
    assert_eq!(
        (
            accesses[0].what,
            accesses[0].profile,
            accesses[0].credential.as_str()
        ),
        (AccessKind::Timeline, Some(customer), "admin")
    );
}

#[tokio::test]
async fn hostile_words_are_words() {
    let world = shop().await;
    let hostile = "<img src=x onerror=alert(1)> \u{202e}txet\u{202d} {{ 7 * 7 }} &lt;b&gt;";
    let (customer, _) = aino(&world, hostile).await;
    let browser = Browser::of(&world, "advisor").await;
    let page = browser.get(&format!("/customers/{customer}")).await;
    assert_eq!(page.said(".entry blockquote bdi"), hostile);
    assert!(!page.has("img"));
    let emoji = "😀".repeat(10_000);
    let event = world.event(Told {
        id: "emoji",
        at: 10,
        identifiers: &[("email", "aino@example.fi")],
        text: Some(&emoji),
        ..WEB
    });
    world.write([Record::Event(event)]).await;
    let page = browser.get(&format!("/customers/{customer}")).await;
    assert_eq!(page.said(".entry blockquote bdi"), emoji);
}

#[tokio::test]
async fn what_happened_before_is_on_the_next_page() {
    let world = World::new().await;
    let ids: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    let events = ids.iter().zip(0..).map(|(id, minute)| {
        world.event(Told {
            id,
            at: minute,
            identifiers: &[("email", "aino@example.fi")],
            text: Some(id),
            ..WEB
        })
    });
    let events: Vec<event::Event> = events.collect();
    let customer = profile(&events[0].values[0]);
    world.write(events.into_iter().map(Record::Event)).await;
    let admin = Browser::of(&world, "admin").await;
    let first = admin.get(&format!("/customers/{customer}")).await;
    let older = first.attributes("main .buttons a[href*='before=']", "href");
    let second = admin.get(&older[0]).await;
    let words = |page: &super::pages::Page| page.texts("blockquote");
    let seen = [words(&first), words(&second)].concat();
    let expected: Vec<String> = ids.into_iter().rev().collect();
    assert_eq!(seen, expected);
    assert!(!second.has("a[href*='before=']"));
    assert!(!first.has("a[href*='after=']"));
    let newer = second.attributes("main .buttons a[href*='after=']", "href");
    let back = admin.get(&newer[0]).await;
    assert_eq!(words(&back), words(&first));
    let lost = admin.get(&format!("/customers/{customer}?before=x")).await;
    assert_eq!(lost.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_old_id_leads_to_the_present_one() {
    let world = shop().await;
    let (customer, _) = aino(&world, "Missä pakettini?").await;
    let phone = world.value("web", event::Class::Identifier, "phone", "0407055810");
    assert_ne!(profile(&phone), customer);
    let admin = Browser::of(&world, "admin").await;
    let page = admin.get(&format!("/customers/{}", profile(&phone))).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let was = profile(&phone);
    assert_eq!(page.location(), format!("/customers/{customer}?was={was}"));
    for (language, said) in [
        ("fi", "vanha tunnus"),
        ("sv", "gammalt id"),
        ("en", "an old id"),
    ] {
        let browser = Browser::of(&world, "admin").await.speaking(language);
        let page = browser.get(page.location()).await;
        assert!(page.said("main > [role=status]").contains(said));
    }
}

#[tokio::test]
async fn the_front_line_searches_and_then_reads_for_that_reason() {
    let world = shop().await;
    let (customer, _) = aino(&world, "Missä pakettini?").await;
    let mut front = Browser::of(&world, "front").await;
    let fields = [
        ("identifier", "040 705 5810"),
        ("reason", "soittaa, 010594Y9032"),
    ];
    let page = front.submit("/search", &fields).await;
    assert_eq!(page.status, StatusCode::OK);
    page.holds_what_every_page_holds("/search");
    let link = format!("/customers/{customer}");
    assert_eq!(page.attributes("main h3 a", "href"), [link.as_str()]);
    let page = front.get(&link).await;
    assert_eq!(page.said("h1"), "Aino Korhonen");
    let seen: Vec<_> = world
        .accesses()
        .into_iter()
        .map(|access| (access.what, access.reason.unwrap_or_default()))
        .collect();
    let reason = "soittaa, [hetu]".to_owned();
    assert_eq!(
        seen,
        [
            (AccessKind::Search, reason.clone()),
            (AccessKind::Timeline, reason)
        ]
    );
}

#[tokio::test]
async fn anything_exact_finds_the_customer_and_what_is_wrong_is_said_at_its_field() {
    let world = shop().await;
    aino(&world, "Missä pakettini?").await;
    let mut admin = Browser::of(&world, "admin").await;
    for (kind, identifier, found) in [
        ("", "aino@EXAMPLE.fi", 1),
        ("", "+358407055810", 1),
        ("", "a-77", 1),
        ("order", "A-77", 1),
        ("email", "aino@example.fi", 1),
        ("", "B-1", 0),
        ("loyalty_card", "123", 0),
    ] {
        let fields = [("type", kind), ("identifier", identifier), ("reason", "x")];
        let page = admin.submit("/search", &fields).await;
        page.holds_what_every_page_holds("/search");
        assert_eq!(page.texts("main h3").len(), found, "{kind} {identifier}");
    }
    for (fields, fault) in [
        (
            [("type", "email"), ("identifier", "aino"), ("reason", "x")],
            "Tämä ei ole sähköpostiosoite.",
        ),
        (
            [("type", "phone"), ("identifier", "aino"), ("reason", "x")],
            "Tämä ei ole puhelinnumero.",
        ),
        (
            [("type", ""), ("identifier", " "), ("reason", "x")],
            "Kirjoita tunniste.",
        ),
        (
            [("type", ""), ("identifier", "a@b.fi"), ("reason", " ")],
            "Kerro, miksi haet.",
        ),
    ] {
        let page = admin.submit("/search", &fields).await;
        page.holds_what_every_page_holds("/search");
        assert_eq!(page.texts(".fault"), [fault]);
        assert!(!page.has("#found"));
    }
}

#[tokio::test]
async fn a_customer_of_others_is_a_mask_in_a_search() {
    let world = shop().await;
    aino(&world, "Missä pakettini?").await;
    let mut stranger = Browser::of(&world, "stranger").await;
    let fields = [("identifier", "aino@example.fi"), ("reason", "x")];
    let page = stranger.submit("/search", &fields).await;
    assert!(!page.has("main h3 a"));
    assert_eq!(page.said("main h3"), "••@example.fi");
    assert_eq!(
        page.texts("main .card dd"),
        ["••@example.fi", "•• 5810", "••"]
    );
    assert!(page.text.contains("1 avoin asia"), "{}", page.text);
    // What was typed stands in its own field, and the customer's other values nowhere.
    assert!(!page.text.contains("7055810"), "{}", page.text);
}

#[tokio::test]
async fn a_part_of_the_timeline_is_shown_and_a_page_of_it_stays_a_part() {
    let world = shop().await;
    let (customer, state) = aino(&world, "Missä pakettini?").await;
    let admin = Browser::of(&world, "admin").await.speaking("en");
    let matter = state.case.matter();
    for (query, shown) in [
        ("", 3),
        ("kind=complaint", 1),
        ("kind=feedback", 0),
        ("channel=store", 1),
        ("channel=web&kind=complaint", 1),
        ("party=posti", 2),
        ("party=nobody", 0),
        (&format!("matter={matter}"), 3),
        (&format!("matter=m_{}", "0".repeat(32)), 0),
        ("from=2026-11-21", 0),
        ("to=2026-11-19", 0),
        ("from=2026-11-20&to=2026-11-20", 3),
    ] {
        let page = admin.get(&format!("/customers/{customer}?{query}")).await;
        assert_eq!(page.texts(".timeline > .entry").len(), shown, "{query}");
        assert_eq!(
            page.has("details.filter[open]"),
            !query.is_empty(),
            "{query}"
        );
    }
    for query in [
        "from=yesterday",
        "kind=x",
        "channel=x",
        "matter=x",
        "party=%20%2F",
    ] {
        let page = admin.get(&format!("/customers/{customer}?{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_corrected_event_shows_what_it_said_before() {
    let world = World::new().await;
    let told = Told {
        id: "1",
        identifiers: &[("email", "aino@example.fi")],
        text: Some("Kolme päivää myöhässä"),
        ..WEB
    };
    let first = world.event(told);
    let mut second = world.event(Told {
        text: Some("Kaksi päivää myöhässä"),
        ..told
    });
    second.revision = 1;
    second.received = at(90);
    let customer = profile(&first.values[0]);
    world
        .write([Record::Event(first), Record::Event(second)])
        .await;
    let admin = Browser::of(&world, "admin").await.speaking("en");
    let page = admin.get(&format!("/customers/{customer}")).await;
    assert_eq!(
        page.texts(".entry blockquote"),
        ["Kaksi päivää myöhässä", "Kolme päivää myöhässä"]
    );
    assert!(
        page.said(".before p").starts_with("Corrected "),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn two_entries_are_chosen_by_who_may_ask() {
    let world = shop().await;
    let (customer, _) = aino(&world, "Missä pakettini?").await;
    let advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get(&format!("/customers/{customer}?why=1")).await;
    assert_eq!(page.attributes(".entry input", "name"), ["of", "of"]);
    let action = format!("/customers/{customer}/explain");
    assert_eq!(page.attributes("#list form", "action"), [action]);
    let links = page.attributes("main a", "href");
    assert!(!links.iter().any(|link| link.ends_with("/split")));
    let lead = Browser::of(&world, "lead").await;
    let page = lead.get(&format!("/customers/{customer}")).await;
    let links = page.attributes("main a", "href");
    assert!(links.contains(&format!("/customers/{customer}/split")));
    assert!(links.contains(&format!("/customers/merge?customers={customer}")));
}
