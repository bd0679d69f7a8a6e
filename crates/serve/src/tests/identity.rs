use axum::http::{HeaderValue, StatusCode};
use event::{Event, ProfileId, Record, Topic, access::AccessKind, link::Link};
use serde_json::{Value as Json, json};

use super::{
    decider::{Decider, value},
    world::{TILL, Told, WEB, World, case, case_id, company, get, name, post, profile, stands},
};
use crate::Config;

/// Aino's card and phone at the till, her phone and e-mail on the web; Bea by her number alone, and a call from Aino's phone that
/// names Bea's number.
struct Story {
    world: World,
    decider: Decider,
    bought: Event,
    wrote: Event,
    bea: Event,
}

impl Story {
    async fn new() -> Story {
        Story::with(Config::default()).await
    }

    async fn with(config: Config) -> Story {
        let world = World::with(config).await;
        let mut decider = Decider::default();
        let bought = world.event(Told {
            id: "1",
            identifiers: &[("customer_number", "100234"), ("phone", "040 705 5810")],
            references: &[("order", "A-77")],
            ..TILL
        });
        let wrote = world.event(Told {
            id: "2",
            at: 10,
            identifiers: &[("phone", "040 705 5810"), ("email", "aino@example.fi")],
            ..WEB
        });
        let bea = world.event(Told {
            id: "3",
            at: 20,
            identifiers: &[("customer_number", "100777"), ("email", "bea@example.fi")],
            ..TILL
        });
        let events = [bought.clone(), wrote.clone(), bea.clone()];
        decider.tell(&world, &events).await;
        Story {
            world,
            decider,
            bought,
            wrote,
            bea,
        }
    }

    fn aino(&self) -> ProfileId {
        profile(value(&self.bought, "customer_number"))
    }

    fn bea(&self) -> ProfileId {
        profile(value(&self.bea, "customer_number"))
    }

    async fn events_of(&self, customer: ProfileId) -> usize {
        let path = format!("/v1/customers/{customer}/timeline");
        let (_, page) = self.world.follow("admin", &path).await;
        page["entries"].as_array().map_or(0, Vec::len)
    }

    async fn decide(&mut self, path: &str, body: Json) -> (StatusCode, Json) {
        self.decide_as("admin", path, body).await
    }

    async fn decide_as(&mut self, key: &str, path: &str, body: Json) -> (StatusCode, Json) {
        let answer = self.world.post(key, path, body).await;
        // The answer has waited for the model to have the record; the assignments follow.
        self.world.note_written(self.decisions());
        self.decider.follow(&self.world).await;
        answer
    }

    fn decisions(&self) -> usize {
        let links = self.world.records(&Topic::IdentityLink).into_iter();
        links
            .filter(|record| matches!(record, Record::Link(Link::Decision(_))))
            .count()
    }
}

#[tokio::test]
async fn an_explanation_leads_from_event_to_event_by_what_named_the_values_together() {
    let story = Story::new().await;
    let (a, b) = (story.bought.id, story.wrote.id);
    let aino = story.aino();
    let path = format!("/v1/customers/{aino}/explain?a={a}&b={b}");
    let (status, answer) = story.world.get("admin", &path).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    insta::assert_json_snapshot!("explained_together", answer);
    // From either side, and without a customer.
    let (_, back) = story
        .world
        .get("admin", &format!("/v1/identity/explain?a={b}&b={a}"))
        .await;
    assert_eq!(back["together"], true);
    assert_eq!(
        back["chain"].as_array().unwrap().len(),
        answer["chain"].as_array().unwrap().len()
    );
    let (_, apart) = story
        .world
        .get(
            "admin",
            &format!("/v1/identity/explain?a={a}&b={}", story.bea.id),
        )
        .await;
    assert_eq!(apart["together"], false);
    assert_eq!(
        apart["barriers"],
        json!([{ "what": "unlinked", "values": [] }])
    );
}

