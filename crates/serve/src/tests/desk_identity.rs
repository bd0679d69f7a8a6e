use axum::http::StatusCode;
use event::{
    Event, ProfileId, Record, Value,
    link::{Link, Set},
};

use super::{
    pages::{Browser, Page},
    world::{TILL, Told, WEB, World, assigned, profile},
};

/// Two people who used one telephone, and so one customer.
struct Household {
    customer: ProfileId,
    aino: Value,
    veikko: Value,
    phone: Value,
    events: [Event; 2],
}

fn named(event: &Event) -> Record {
    Record::Link(Link::Set(Set {
        anchor: event.anchor,
        values: event.values.clone(),
        trusted: event.trusted,
        source: event.source.clone(),
        event: event.id,
        time: event.time,
        withdrawn: false,
    }))
}

async fn household(world: &World) -> Household {
    let told = |id, email, text, by: Told<'static>| {
        world.event(Told {
            id,
            identifiers: email,
            text: Some(text),
            ..by
        })
    };
    let first = told(
        "1",
        &[("email", "aino@example.fi"), ("phone", "0407055810")],
        "Missä pakettini?",
        WEB,
    );
    let second = told(
        "2",
        &[("email", "veikko@example.fi"), ("phone", "0407055810")],
        "Kiitos sohvasta",
        TILL,
    );
    let (aino, phone) = (first.values[0].clone(), first.values[1].clone());
    let veikko = second.values[0].clone();
    let strongest = aino.token.min(veikko.token);
    let customer = ProfileId::new(strongest);
    let owned = [&aino, &veikko, &phone].map(|value| assigned(value, customer, 1));
    let events = [first, second];
    let records = events.clone().map(Record::Event);
    world.write(records).await;
    world.write(events.each_ref().map(named)).await;
    world.write(owned).await;
    Household {
        customer,
        aino,
        veikko,
        phone,
        events,
    }
}

/// What stands in the fields of the form that confirms.
fn proposed(page: &Page) -> Vec<(String, String)> {
    let names = page.attributes("form[action='/identity/decide'] input", "name");
    let values = page.attributes("form[action='/identity/decide'] input", "value");
    names.into_iter().zip(values).collect()
}

async fn confirm(browser: &mut Browser<'_>, page: &Page, reason: &str) -> Page {
    let mut fields = proposed(page);
    fields.push(("reason".to_owned(), reason.to_owned()));
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.send_form("/identity/decide", &fields).await
}

#[tokio::test]
async fn why_two_events_are_together_is_told_fact_by_fact() {
    let world = World::new().await;
    let home = household(&world).await;
    let [a, b] = home.events.each_ref().map(|event| event.id);
    let path = format!("/customers/{}/explain?of={a}&of={b}", home.customer);
    for (language, title, named) in [
        ("fi", "Miksi nämä kaksi ovat yhdessä", "nimettiin yhdessä"),
        (
            "sv",
            "Varför de här två är tillsammans",
            "nämndes tillsammans",
        ),
        (
            "en",
            "Why these two are together",
            "was named together with",
        ),
    ] {
        let admin = Browser::of(&world, "admin").await.speaking(language);
        let page = admin.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.said("h1"), title);
        let chain = page.texts(".chain > li");
        assert_eq!(chain.len(), 4, "{chain:?}");
        assert!(chain[1].contains(named) && chain[1].contains("+358407055810"));
        assert!(chain[2].contains(named) && chain[2].contains("veikko@example.fi"));
        let leave = format!("/customers/{}/split?leave=", home.customer);
        let links = page.attributes("main .buttons a", "href");
        assert!(links[0].starts_with(&leave), "{links:?}");
    }
    let admin = Browser::of(&world, "admin").await;
    let any = admin.get(&format!("/identity/explain?a={a}&b={b}")).await;
    assert_eq!(any.texts(".chain > li").len(), 4);
    let one = format!("/customers/{}/explain?of={a}", home.customer);
    assert_eq!(admin.get(&one).await.status, StatusCode::SEE_OTHER);
    let odd = admin.get("/identity/explain?a=x&b=y").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    let nothing = format!("/identity/explain?a={a}&b=e_{}", "0".repeat(32));
    assert_eq!(admin.get(&nothing).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_people_are_separated_after_a_look_at_what_moves() {
    let world = World::new().await;
    let home = household(&world).await;
    let mut admin = Browser::of(&world, "admin").await.speaking("en");
    let split = format!("/customers/{}/split", home.customer);
    let page = admin.get(&split).await;
    assert_eq!(page.texts("label.choice").len(), 3);
    assert!(!page.has("form[action='/identity/decide']"));
    let everything = [&home.aino, &home.veikko, &home.phone];
    let all = everything.map(|value| format!("leave={}", profile(value)));
    let page = admin.get(&format!("{split}?{}", all.join("&"))).await;
    assert!(page.said(".fault").contains("leave at least one"));

    let veikko = profile(&home.veikko);
    let page = admin.get(&format!("{split}?leave={veikko}")).await;
    let sides = page.texts(".whole");
    assert_eq!(sides.len(), 2, "{}", page.text);
    let of = |text: &str| sides.iter().find(|side| side.contains(text)).unwrap();
    assert!(of("aino@example.fi").contains("+358407055810"));
    assert!(!of("veikko@example.fi").contains("+358407055810"));
    assert!(of("veikko@example.fi").contains("1 event"));

    let refused = confirm(&mut admin, &page, " ").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.texts(".fault"), ["Write why."]);
    let done = confirm(&mut admin, &page, "eri ihmisiä").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let decided = admin.get(done.location()).await;
    assert_eq!(decided.said(".alert"), "Decided: they are kept apart.");
    assert_eq!(decided.said("main blockquote"), "eri ihmisiä");
    let again = confirm(&mut admin, &page, "eri ihmisiä").await;
    assert_eq!(again.location(), done.location());

    let record = admin.get("/identity/decisions").await;
    assert_eq!(record.texts("li.row .mark"), ["holds"]);
    let undo = decided.attributes("main .buttons a[href*=undo]", "href");
    let page = admin.get(&undo[0]).await;
    let undone = confirm(&mut admin, &page, "olikin sama").await;
    assert_eq!(undone.status, StatusCode::SEE_OTHER, "{}", undone.text);
    let record = admin.get("/identity/decisions").await;
    assert_eq!(record.texts("li.row .mark"), ["holds", "undone"]);
    assert_eq!(
        record.texts("li.row strong"),
        ["A decision undone", "Kept apart"]
    );
}

