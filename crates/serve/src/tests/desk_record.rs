use axum::http::StatusCode;
use event::{
    Channel, Class, Event, Kind, MatterId, Record, Topic, access::AccessKind, event::Personal,
};

use super::{
    desk_inbox::{shop, sofa},
    pages::{Browser, Page},
    world::{Told, WEB, World, case, case_id, department, entry, name, placed, profile, stands},
};

/// Aino's sofa is late; her order is what it is about.
async fn aino(world: &World) -> (event::ProfileId, event::case::State) {
    let mut state = sofa(world, "Missä pakettini?").await;
    let order = world.value("web", Class::Reference, "order", "A-77");
    state.matters = vec![MatterId::of_reference(order.token)];
    world.write([stands(state.clone())]).await;
    (state.profiles[0], state)
}

/// The fields of the form as the page has them, with what a person changes.
fn filled<'a>(page: &'a Page, changed: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
    let kept = ["number", "opened", "customer"];
    let kept = kept.into_iter().filter_map(|field| {
        let value = page.value(&format!("input[type=hidden][name={field}]"))?;
        Some((field.to_owned(), value))
    });
    let changed = changed
        .iter()
        .map(|(field, value)| ((*field).to_owned(), (*value).to_owned()));
    kept.chain(changed).collect()
}

async fn send(browser: &mut Browser<'_>, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(field, value)| (field.as_str(), value.as_str()))
        .collect();
    let page = browser.submit("/record", &fields).await;
    if !page.status.is_redirection() {
        page.holds_what_every_page_holds("/record");
    }
    page
}

/// What people recorded, as the log has it.
fn recorded(world: &World) -> Vec<(Event, Personal)> {
    let records = world.records(&Topic::Event).into_iter();
    let events = records.filter_map(|record| {
        let Record::Event(event) = record else {
            return None;
        };
        let personal = wire::personal::decode(&event.personal).unwrap();
        event.recorded_by.is_some().then_some((event, personal))
    });
    events.collect()
}

fn texts(named: &[event::event::Named]) -> Vec<(&str, &str)> {
    named
        .iter()
        .map(|named| (named.kind.as_str(), named.value.as_str()))
        .collect()
}

