use axum::http::StatusCode;
use event::{
    CaseId, Channel, Class, MatterId, ProfileId, Record, Token, Topic,
    access::AccessKind,
    case::{Phase, StepKind},
    timeline::{Moved, StepEntry, Timeline},
};
use serde_json::{Value as Json, json};

use super::world::{
    TILL, Told, WEB, World, assigned, at, case, case_id, company, department, entry, event_text,
    get, name, placed, profile, stands,
};

/// Aino buys in the store with her card and writes on the web with her e-mail.
async fn aino(world: &World) -> (event::Event, event::Event) {
    let bought = world.event(Told {
        identifiers: &[("customer_number", "100234"), ("phone", "040 705 5810")],
        references: &[("order", "a-77")],
        ..TILL
    });
    let wrote = world.event(Told {
        id: "2",
        at: 30,
        what: "delivery.late",
        identifiers: &[("email", "Aino@example.fi")],
        name: Some("Aino K."),
        text: Some("Paketti tuli myöhässä"),
        ..WEB
    });
    let events = [bought.clone(), wrote.clone()].map(Record::Event);
    world.write(events).await;
    (bought, wrote)
}

fn ids(answer: &Json) -> Vec<Json> {
    let customers = answer["customers"].as_array().unwrap();
    customers.iter().map(|one| one["id"].clone()).collect()
}

