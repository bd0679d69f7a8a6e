//! What people decide: tried, made, repeated, undone, refused.

use axum::http::{HeaderValue, StatusCode};
use event::access::AccessKind;
use serde_json::{Value as Json, json};

use super::Story;
use crate::{
    Config,
    tests::{
        decider::value,
        world::{TILL, Told, post, profile},
    },
};

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
