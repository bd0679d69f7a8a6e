//! What waits for a person to decide.

use axum::http::StatusCode;
use serde_json::json;

use super::Story;
use crate::tests::{
    decider::value,
    world::{TILL, Told, WEB, profile},
};

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
async fn a_customer_at_its_ceiling_takes_no_more_in_until_a_person_says_so() {
    let mut story = Story::new().await;
    let numbers: Vec<String> = (0..51)
        .map(|number| format!("041 100 {number:04}"))
        .collect();
    let events: Vec<_> = numbers
        .iter()
        .map(|number| {
            story.world.event(Told {
                id: number,
                at: 30,
                identifiers: &[("customer_number", "100777"), ("phone", number)],
                ..TILL
            })
        })
        .collect();
    story.decider.tell(&story.world, &events).await;
    let bea = story.bea();
    // The number, the address and 48 telephones; the event that named one too many is hers all the same.
    let (_, customer) = story
        .world
        .get("admin", &format!("/v1/customers/{bea}"))
        .await;
    assert_eq!(
        customer["identifiers"].as_array().unwrap().len(),
        50,
        "{customer}"
    );
    assert_eq!(story.events_of(bea).await, 1 + 51);
    let path = "/v1/identity/review?what=ceiling";
    let (_, review) = story.world.get("admin", path).await;
    assert_eq!(review["count"], 3, "{review}");
    let item = &review["items"][0];
    assert!(item["evidence"][0]["report"]["event"].is_string(), "{item}");
    let mut together = item["options"][0].clone();
    together["reason"] = json!("a school");
    let (status, answer) = story.decide("/v1/identity/decisions", together).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (_, review) = story.world.get("admin", path).await;
    assert_eq!(review["count"], 2, "{review}");
}
