//! Who may decide what, and what is left in the records of it.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::Story;
use crate::tests::{
    decider::value,
    pages::Browser,
    world::{COMPANY, TILL, Told, case, case_id, company, name, profile, stands},
};

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
    let text = format!("{}[departments.care]\n", COMPANY);
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
async fn who_may_not_read_the_customers_does_not_decide_anew_what_was_undone() {
    let mut story = Story::new().await;
    let (aino, bea) = (story.aino(), story.bea());
    let merge = json!({ "customers": [aino, bea], "reason": "one person" });
    let (_, merged) = story.decide("/v1/customers/merge", merge).await;
    let decisions = "/v1/identity/decisions";
    let undo =
        |of: &Json| json!({ "decision": "undo", "undoes": of["id"], "reason": "it was wrong" });
    let (_, undone) = story.decide(decisions, undo(&merged)).await;
    // The lead's department has nothing to do with either.
    let (status, answer) = story.decide_as("lead", decisions, undo(&undone)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    let (status, answer) = story.decide(decisions, undo(&undone)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(
        (story.events_of(aino).await, story.events_of(bea).await),
        (3, 3),
        "what undid the merge is undone"
    );
}

#[tokio::test]
async fn a_decision_is_told_to_whoever_made_it_also_where_it_put_a_customer_out_of_sight() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let opened = stands(case(case_id("a"), &[aino]));
    story.world.write([opened]).await;
    let email = profile(value(&story.wrote, "email"));
    let block = json!({ "decision": "block", "one": [email], "reason": "everybody's" });
    let (_, done) = story
        .decide_as("lead", "/v1/identity/decisions", block)
        .await;
    let path = format!("/v1/identity/decisions/{}", done["id"].as_str().unwrap());
    let (status, told) = story.world.get("lead", &path).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(told["one"][0]["open"], false, "it is nobody's of hers now");
    let (_, listed) = story.world.get("lead", "/v1/identity/decisions").await;
    assert_eq!(listed["decisions"][0]["id"], done["id"]);
}

#[tokio::test]
async fn whoever_opens_a_value_leaves_a_record_of_whose_it_is() {
    let mut story = Story::new().await;
    let (aino, bea) = (story.aino(), story.bea());
    // A call from Aino's phone names Bea's number, and one from a third person's address names Bea's too.
    let form = story.world.event(Told {
        id: "form",
        at: 30,
        identifiers: &[("customer_number", "100777"), ("phone", "040 705 5810")],
        ..TILL
    });
    let third = story.world.event(Told {
        id: "third",
        at: 40,
        identifiers: &[("customer_number", "100999"), ("email", "bea@example.fi")],
        ..TILL
    });
    let other = profile(value(&third, "customer_number"));
    let events = [form, third.clone()];
    story.decider.tell(&story.world, &events).await;
    let explain = format!("/v1/identity/explain?a={}&b={}", story.bought.id, third.id);
    let review = "/v1/identity/review".to_owned();
    for (path, also) in [(&explain, aino), (&review, other)] {
        let before = story.world.accesses().len();
        let (status, answer) = story.world.get("admin", path).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let reads = story.world.accesses().split_off(before);
        let read: Vec<_> = reads.iter().filter_map(|read| read.profile).collect();
        assert!(
            read.contains(&bea) && read.contains(&also),
            "{path}: {read:?}, {answer}"
        );
    }
}

#[tokio::test]
async fn a_page_of_a_decision_leaves_a_record_of_whose_values_it_opens() {
    let mut story = Story::new().await;
    let aino = story.aino();
    let email = profile(value(&story.wrote, "email"));
    let block = json!({ "decision": "block", "one": [email], "reason": "everybody's" });
    let (_, done) = story.decide("/v1/identity/decisions", block).await;
    let id = done["id"].as_str().unwrap();
    let admin = Browser::of(&story.world, "admin").await;
    for path in [
        format!("/identity/decisions/{id}"),
        format!("/identity/decide?decision=undo&undoes={id}"),
        // It is blocked already: nothing is tried, and its values are shown all the same.
        format!("/identity/decide?decision=block&one={email}"),
    ] {
        let before = story.world.accesses().len();
        let page = admin.get(&path).await;
        assert!(page.text.contains("aino@example.fi"), "{path}");
        let reads = story.world.accesses().split_off(before);
        assert!(
            reads.iter().any(|read| read.profile == Some(email)),
            "{path}: {reads:?} of {aino}"
        );
    }
}
