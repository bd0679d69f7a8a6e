//! Why two events are on one timeline, or on two.

use axum::http::StatusCode;
use event::Event;
use serde_json::json;

use super::Story;
use crate::tests::{
    decider::value,
    world::{Told, WEB, case, case_id, get, profile, stands},
};

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