#[tokio::test]
async fn what_is_recorded_of_an_open_matter_joins_it() {
    let world = shop().await;
    let (customer, state) = aino(&world).await;
    let mut advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get("/record").await;
    assert!(page.has("#identifier[autofocus]"));
    let page = send(
        &mut advisor,
        &filled(
            &page,
            &[
                ("do", "find"),
                ("identifier", "040 705 5810"),
                ("text", "Soitti taas"),
            ],
        ),
    )
    .await;
    assert_eq!(page.status, StatusCode::OK);
    let choices = page.texts("fieldset:first-of-type .choice");
    assert_eq!(
        choices,
        [
            "Sohva myöhässä, Tilaus A-77 · odottanut 2 pv 4 h · Delivery & <returns>",
            "Uusi asia"
        ]
    );
    assert!(page.has("input[name=same][autofocus]"), "{}", page.text);
    assert_eq!(page.said("textarea"), "Soitti taas", "what was typed stays");
    let unsure = filled(&page, &[("do", "save"), ("text", "Soitti taas")]);
    let asked = send(&mut advisor, &unsure).await;
    assert_eq!(
        asked.texts(".fault"),
        ["Valitse, onko kyse samasta asiasta."]
    );
    assert!(recorded(&world).is_empty());

    let case = state.case.to_string();
    let fields = filled(
        &page,
        &[("do", "save"), ("text", "Soitti taas"), ("same", &case)],
    );
    let saved = send(&mut advisor, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let events = recorded(&world);
    let [(event, personal)] = events.as_slice() else {
        panic!("one event and not {}", events.len());
    };
    assert_eq!(event.kind, Kind::Complaint);
    assert_eq!(event.name, state.what);
    assert_eq!(event.recorded_by, Some(name("advisor")));
    assert_eq!(event.source.as_str(), "desk");
    assert_eq!(event.channel, Channel::CallCentre);
    assert_eq!(event.product, Some(name("sofa")));
    assert_eq!(personal.text.as_deref(), Some("Soitti taas"));
    assert_eq!(texts(&personal.identifiers), [("email", "aino@example.fi")]);
    assert_eq!(texts(&personal.references), [("order", "A-77")]);
    let order = world.value("web", Class::Reference, "order", "A-77");
    assert!(
        event.values.iter().any(|value| value.token == order.token),
        "her order"
    );

    // The same form sent again is the same event.
    let again = send(&mut advisor, &fields).await;
    assert_eq!(again.location(), saved.location());
    assert_eq!(recorded(&world).len(), 1);

    let mut said = entry(event, customer, 1);
    said.matter = state.matters[0];
    world.write([placed(said)]).await;
    let page = advisor.get(saved.location()).await;
    assert!(page.text.contains("asia on nyt osastolla"), "{}", page.text);
    let links = page.attributes("main a", "href");
    assert!(links.contains(&format!("/cases/{case}")), "{links:?}");
    assert!(
        links.contains(&format!("/customers/{customer}")),
        "{links:?}"
    );
    let others = Browser::of(&world, "lead").await;
    assert_eq!(
        others.get(saved.location()).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_page_of_a_case_or_a_customer_leads_to_a_form_about_it() {
    let world = shop().await;
    let (customer, state) = aino(&world).await;
    let advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get(&format!("/record?case={}", state.case)).await;
    assert_eq!(page.said("#whose ~ p strong"), "Aino Korhonen");
    let chosen = page.attributes("input[name=same][checked]", "value");
    assert_eq!(chosen, [state.case.to_string()]);
    assert!(page.has("textarea[autofocus]"));
    let page = advisor.get(&format!("/record?customer={customer}")).await;
    assert!(!page.has("input[name=same][checked]"));
    assert_eq!(world.accesses().len(), 2);
    assert!(world.accesses().iter().all(|access| {
        access.what == AccessKind::Profile
            && access.profile == Some(customer)
            && access.reason.as_deref() == Some("Kirjaa asiakkaan kertoman")
    }));
    for (key, expected) in [
        ("stranger", StatusCode::FORBIDDEN),
        ("front", StatusCode::FORBIDDEN),
    ] {
        let browser = Browser::of(&world, key).await;
        for path in [
            format!("case={}", state.case),
            format!("customer={customer}"),
        ] {
            let page = browser.get(&format!("/record?{path}")).await;
            assert_eq!(page.status, expected, "{key} {path}");
        }
    }
    let unknown = advisor
        .get(&format!("/record?case={}", case_id("none")))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_new_matter_a_promise_and_where_it_happened() {
    let world = shop().await;
    let (customer, _) = aino(&world).await;
    let mut kamppi = Browser::of(&world, "lead").await.speaking("en");
    let page = kamppi.get(&format!("/record?customer={customer}")).await;
    let fields = filled(
        &page,
        &[
            ("do", "save"),
            ("same", "new"),
            ("kind", "service"),
            ("text", "Asked for an invoice"),
            ("reference", "b-1"),
            ("reference_type", "order"),
            ("promise", "call-back"),
            ("due", "2026-11-25"),
            ("keeper", "billing"),
            ("promise_text", "before noon"),
            ("place", "store:kamppi"),
            ("stage", "delivery"),
        ],
    );
    let saved = send(&mut kamppi, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let events = recorded(&world);
    let (event, personal) = &events[0];
    assert_eq!(
        (event.kind, event.name.as_str()),
        (Kind::Service, "contact")
    );
    assert_eq!(texts(&personal.references), [("order", "B-1")]);
    assert_eq!(event.place, Some(name("store:kamppi")));
    assert_eq!(event.stage, Some(name("delivery")));
    let promise = event.promise.as_ref().unwrap();
    assert_eq!(promise.what, name("call-back"));
    // The end of that day in Helsinki.
    assert_eq!(promise.due.unwrap().to_string(), "2026-11-25T21:59:00Z");
    assert_eq!(promise.by, Some(department("delivery")));
    assert_eq!(promise.keeper, Some(department("billing")));
    assert_eq!(personal.promise.as_deref(), Some("before noon"));
}

#[tokio::test]
async fn nobody_and_strangers_are_recorded_too() {
    let world = shop().await;
    aino(&world).await;
    // A stranger's advisor may not read Aino, and records what she says all the same.
    let mut stranger = Browser::of(&world, "stranger").await;
    let page = stranger.get("/record").await;
    let find = [
        ("do", "find"),
        ("identifier", "aino@example.fi"),
        ("text", "x"),
    ];
    let found = send(&mut stranger, &filled(&page, &find)).await;
    assert!(!found.text.contains("Korhonen") && !found.has("input[name=same]"));
    assert!(found.has("#name"), "the name can be given");
    for (changed, identifiers, what) in [
        (vec![("text", "Kassajono oli pitkä")], vec![], "complaint"),
        (
            vec![
                ("text", "Kiitos!"),
                ("kind", "thanks"),
                ("identifier", "aino@example.fi"),
            ],
            vec![("email", "aino@example.fi")],
            "praise",
        ),
        (
            vec![
                ("text", "x"),
                ("identifier", "1234"),
                ("type", "loyalty_card"),
                ("name", "Eero"),
            ],
            vec![("loyalty_card", "1234")],
            "complaint",
        ),
    ] {
        let before = recorded(&world).len();
        let page = stranger.get("/record").await;
        let saved = send(&mut stranger, &filled(&page, &changed)).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
        let events = recorded(&world);
        assert_eq!(events.len(), before + 1);
        let newest = events.iter().find(|(event, personal)| {
            event.name.as_str() == what && texts(&personal.identifiers) == identifiers
        });
        assert!(newest.is_some(), "{changed:?} in {events:?}");
        // Nobody's event is at its end at once; the page of the others waits a moment and says so.
        if identifiers.is_empty() {
            let page = stranger.get(saved.location()).await;
            assert!(page.text.contains("lasketaan paikalle"), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn faults_stand_at_their_fields_and_nothing_is_lost() {
    let world = shop().await;
    let mut advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get("/record").await;
    for (changed, fault) in [
        (vec![("text", "  ")], "Kirjoita, mitä tapahtui."),
        (vec![("do", "find")], "Kirjoita tunniste, jolla haetaan."),
        (
            vec![("text", "x"), ("identifier", "100234")],
            "Valitse tunnisteen laji.",
        ),
        (
            vec![("text", "x"), ("identifier", "aino@"), ("type", "email")],
            "Tunniste ei kelpaa: tarkista se ja sen laji.",
        ),
        (
            vec![("text", "x"), ("due", "2026-11-25")],
            "Valitse, mitä luvattiin.",
        ),
        (
            vec![("text", "x"), ("promise", "refund"), ("due", "soon")],
            "Tarkista lupauksen päivä.",
        ),
    ] {
        let answer = send(&mut advisor, &filled(&page, &changed)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.texts(".fault"), [fault], "{changed:?}");
        assert!(answer.has("[aria-invalid=true]"), "{changed:?}");
        let number = "input[name=number]";
        assert_eq!(answer.value(number), page.value(number));
    }
    assert!(recorded(&world).is_empty());
    for changed in [
        vec![("kind", "bribe"), ("text", "x")],
        vec![("number", "1"), ("text", "x")],
        vec![("stage", "Ä"), ("text", "x")],
    ] {
        let answer = send(&mut advisor, &filled(&page, &changed)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changed:?}");
    }
    let emoji = "😀".repeat(10_000);
    let answer = send(&mut advisor, &filled(&page, &[("text", &emoji)])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(recorded(&world)[0].1.text.as_ref(), Some(&emoji));
    let hostile = "</textarea><img src=x onerror=alert(1)>";
    let answer = send(
        &mut advisor,
        &filled(&page, &[("do", "find"), ("text", hostile)]),
    )
    .await;
    assert_eq!(answer.said("textarea"), hostile);
}

#[tokio::test]
async fn the_front_line_records_for_whom_it_finds_and_each_channel_is_its_persons() {
    let world = shop().await;
    let (_, state) = aino(&world).await;
    let mut front = Browser::of(&world, "front").await;
    let page = front.get("/record").await;
    let find = [("do", "find"), ("identifier", "aino@example.fi")];
    let page = send(&mut front, &filled(&page, &find)).await;
    let case = state.case.to_string();
    let fields = filled(
        &page,
        &[
            ("same", &case),
            ("text", "Kävi kysymässä"),
            ("kind", "service"),
        ],
    );
    let saved = send(&mut front, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let events = recorded(&world);
    assert_eq!(events[0].0.channel, Channel::Store);
    assert_eq!(
        events[0].0.name,
        name("contact"),
        "an open case hears of a contact"
    );
}

#[tokio::test]
async fn without_a_reference_a_matter_is_found_by_who_said_it_and_what_it_is_called() {
    let world = shop().await;
    let mut event = world.event(Told {
        id: "rude",
        what: "service.rude",
        identifiers: &[("email", "eero@example.fi"), ("phone", "050 123 4567")],
        ..WEB
    });
    event.kind = Kind::Complaint;
    let eero = profile(&event.values[0]);
    let mut opened = super::world::step(
        case_id("rude"),
        1,
        event::case::StepKind::Opened,
        "delivery",
    );
    opened.event = Some(event.id);
    let mut state = case(case_id("rude"), &[eero]);
    state.what = name("service.rude");
    world.write([Record::Event(event)]).await;
    world
        .write([
            Record::Case(event::case::Case::Step(opened)),
            stands(state.clone()),
        ])
        .await;
    let mut advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get(&format!("/record?case={}", state.case)).await;
    let case = state.case.to_string();
    let fields = filled(
        &page,
        &[
            ("same", case.as_str()),
            ("text", "Taas"),
            ("reference", "A-9"),
            ("kind", "service"),
        ],
    );
    let saved = send(&mut advisor, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let events = recorded(&world);
    let (event, personal) = &events[0];
    assert_eq!(event.name, name("service.rude"));
    assert_eq!(texts(&personal.identifiers), [("email", "eero@example.fi")]);
    assert!(
        personal.references.is_empty(),
        "a number would lead elsewhere"
    );
    assert_eq!(
        personal.attributes.as_deref(),
        Some(r#"{"reference":"A-9"}"#)
    );
}