#[tokio::test]
async fn a_proposal_that_is_no_longer_true_is_shown_anew() {
    let world = World::new().await;
    let home = household(&world).await;
    let mut admin = Browser::of(&world, "admin").await.speaking("en");
    let veikko = profile(&home.veikko);
    let path = format!("/customers/{}/split?leave={veikko}", home.customer);
    let page = admin.get(&path).await;
    let late = world.event(Told {
        id: "3",
        identifiers: &[("email", "veikko@example.fi"), ("device", "d-1")],
        ..WEB
    });
    let device = late.values[1].clone();
    world
        .write([
            named(&late),
            Record::Event(late),
            assigned(&device, home.customer, 2),
        ])
        .await;
    let refused = confirm(&mut admin, &page, "eri ihmisiä").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.said(".alert").contains("changed since you looked"));
    assert_eq!(refused.said("textarea"), "eri ihmisiä");
    let done = confirm(&mut admin, &refused, "eri ihmisiä").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
}

#[tokio::test]
async fn two_pages_are_joined_and_an_earlier_decision_is_in_the_way() {
    let world = World::new().await;
    let events = [("1", "aino@example.fi"), ("2", "aino@work.example")].map(|(id, email)| {
        world.event(Told {
            id,
            identifiers: if id == "1" {
                &[("email", "aino@example.fi")]
            } else {
                &[("email", "aino@work.example")]
            },
            text: Some(email),
            ..WEB
        })
    });
    world.write(events.clone().map(Record::Event)).await;
    world.write(events.each_ref().map(named)).await;
    let [home, work] = events.each_ref().map(|event| profile(&event.values[0]));
    let mut admin = Browser::of(&world, "admin").await.speaking("en");
    let path = format!("/customers/merge?customers={home}");
    let found = admin
        .submit(&path, &[("identifier", "aino@work.example")])
        .await;
    found.holds_what_every_page_holds(&path);
    let choose = found.attributes("main form .buttons a", "href");
    assert_eq!(choose, [format!("{path}&customers={work}")]);
    let page = admin.get(&choose[0]).await;
    assert_eq!(page.texts(".whole").len(), 1, "{}", page.text);
    assert!(page.said(".whole").contains("2 events"));

    let apart = format!("/identity/decide?decision=apart&one={home}&other={work}");
    let page = admin.get(&apart).await;
    assert!(page.text.contains("Nothing moves now"), "{}", page.text);
    confirm(&mut admin, &page, "eri ihmisiä").await;
    let page = admin.get(&choose[0]).await;
    assert!(page.said(".alert.bad").contains("earlier decision"));
    let earlier = page.attributes(".alert.bad a", "href");
    assert_eq!(admin.get(&earlier[0]).await.status, StatusCode::OK);
    assert!(!page.has("form[action='/identity/decide'] button"));
    let empty = admin.submit(&path, &[("identifier", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(empty.texts(".fault"), ["Type an identifier."]);
}

#[tokio::test]
async fn who_may_not_decide_sees_none_of_it() {
    let world = World::new().await;
    let home = household(&world).await;
    let [a, b] = home.events.each_ref().map(|event| event.id);
    let (customer, veikko) = (home.customer, profile(&home.veikko));
    let deciding = [
        format!("/customers/{customer}/split"),
        format!("/customers/merge?customers={customer}"),
        format!("/identity/decide?decision=block&one={veikko}"),
        "/identity/review".to_owned(),
        "/identity/decisions".to_owned(),
    ];
    let explaining = [
        format!("/customers/{customer}/explain?a={a}&b={b}"),
        format!("/identity/explain?a={a}&b={b}"),
    ];
    for key in ["advisor", "front"] {
        let browser = Browser::of(&world, key).await;
        for path in deciding.iter().chain(&explaining) {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{key} {path}");
            assert!(!page.text.contains("veikko"), "{key} {path}");
        }
    }
    // A lead decides, but not about customers of others.
    let lead = Browser::of(&world, "lead").await;
    for path in &deciding[..3] {
        let page = lead.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    let review = lead.get("/identity/review").await;
    assert!(!review.has("section.item") && review.status == StatusCode::OK);
    assert!(
        review
            .attributes("nav.menu a", "href")
            .contains(&"/identity/review".to_owned())
    );
}