#[tokio::test]
async fn an_explanation_says_which_rule_kept_two_apart() {
    let mut story = Story::new().await;
    // Somebody's web form says that Bea has Aino's phone.
    let mut form = story.world.event(Told {
        id: "form",
        at: 30,
        identifiers: &[("customer_number", "100777"), ("phone", "040 705 5810")],
        ..WEB
    });
    form.trusted = false;
    story.decider.tell(&story.world, &[form.clone()]).await;
    let path = format!("/v1/identity/explain?a={}&b={}", story.bought.id, form.id);
    let (_, answer) = story.world.get("admin", &path).await;
    assert_eq!(answer["together"], false, "{answer}");
    let barrier = &answer["barriers"][0];
    assert_eq!(
        (&barrier["what"], &barrier["why"]),
        (&json!("refused"), &json!("exclusive"))
    );
    assert_eq!(barrier["report"]["event"], form.id.to_string());
    assert_eq!(barrier["values"][0]["shown"], "100777");
}

#[tokio::test]
async fn who_may_not_read_both_customers_is_not_told_why() {
    let story = Story::new().await;
    let (aino, bea) = (story.aino(), story.bea());
    story
        .world
        .write([stands(case(case_id("a"), &[aino]))])
        .await;
    let path = |a: &Event, b: &Event| format!("/v1/identity/explain?a={}&b={}", a.id, b.id);
    let own = path(&story.bought, &story.wrote);
    let others = path(&story.bought, &story.bea);
    for (key, path, expected) in [
        ("advisor", &own, StatusCode::OK),
        ("lead", &own, StatusCode::OK),
        ("stranger", &own, StatusCode::FORBIDDEN),
        ("front", &own, StatusCode::FORBIDDEN),
        ("machine", &own, StatusCode::FORBIDDEN),
        ("advisor", &others, StatusCode::FORBIDDEN),
        ("admin", &others, StatusCode::OK),
    ] {
        let (status, _) = story.world.get(key, path).await;
        assert_eq!(status, expected, "{key} {path}");
    }
    let unknown = format!("e_{}", "0".repeat(32));
    for (path, expected) in [
        (
            format!("/v1/identity/explain?a={unknown}&b={}", story.bea.id),
            StatusCode::NOT_FOUND,
        ),
        (
            "/v1/identity/explain?a=x&b=y".to_owned(),
            StatusCode::NOT_FOUND,
        ),
        (
            "/v1/identity/explain?a=x".to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        (
            format!(
                "/v1/customers/{bea}/explain?a={}&b={}",
                story.bought.id, story.wrote.id
            ),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let (status, _) = story.world.get("admin", &path).await;
        assert_eq!(status, expected, "{path}");
    }
    // An old id leads on, with all that was asked.
    let old = profile(value(&story.wrote, "email"));
    let asked = format!(
        "/v1/customers/{old}/explain?a={}&b={}",
        story.bought.id, story.wrote.id
    );
    let response = story.world.send(get("admin", &asked)).await;
    assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
    let (status, _) = story.world.follow("admin", &asked).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_dry_run_says_what_would_move_and_changes_nothing() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let email = profile(value(&story.wrote, "email"));
    let path = format!("/v1/customers/{aino}/split");
    let body = json!({ "leave": [email], "dry_run": true });
    let (status, answer) = story.decide(&path, body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["moves"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["moves"][0]["value"]["shown"], "aino@example.fi");
    assert_eq!(
        (&answer["moves"][0]["from"], &answer["moves"][0]["to"]),
        (&json!(aino), &json!(email))
    );
    // What she wrote goes by the e-mail.
    let counts = |side: &Json| -> Vec<(Json, Json, Json)> {
        let portions = side.as_array().unwrap().iter();
        portions
            .map(|one| {
                let field = |name: &str| one[name].clone();
                (field("customer"), field("events"), field("moved"))
            })
            .collect()
    };
    let before = counts(&answer["before"]);
    assert_eq!(before, [(json!(aino), json!(2), json!(1))]);
    let mut after = counts(&answer["after"]);
    after.sort_by_key(|(_, _, moved)| moved.as_u64());
    assert_eq!(
        after,
        [
            (json!(aino), json!(1), json!(0)),
            (json!(email), json!(1), json!(1)),
        ]
    );

    let phone = profile(value(&story.wrote, "phone"));
    let body = json!({ "leave": [email, phone], "dry_run": true, "reason": "her mother's" });
    let (_, answer) = story.decide(&path, body).await;
    let left = answer["after"].as_array().unwrap().iter();
    let left: Vec<_> = left.filter(|one| one["customer"] != json!(aino)).collect();
    assert_eq!(left.len(), 1, "phone and e-mail stay together: {answer}");
    assert_eq!(
        (&left[0]["events"], &left[0]["moved"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(left[0]["examples"], json!([story.wrote.id]));
    assert_eq!(story.decisions(), 0);
    let reads = story.world.accesses();
    assert!(reads.iter().all(|read| read.what == AccessKind::Profile));
    assert_eq!(
        reads.last().unwrap().reason.as_deref(),
        Some("her mother's")
    );
}

#[tokio::test]
async fn a_split_parts_and_its_undoing_brings_together_again() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let [email, phone] = ["email", "phone"].map(|kind| profile(value(&story.wrote, kind)));
    let path = format!("/v1/customers/{aino}/split");
    let body = json!({ "leave": [email, phone], "reason": "her mother's phone" });
    let (status, decided) = story.decide(&path, body).await;
    assert_eq!(status, StatusCode::OK, "{decided}");
    assert_eq!(
        (&decided["decision"], &decided["holds"], &decided["actor"]),
        (&json!("apart"), &json!(true), &json!("admin"))
    );
    assert_eq!(
        (story.events_of(aino).await, story.events_of(phone).await),
        (1, 1)
    );
    // What comes later and names both does not bring them together.
    let again = story.world.event(Told {
        id: "4",
        at: 40,
        identifiers: &[("customer_number", "100234"), ("email", "aino@example.fi")],
        ..TILL
    });
    story.decider.tell(&story.world, &[again]).await;
    assert_eq!(
        (story.events_of(aino).await, story.events_of(phone).await),
        (2, 1)
    );

    let id = decided["id"].as_str().unwrap();
    let (_, listed) = story.world.get("admin", "/v1/identity/decisions").await;
    assert_eq!(listed["decisions"][0]["id"], id);
    assert_eq!(listed["decisions"][0]["reason"], "her mother's phone");
    let undo = json!({ "decision": "undo", "undoes": id, "reason": "it is her own" });
    let (status, undone) = story.decide("/v1/identity/decisions", undo.clone()).await;
    assert_eq!(status, StatusCode::OK, "{undone}");
    assert_eq!(story.events_of(aino).await, 3);
    assert_eq!(story.events_of(phone).await, 3, "an old id leads to her");
    let (_, first) = story
        .world
        .get("admin", &format!("/v1/identity/decisions/{id}"))
        .await;
    assert_eq!(first["holds"], false);
    let (status, _) = story.decide("/v1/identity/decisions", undo).await;
    assert_eq!(status, StatusCode::CONFLICT, "it does not hold any more");
}

#[tokio::test]
async fn a_merge_goes_over_exclusive_numbers_but_not_over_a_split() {
    let mut story = Story::new().await;
    let (aino, bea) = (story.aino(), story.bea());
    let merge = json!({ "customers": [aino, bea], "reason": "she has two accounts" });
    let (status, merged) = story.decide("/v1/customers/merge", merge.clone()).await;
    assert_eq!(status, StatusCode::OK, "{merged}");
    let one = story.events_of(aino).await;
    assert_eq!((one, story.events_of(bea).await), (3, 3), "{merged}");
    let (status, again) = story.decide("/v1/customers/merge", merge.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{again}");
    assert_eq!(again["undo"], json!([]));

    let present = aino.min(bea);
    let gone = aino.max(bea);
    let leave = json!({ "leave": [gone], "reason": "two sisters" });
    let path = format!("/v1/customers/{present}/split");
    let (status, split) = story.decide(&path, leave).await;
    assert_eq!(status, StatusCode::OK, "{split}");
    let (status, refused) = story.decide("/v1/customers/merge", merge.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert_eq!(refused["undo"], json!([split["id"]]));
    let undo = json!({ "decision": "undo", "undoes": split["id"], "reason": "one person" });
    story.decide("/v1/identity/decisions", undo).await;
    assert_eq!(
        (story.events_of(aino).await, story.events_of(bea).await),
        (3, 3)
    );
}

#[tokio::test]
async fn a_blocked_value_connects_nobody_and_a_limit_can_be_lifted_for_one() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let [email, phone] = ["email", "phone"].map(|kind| profile(value(&story.wrote, kind)));
    let block = json!({ "decision": "block", "one": [phone], "reason": "the shop's own phone" });
    let (status, blocked) = story.decide("/v1/identity/decisions", block.clone()).await;
    assert_eq!(status, StatusCode::OK, "{blocked}");
    assert_eq!(
        (story.events_of(aino).await, story.events_of(email).await),
        (1, 1)
    );
    let (status, again) = story.decide("/v1/identity/decisions", block).await;
    assert_eq!(status, StatusCode::CONFLICT, "{again}");
    let allow = json!({ "decision": "allow", "one": [phone], "reason": "it is hers" });
    let (status, refused) = story.decide("/v1/identity/decisions", allow).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert_eq!(refused["undo"], json!([blocked["id"]]));

    // Six numbers at one phone are one too many.
    let number = |count: usize| format!("2000{count}");
    for count in 0..6 {
        let event = story.world.event(Told {
            id: &number(count),
            at: 50,
            identifiers: &[
                ("customer_number", &number(count)),
                ("phone", "040 999 0000"),
            ],
            ..TILL
        });
        story.decider.tell(&story.world, &[event]).await;
    }
    let (_, review) = story
        .world
        .get("admin", "/v1/identity/review?what=shared")
        .await;
    let item = &review["items"][0];
    assert_eq!(
        (&review["count"], &item["values"][0]["shown"]),
        (&json!(1), &json!("+358409990000"))
    );
    assert_eq!(item["values"][0]["out"], true);
    let options: Vec<_> = item["options"].as_array().unwrap().iter().collect();
    assert_eq!(options[0]["decision"], "block");
    let mut allow = options[1].clone();
    allow["reason"] = json!("a family");
    let (status, allowed) = story.decide("/v1/identity/decisions", allow).await;
    assert_eq!(status, StatusCode::OK, "{allowed}");
    let (_, review) = story
        .world
        .get("admin", "/v1/identity/review?what=shared")
        .await;
    assert_eq!(review["items"], json!([]));
}

#[tokio::test]
async fn what_waits_for_a_person_says_what_to_decide_and_the_decision_ends_it() {
    let mut story = Story::new().await;
    let mut form = story.world.event(Told {
        id: "form",
        at: 30,
        identifiers: &[("customer_number", "100777"), ("phone", "040 705 5810")],
        ..WEB
    });
    form.trusted = true;
    story.decider.tell(&story.world, &[form]).await;
    let (status, review) = story.world.get("admin", "/v1/identity/review").await;
    assert_eq!(status, StatusCode::OK, "{review}");
    insta::assert_json_snapshot!("review", review);
    let mut together = review["items"][0]["options"][0].clone();
    together["reason"] = json!("she took over her mother's number");
    let (status, answer) = story.decide("/v1/identity/decisions", together).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (_, review) = story.world.get("admin", "/v1/identity/review").await;
    assert_eq!(
        (&review["items"], &review["count"]),
        (&json!([]), &json!(0))
    );
    for (query, field) in [
        ("what=praise", "what"),
        ("limit=0", "limit"),
        ("cursor=7", "cursor"),
    ] {
        let (status, answer) = story
            .world
            .get("admin", &format!("/v1/identity/review?{query}"))
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(answer["faults"][field].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_the_same_decision() {
    let mut story = Story::new().await;
    let path = format!("/v1/customers/{}/split", story.aino());
    let email = profile(value(&story.wrote, "email"));
    let body = json!({ "leave": [email], "reason": "not hers" });
    let mut ids = Vec::new();
    for key in ["k1", "k1", "k2"] {
        let mut request = post("admin", &path, &body);
        let key = HeaderValue::from_static(key);
        request.headers_mut().insert("idempotency-key", key);
        let (status, answer) = story.world.json(request).await;
        story.world.note_written(story.decisions());
        story.decider.follow(&story.world).await;
        ids.push((status, answer["id"].clone()));
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(story.decisions(), 1);
    assert_eq!(
        ids[2].0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the e-mail is not hers any more"
    );
}

#[tokio::test]
async fn a_decision_without_reason_or_with_what_is_nobodys_is_refused_by_field() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let [phone, email] = ["phone", "email"].map(|kind| profile(value(&story.wrote, kind)));
    let all = [aino, phone, email];
    let nobody = format!("p_{}", "9".repeat(32));
    let split = format!("/v1/customers/{aino}/split");
    let decisions = "/v1/identity/decisions";
    for (path, body, field) in [
        (split.as_str(), json!({ "leave": [phone] }), "reason"),
        (
            &split,
            json!({ "leave": [phone], "reason": "  " }),
            "reason",
        ),
        (&split, json!({ "leave": [], "reason": "x" }), "leave"),
        (
            &split,
            json!({ "leave": ["phone"], "reason": "x" }),
            "leave",
        ),
        (&split, json!({ "leave": [nobody], "reason": "x" }), "leave"),
        (
            &split,
            json!({ "leave": [story.bea()], "reason": "x" }),
            "leave",
        ),
        (&split, json!({ "leave": all, "reason": "x" }), "leave"),
        (
            &split,
            json!({ "leave": [phone], "reason": "x", "dry_rum": true }),
            "dry_rum",
        ),
        (
            "/v1/customers/merge",
            json!({ "customers": [aino], "reason": "x" }),
            "customers",
        ),
        (decisions, json!({ "reason": "x" }), "decision"),
        (
            decisions,
            json!({ "decision": "guess", "reason": "x" }),
            "decision",
        ),
        (
            decisions,
            json!({ "decision": "apart", "one": [phone], "reason": "x" }),
            "other",
        ),
        (
            decisions,
            json!({ "decision": "apart", "one": [phone], "other": [phone], "reason": "x" }),
            "other",
        ),
        (
            decisions,
            json!({ "decision": "block", "one": [nobody], "reason": "x" }),
            "one",
        ),
        (
            decisions,
            json!({ "decision": "undo", "reason": "x" }),
            "undoes",
        ),
    ] {
        let (status, answer) = story.decide(path, body.clone()).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{path} {body}: {answer}"
        );
        assert!(
            answer["faults"][field].is_string(),
            "{path} {body}: {answer}"
        );
    }
    let undo =
        json!({ "decision": "undo", "undoes": format!("d_{}", "0".repeat(32)), "reason": "x" });
    assert_eq!(story.decide(decisions, undo).await.0, StatusCode::NOT_FOUND);
    let strangers = json!({ "customers": [aino, nobody], "reason": "x" });
    assert_eq!(
        story.decide("/v1/customers/merge", strangers).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(story.decisions(), 0, "nothing of it is in the log");
}

#[tokio::test]
async fn leads_decide_about_the_customers_they_read_and_nobody_below_does() {
    let mut story = Story::new().await;
    let (aino, bea) = (story.aino(), story.bea());
    story
        .world
        .write([stands(case(case_id("a"), &[aino]))])
        .await;
    let email = profile(value(&story.wrote, "email"));
    let split = format!("/v1/customers/{aino}/split");
    let leave = json!({ "leave": [email], "dry_run": true });
    let merge = json!({ "customers": [aino, bea], "dry_run": true });
    for (key, path, body, expected) in [
        ("lead", split.as_str(), &leave, StatusCode::OK),
        ("admin", &split, &leave, StatusCode::OK),
        ("advisor", &split, &leave, StatusCode::FORBIDDEN),
        ("front", &split, &leave, StatusCode::FORBIDDEN),
        ("machine", &split, &leave, StatusCode::FORBIDDEN),
        ("lead", "/v1/customers/merge", &merge, StatusCode::FORBIDDEN),
        ("admin", "/v1/customers/merge", &merge, StatusCode::OK),
    ] {
        let (status, answer) = story.world.post(key, path, body.clone()).await;
        assert_eq!(status, expected, "{key} {path}: {answer}");
    }
    // Bea's phone is Aino's, says one whom everybody may trust: the lead sees it, and of Bea only a mask.
    let form = story.world.event(Told {
        id: "form",
        at: 30,
        identifiers: &[("customer_number", "100777"), ("phone", "040 705 5810")],
        ..TILL
    });
    story.decider.tell(&story.world, &[form]).await;
    let (_, review) = story.world.get("lead", "/v1/identity/review").await;
    let shown = |index: usize| review["items"][0]["values"][index].clone();
    let masked = [shown(0), shown(1)]
        .into_iter()
        .filter(|value| value["open"] == false);
    assert_eq!(masked.count(), 1, "{review}");
    let option = &review["items"][0]["options"][0];
    let mut body = option.clone();
    body["dry_run"] = json!(true);
    let (status, _) = story
        .world
        .post("lead", "/v1/identity/decisions", body)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    for key in ["advisor", "front", "machine"] {
        for path in ["/v1/identity/review", "/v1/identity/decisions"] {
            let (status, _) = story.world.get(key, path).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{key} {path}");
        }
    }
    // Another department's lead has nothing to decide here.
    let text = format!("{}[departments.care]\n", super::world::COMPANY);
    story.world.write([company(2, &text)]).await;
    let reads = story.world.accesses();
    let lead = reads.iter().filter(|read| read.credential == name("lead"));
    assert!(lead.clone().count() >= 2 && lead.into_iter().all(|read| read.profile == Some(aino)));
}

#[tokio::test]
async fn who_decided_may_undo_it_also_where_it_put_a_customer_out_of_sight() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let opened = stands(case(case_id("a"), &[aino]));
    story.world.write([opened]).await;
    let email = profile(value(&story.wrote, "email"));
    let split = format!("/v1/customers/{aino}/split");
    for (who, expected) in [("lead", StatusCode::OK), ("admin", StatusCode::FORBIDDEN)] {
        let leave = json!({ "leave": [email], "reason": format!("{who} was told so") });
        let (status, done) = story.decide_as(who, &split, leave).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        // The case stays with the number, so the lead does not read the address any more.
        let gone = format!("/v1/customers/{email}/timeline");
        assert_eq!(
            story.world.get("lead", &gone).await.0,
            StatusCode::FORBIDDEN
        );
        let undo = json!({ "decision": "undo", "undoes": done["id"], "reason": "it was wrong" });
        let (status, undone) = story
            .decide_as("lead", "/v1/identity/decisions", undo)
            .await;
        assert_eq!(status, expected, "decided by {who}: {undone}");
    }
}

#[tokio::test]
async fn a_decision_that_is_not_carried_out_in_time_is_answered_with_where_to_ask() {
    let story = Story::with(Config {
        command_wait_ms_max: 10,
        ..Config::default()
    })
    .await;
    // The model stands still.
    story.world.shutdown.stop();
    while !story.world.service.follower.is_finished() {
        tokio::task::yield_now().await;
    }
    let path = format!("/v1/customers/{}/split", story.aino());
    let email = profile(value(&story.wrote, "email"));
    let body = json!({ "leave": [email], "reason": "not hers" });
    let response = story.world.send(post("admin", &path, &body)).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(story.decisions(), 1, "it is in the log");
    let link = response.headers()["location"].to_str().unwrap().to_owned();
    let (status, _) = story.world.get("admin", &link).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "not carried out yet");
}