fn times(page: &Json) -> Vec<Json> {
    let entries = page["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["time"].clone()).collect()
}

#[tokio::test]
async fn a_customer_is_found_by_each_of_its_values() {
    let world = World::new().await;
    let (bought, wrote) = aino(&world).await;
    let aino = profile(&bought.values[0]);
    let merged = [&bought.values[..], &wrote.values].concat();
    world
        .write(merged.iter().map(|value| assigned(value, aino, 1)))
        .await;
    for identifier in [
        "customer_number:100234",
        "phone:+358 40 7055810",
        "phone:0407055810",
        "email: AINO@example.fi",
        "order:A-77",
    ] {
        let (status, answer) = world.search("admin", identifier).await;
        assert_eq!(status, StatusCode::OK, "{identifier}: {answer}");
        assert_eq!(ids(&answer), [json!(aino.to_string())], "{identifier}");
    }
    let (status, answer) = world.search("admin", "email:other@example.fi").await;
    assert_eq!((status, ids(&answer)), (StatusCode::OK, vec![]));
    for (identifier, fault) in [
        ("aino@example.fi", "is not of the form `type:value`"),
        ("fax:1", "is of no known type"),
        ("email:aino", "is no e-mail address"),
    ] {
        let (status, answer) = world.search("admin", identifier).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{identifier}");
        assert_eq!(answer["faults"]["identifier"], fault, "{identifier}");
    }
}

#[tokio::test]
async fn numbers_of_two_sources_are_two_customers_until_somebody_says_otherwise() {
    let world = World::new().await;
    let at_till = world.event(Told {
        references: &[("order", "1001")],
        ..TILL
    });
    let on_web = world.event(Told {
        references: &[("order", "1001")],
        ..WEB
    });
    world
        .write([at_till.clone(), on_web.clone()].map(Record::Event))
        .await;
    let (_, answer) = world.search("admin", "order:1001").await;
    assert_eq!(ids(&answer).len(), 2, "{answer}");
}

#[tokio::test]
async fn a_page_shows_both_channels_in_order_of_happening_also_what_came_late() {
    let world = World::new().await;
    let (bought, wrote) = aino(&world).await;
    let aino = profile(&bought.values[0]);
    world.write([assigned(&wrote.values[0], aino, 1)]).await;
    let late = world.event(Told {
        id: "3",
        at: 10,
        what: "call",
        identifiers: &[("phone", "0407055810")],
        ..TILL
    });
    world
        .write([
            Record::Event(late.clone()),
            assigned(&late.values[0], aino, 1),
        ])
        .await;
    let path = format!("/v1/customers/{aino}/timeline");
    let (status, page) = world.get("admin", &path).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let entries = page["entries"].as_array().unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry["event"].clone(), entry["channel"].clone()))
        .collect();
    assert_eq!(
        seen,
        [
            (event_text(bought.id), json!("store")),
            (event_text(late.id), json!("store")),
            (event_text(wrote.id), json!("web")),
        ]
    );
    assert_eq!(
        entries[2]["text"],
        json!({ "shown": "Paketti tuli myöhässä", "open": true })
    );
    assert_eq!(entries[2]["by"]["shown"], "Aino K.");
    let (_, newest) = world.get("admin", &format!("{path}?order=newest")).await;
    let mut reversed = times(&newest);
    reversed.reverse();
    assert_eq!(reversed, times(&page));
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let world = World::new().await;
    let events: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"]
        .into_iter()
        .enumerate()
        .map(|(number, id)| {
            world.event(Told {
                id,
                // Several at one moment: the id decides their order.
                at: i64::try_from(number / 3).unwrap(),
                identifiers: &[("email", "aino@example.fi")],
                ..WEB
            })
        })
        .collect();
    world.write(events.iter().cloned().map(Record::Event)).await;
    let mut expected: Vec<_> = events
        .iter()
        .map(|event| (event.time, event.id.to_string()))
        .collect();
    expected.sort();
    let aino = profile(&events[0].values[0]);
    for order in ["oldest", "newest"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/customers/{aino}/timeline?limit=2&order={order}{cursor}");
            let (_, page) = world.get("admin", &path).await;
            let entries = page["entries"].as_array().unwrap();
            seen.extend(entries.iter().map(|entry| entry["event"].clone()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let ids: Vec<Json> = expected.iter().map(|(_, id)| json!(id)).collect();
        assert_eq!(seen, ids, "{order}");
        expected.reverse();
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("order=up", "order"),
    ] {
        let path = format!("/v1/customers/{aino}/timeline?{query}");
        let (status, answer) = world.get("admin", &path).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(answer["faults"][field].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn a_page_is_complete_while_a_merge_is_only_half_visible() {
    let world = World::new().await;
    let (bought, wrote) = aino(&world).await;
    let (number, phone, order) = (&bought.values[0], &bought.values[1], &bought.values[2]);
    let email = &wrote.values[0];
    let called = world.event(Told {
        id: "3",
        identifiers: &[("phone", "0407055810")],
        ..TILL
    });
    world.write([Record::Event(called)]).await;
    // First the e-mail gathers the phone and the order, then the number takes all; of the second decision only the e-mail's
    // own move is visible yet.
    world
        .write([
            assigned(phone, profile(email), 1),
            assigned(order, profile(email), 1),
            assigned(email, profile(number), 2),
        ])
        .await;
    let complete = async |asked: ProfileId| {
        let path = format!("/v1/customers/{asked}/timeline");
        let (status, page) = world.follow("admin", &path).await;
        assert_eq!(status, StatusCode::OK);
        page["entries"].as_array().unwrap().len()
    };
    for value in [number, phone, order, email] {
        assert_eq!(complete(profile(value)).await, 3, "{value:?}");
    }
}

#[tokio::test]
async fn an_old_id_leads_to_the_present_one() {
    let world = World::new().await;
    let (bought, wrote) = aino(&world).await;
    let (old, new) = (profile(&wrote.values[0]), profile(&bought.values[0]));
    let (_, before) = world.get("admin", &format!("/v1/customers/{old}")).await;
    assert_eq!(before["id"], old.to_string());
    world.write([assigned(&wrote.values[0], new, 1)]).await;
    for (rest, query) in [("", ""), ("/timeline", "?limit=1&order=newest")] {
        let path = format!("/v1/customers/{old}{rest}{query}");
        let response = world.send(get("admin", &path)).await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        let link = format!("/v1/customers/{new}{rest}{query}");
        assert_eq!(response.headers()["location"], link);
        let (_, body) = world.get("admin", &path).await;
        let said = json!({ "id": old.to_string(), "moved_to": new.to_string(), "link": link });
        assert_eq!(body, said);
    }
    let (status, after) = world.follow("admin", &format!("/v1/customers/{old}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(after["id"], new.to_string());
    assert_eq!(after["name"]["shown"], "Aino K.");
    // A decision about it is one about the customer that there is now; who may not read the customer is not told that it moved.
    let (status, _) = world.get("stranger", &format!("/v1/customers/{old}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    for unknown in [ProfileId::new(Token::new([9; 16])).to_string(), "x".into()] {
        let (status, _) = world
            .get("admin", &format!("/v1/customers/{unknown}"))
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{unknown}");
    }
}

#[tokio::test]
async fn an_event_whose_strongest_value_is_out_follows_the_next() {
    let world = World::new().await;
    let shared = world.event(Told {
        identifiers: &[("email", "info@example.fi"), ("phone", "040 705 5810")],
        ..WEB
    });
    let (email, phone) = (&shared.values[0], &shared.values[1]);
    world.write([Record::Event(shared.clone())]).await;
    let length = async |profile: ProfileId| {
        let path = format!("/v1/customers/{profile}/timeline");
        let (_, page) = world.get("admin", &path).await;
        page["entries"].as_array().unwrap().len()
    };
    assert_eq!(length(profile(email)).await, 1);
    assert_eq!(length(profile(phone)).await, 0);
    let Record::Assignment(mut out) = assigned(email, profile(email), 1) else {
        unreachable!("an assignment was made")
    };
    out.out = true;
    world.write([Record::Assignment(out)]).await;
    assert_eq!(length(profile(email)).await, 0);
    assert_eq!(length(profile(phone)).await, 1);
}

#[tokio::test]
async fn entries_tell_what_the_unifier_knows_and_steps_stand_among_them() {
    let world = World::new().await;
    let (bought, wrote) = aino(&world).await;
    let aino = profile(&bought.values[0]);
    world.write([assigned(&wrote.values[0], aino, 1)]).await;
    let old = entry(&wrote, profile(&wrote.values[0]), 0);
    let now = entry(&wrote, aino, 1);
    let matter = now.matter;
    // The case was absorbed by another, which has the matter now.
    let mut handles = case(case_id("other"), &[aino]);
    handles.matters = vec![matter];
    let step = StepEntry {
        profile: aino,
        id: Token::hash("test.step", &[]),
        case: handles.case,
        matter,
        step: 1,
        time: at(20),
        what: StepKind::Opened,
        department: Some(department("delivery")),
    };
    let moved = Moved {
        profile: old.profile,
        entry: wrote.id.token(),
        to: Some(aino),
        version: now.version,
    };
    let other = handles.case;
    world
        .write([
            placed(now),
            placed(old),
            Record::Timeline(Timeline::Moved(moved)),
            Record::Timeline(Timeline::Step(step)),
            stands(handles),
        ])
        .await;
    let path = format!("/v1/customers/{aino}/timeline");
    let (_, page) = world.get("admin", &path).await;
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "{page}");
    assert_eq!(entries[0]["matter"], Json::Null);
    assert_eq!(entries[1]["what"], "opened");
    assert_eq!(entries[1]["department"], "delivery");
    assert_eq!(entries[2]["matter"], matter.to_string());
    assert_eq!(entries[2]["stage"], "delivery");
    assert_eq!(entries[2]["party"], "posti");
    assert_eq!(entries[2]["case"], other.to_string());
}

#[tokio::test]
async fn who_may_not_see_a_customer_sees_masks_and_who_may_sees_values() {
    let world = World::new().await;
    let (bought, _) = aino(&world).await;
    let aino = profile(&bought.values[0]);
    let all = bought.values.iter().map(|value| assigned(value, aino, 1));
    world.write(all).await;
    let (_, masked) = world.search("stranger", "customer_number:100234").await;
    let card = &masked["customers"][0];
    assert_eq!(
        card["identifiers"],
        json!([
            { "type": "customer_number", "shown": "•• 34", "open": false, "why": "not_permitted" },
            { "type": "phone", "shown": "•• 5810", "open": false, "why": "not_permitted" },
        ])
    );
    world.write([stands(case(case_id("a"), &[aino]))]).await;
    for key in ["admin", "front", "advisor", "lead"] {
        let (_, open) = world.search(key, "customer_number:100234").await;
        let card = &open["customers"][0];
        assert_eq!(
            card["identifiers"][1],
            json!({
                "id": profile(&bought.values[1]).to_string(),
                "type": "phone", "shown": "+358407055810", "open": true,
            }),
            "{key}"
        );
        assert_eq!(card["references"][0]["shown"], "A-77", "{key}");
        assert_eq!(card["open_cases"], 1, "{key}");
    }
}

#[tokio::test]
async fn every_read_leaves_an_access_record_and_the_reason_goes_through_the_masks() {
    let world = World::new().await;
    let (bought, _) = aino(&world).await;
    let aino = profile(&bought.values[0]);
    let id = case_id("a");
    let all = bought.values.iter().map(|value| assigned(value, aino, 1));
    world.write(all).await;
    world.write([stands(case(id, &[aino]))]).await;
    let body = json!({ "identifier": "phone:0407055810", "reason": "caller, 010594Y9032" });
    world.post("front", "/v1/customers/search", body).await;
    world.search("admin", "email:nobody@example.fi").await;
    let mut request = get("front", &format!("/v1/customers/{aino}"));
    let reason = "hän soittaa".as_bytes();
    let reason = axum::http::HeaderValue::from_bytes(reason).unwrap();
    request.headers_mut().insert("polku-reason", reason);
    assert_eq!(world.json(request).await.0, StatusCode::OK);
    world
        .get("advisor", &format!("/v1/customers/{aino}/timeline"))
        .await;
    world.get("lead", &format!("/v1/cases/{id}")).await;
    // Refused reads show nothing, and leave nothing.
    world
        .get("stranger", &format!("/v1/customers/{aino}"))
        .await;

    let mut seen: Vec<_> = world
        .accesses()
        .into_iter()
        .map(|access| {
            let reason = access.reason.unwrap_or_default();
            (
                access.credential.to_string(),
                access.what,
                access.profile,
                reason,
            )
        })
        .collect();
    seen.sort();
    let text = str::to_owned;
    assert_eq!(
        seen,
        [
            (text("admin"), AccessKind::Search, None, text("she calls")),
            (text("advisor"), AccessKind::Timeline, Some(aino), text("")),
            (
                text("front"),
                AccessKind::Search,
                Some(aino),
                text("caller, [hetu]")
            ),
            (
                text("front"),
                AccessKind::Profile,
                Some(aino),
                text("hän soittaa")
            ),
            (text("lead"), AccessKind::Case, Some(aino), text("")),
        ]
    );
}

#[tokio::test]
async fn a_later_revision_takes_the_event_to_whom_it_names() {
    let world = World::new().await;
    let (bought, _) = aino(&world).await;
    let mut corrected = world.event(Told {
        identifiers: &[("customer_number", "555555")],
        ..TILL
    });
    corrected.revision = 1;
    world
        .write([
            Record::Event(corrected.clone()),
            Record::Event(bought.clone()),
        ])
        .await;
    for (value, expected) in [(&bought.values[0], 0), (&corrected.values[0], 1)] {
        let path = format!("/v1/customers/{}/timeline", profile(value));
        let (_, page) = world.get("admin", &path).await;
        let length = page["entries"].as_array().unwrap().len();
        assert_eq!(length, expected, "{value:?}");
    }
}

#[tokio::test]
async fn the_case_of_a_matter_is_shown_with_its_clocks_and_why_it_came_there() {
    let world = World::new().await;
    let (bought, wrote) = aino(&world).await;
    let (old, new) = (profile(&wrote.values[0]), profile(&bought.values[0]));
    let id = CaseId::new(MatterId::of_reference(wrote.anchor).token());
    let mut state = case(id, &[old, new]);
    state.version = 4;
    state.phase = Phase::Acknowledged;
    state.channels = vec![Channel::Web, Channel::CallCentre];
    let steps = [
        (1, StepKind::Opened, "delivery"),
        (2, StepKind::Accepted, "billing"),
        (3, StepKind::Accepted, "delivery"),
        (4, StepKind::Acknowledged, "delivery"),
    ]
    .map(|(number, what, owner)| super::world::step(id, number, what, owner))
    .map(|step| Record::Case(event::case::Case::Step(step)));
    world.write(steps).await;
    world
        .write([stands(state), assigned(&wrote.values[0], new, 1)])
        .await;
    let (status, shown) = world.get("advisor", &format!("/v1/cases/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert_eq!(shown["state"], "acknowledged");
    assert_eq!(shown["why"], json!(["root", "late-parcels"]));
    assert_eq!(shown["customers"], json!([new.to_string()]));
    assert_eq!(shown["clocks"]["waiting_since"], at(0).to_string());
    assert_eq!(shown["clocks"]["owner_since"], at(3).to_string());
    assert_eq!(shown["clocks"]["party_since"], at(1).to_string());
    assert_eq!(shown["history"].as_array().unwrap().len(), 4);
    assert_eq!(shown["history"][0]["why"], json!(["root", "late-parcels"]));

    // Once posti is a department of ours there is no outside party.
    let text = format!("{}\n[departments.posti]\n", super::world::COMPANY);
    world.write([company(2, &text)]).await;
    let (_, shown) = world.get("advisor", &format!("/v1/cases/{id}")).await;
    assert_eq!(shown["clocks"]["party_since"], Json::Null);
    assert_eq!(name("posti").to_string(), shown["party"]);
    assert!(world.records(&Topic::Access).len() >= 2);
    assert_eq!(
        world.value("till", Class::Identifier, "customer_number", "100234"),
        bought.values[0]
    );
}

#[tokio::test]
async fn a_customers_state_is_what_the_timeline_adds_up_to() {
    let world = World::new().await;
    let (bought, mut wrote) = aino(&world).await;
    wrote.kind = event::Kind::Complaint;
    wrote.revision = 1;
    wrote.score = Some(event::Score {
        metric: name("nps"),
        value: 2.0,
        min: 0.0,
        max: 10.0,
    });
    let aino = profile(&bought.values[0]);
    let mut open = case(case_id("a"), &[aino]);
    open.owner = department("billing");
    let about = entry(&wrote, aino, 1);
    let step = StepEntry {
        profile: aino,
        id: Token::hash("test.step", &[]),
        case: open.case,
        matter: about.matter,
        step: 1,
        time: at(31),
        what: StepKind::Opened,
        department: Some(department("billing")),
    };
    open.matters = vec![about.matter];
    let (case, matter) = (open.case, about.matter);
    world
        .write([
            Record::Event(wrote.clone()),
            assigned(&wrote.values[0], aino, 1),
            placed(entry(&bought, aino, 1)),
            placed(about),
            Record::Timeline(Timeline::Step(step)),
            stands(open),
        ])
        .await;
    let (_, answer) = world.get("admin", &format!("/v1/customers/{aino}")).await;
    let state = &answer["state"];
    assert_eq!(
        state["open"],
        json!([{ "case": case, "since": at(31), "matters": [matter] }]),
        "{answer}"
    );
    assert_eq!(
        (&state["scores"]["nps"]["value"], &state["stage"]["name"]),
        (&json!(2.0), &json!("delivery"))
    );
    // The matter and the one that its case has its id of are one, under the smaller.
    let one = matter.min(case.matter());
    assert_eq!(
        state["contacts"][one.to_string()]["channels"],
        json!({ "web": 1 }),
        "{answer}"
    );
    assert_eq!(state["complaints"]["days_365"], json!({ "web": 1 }));
    assert_eq!(
        state["promises"],
        json!({ "made": 0, "kept": 0, "broken": 0, "withdrawn": 0 })
    );
    // Found by a search, it is not told yet; of a case of others one sees that there is one.
    let (_, found) = world.search("front", "email:aino@example.fi").await;
    assert_eq!(found["customers"][0]["state"], Json::Null);
    let (_, told) = world.get("front", &format!("/v1/customers/{aino}")).await;
    assert_eq!(told["state"]["open"][0]["case"], Json::Null);
    assert_eq!(told["state"]["open"][0]["matters"], json!([matter]));
}
