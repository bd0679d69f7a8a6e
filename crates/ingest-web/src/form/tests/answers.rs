//! What people send, and what becomes of it.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use event::{Channel, Kind};
use proptest::prelude::*;

use super::world::{World, filled, hidden};

fn with<'a>(
    hidden: &'a [(String, String)],
    fields: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain(fields.iter().copied())
        .collect()
}

#[tokio::test]
async fn an_answer_is_an_event_with_what_the_link_said() {
    let world = World::new();
    let page = world
        .get("/feedback/web-form?lang=sv&place=store:kamppi&touchpoint=pickup-point&stage=delivery&product=sofa&order=A-77")
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let hidden = hidden(&page.body);
    let fields = [
        ("score", "3"),
        ("text", "Var är mitt paket?\r\nJag har väntat länge."),
        ("feeling", "disappointed"),
        ("email", "Aino@Example.fi"),
        ("phone", "040 705 5810"),
    ];
    let reply = world
        .post("/feedback/web-form", &with(&hidden, &fields))
        .await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.headers[header::LOCATION], "web-form/thanks?lang=sv");
    let [(event, personal)] = &world.events()[..] else {
        panic!("one event")
    };
    assert_eq!((event.kind, event.channel), (Kind::Feedback, Channel::Web));
    assert_eq!(event.name.as_str(), "feedback.given");
    let named = [
        &event.place,
        &event.touchpoint,
        &event.stage,
        &event.product,
        &event.language,
    ];
    let named = named.map(|name| name.as_ref().unwrap().as_str());
    assert_eq!(
        named,
        ["store:kamppi", "pickup-point", "delivery", "sofa", "sv"]
    );
    let score = event.score.as_ref().unwrap();
    assert_eq!(
        (score.metric.as_str(), score.value, score.max),
        ("nps", 3.0, 10.0)
    );
    let kinds: Vec<&str> = event
        .values
        .iter()
        .map(|value| value.kind.as_str())
        .collect();
    assert_eq!(kinds, ["email", "phone", "order"]);
    assert_eq!(
        personal.text.as_deref(),
        Some("Var är mitt paket?\nJag har väntat länge.")
    );
    let reached: Vec<&str> = personal
        .identifiers
        .iter()
        .map(|one| one.value.as_str())
        .collect();
    assert_eq!(reached, ["aino@example.fi", "+358407055810"]);
    assert_eq!(
        personal.attributes.as_deref(),
        Some(r#"{"feeling":"disappointed"}"#)
    );
    assert!(!event.trusted);
    let thanks = world.get("/feedback/web-form/thanks?lang=sv").await;
    assert!(thanks.body.contains("Tack för din respons!"));
}

#[tokio::test]
async fn a_score_alone_or_words_alone_are_enough() {
    let world = World::new();
    for (number, field) in [("score", "0"), ("text", "Hyvä!")].into_iter().enumerate() {
        let reply = world.post("/feedback/kiosk", &[field]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{field:?}");
        assert_eq!(world.events().len(), number + 1);
    }
    let (event, _) = &world.events()[0];
    assert_eq!(
        event.place.as_ref().unwrap().as_str(),
        "store:kamppi",
        "as the source says"
    );
    assert!(event.values.is_empty(), "nobody is named");
}

#[tokio::test]
async fn the_same_page_sent_twice_is_one_event_and_another_text_another() {
    let world = World::new();
    let hidden = hidden(&world.get("/feedback/web-form").await.body);
    for (text, events) in [("Hyvä!", 1), ("Hyvä!", 1), ("Ei sittenkään", 2)] {
        let reply = world
            .post("/feedback/web-form", &with(&hidden, &[("text", text)]))
            .await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert_eq!(world.events().len(), events, "{text}");
    }
    assert_eq!(world.rejects(), 0);
}

/// Neither a nonce nor a time of somebody's own making does harm.
#[tokio::test]
async fn hidden_fields_of_ones_own_making_are_left_out() {
    let world = World::new();
    for (name, value) in [
        ("nonce", "<script>"),
        ("nonce", ""),
        ("opened", "1970-01-02T00:00:00Z"),
        ("opened", "2999-01-01T00:00:00Z"),
        ("opened", "yesterday"),
    ] {
        let reply = world
            .post("/feedback/kiosk", &[("score", "9"), (name, value)])
            .await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{name}={value}");
    }
    let page = "/feedback/kiosk?place=%3Cb%3E&order=%00&stage=x%20y&product=..&order=010594Y9032";
    let hidden: Vec<String> = hidden(&world.get(page).await.body)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(hidden, ["lang", "nonce", "opened"]);
    let events = world.events();
    let now = service::clock::now_ms();
    for (event, _) in &events {
        assert!(
            (now - event.time.as_millis()).abs() < 60_000,
            "{:?}",
            event.time
        );
    }
    assert_eq!(events.len(), 5);
}

#[tokio::test]
async fn faults_are_shown_at_their_fields_and_keep_what_was_typed() {
    let world = World::new();
    let long = "ä".repeat(5_001);
    for (fields, at, said) in [
        (
            &[][..],
            "score-fault",
            "Anna arvosana tai kirjoita jotakin.",
        ),
        (
            &[("score", "11"), ("feeling", "angry")],
            "score-fault",
            "Anna arvosana",
        ),
        (&[("text", long.as_str())], "text-fault", "enintään 5"),
        (
            &[("score", "7"), ("email", "aino@")],
            "email-fault",
            "sähköpostiosoite",
        ),
        (
            &[("score", "7"), ("phone", "soita minulle")],
            "phone-fault",
            "puhelinnumero",
        ),
        (
            &[("text", "x"), ("email", "010594-9032")],
            "email-fault",
            "sähköpostiosoite",
        ),
    ] {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .copied()
            .chain([("lang", "fi"), ("place", "store:kamppi")])
            .collect();
        let reply = world
            .send(filled("/feedback/kiosk", &fields), "10.0.0.1")
            .await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = &reply.body;
        assert!(page.contains("role=\"alert\""), "{at}");
        assert!(page.contains(&format!("id=\"{at}\"")), "{at}: {page}");
        assert!(page.contains(said), "{at}");
        assert!(page.contains("<title>Virhe: "), "{at}");
        for (name, value) in fields {
            let kept = match name {
                "score" | "feeling" => {
                    value == "11" || page.contains(&format!("value=\"{value}\" checked"))
                }
                _ => page.contains(value),
            };
            assert!(kept, "{name}={value}");
        }
    }
    assert_eq!((world.events().len(), world.rejects()), (0, 0));
}

const HOSTILE: &str =
    r#"</textarea><img src=x onerror="alert(1)"><script>alert('x')</script>{{ 7*7 }}"#;

#[tokio::test]
async fn hostile_words_are_text_on_the_page_and_in_the_event() {
    let world = World::new();
    let override_ = "\u{202e}oikealta\u{2066}";
    let emoji = "\u{1f600}".repeat(2_000);
    for text in [HOSTILE, override_, &emoji] {
        let fields = [("text", text), ("email", HOSTILE), ("phone", text)];
        let page = world.post("/feedback/kiosk", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for tag in ["<img", "<script", "onerror=\"alert", "</textarea><"] {
            assert!(!page.body.contains(tag), "{tag}");
        }
        let reply = world.post("/feedback/kiosk", &[("text", text)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
    }
    let mut kept: Vec<String> = world
        .events()
        .into_iter()
        .filter_map(|(_, personal)| personal.text)
        .collect();
    let mut sent = [HOSTILE, override_, &emoji].map(str::to_owned).to_vec();
    kept.sort();
    sent.sort();
    assert_eq!(kept, sent);
}

#[tokio::test]
async fn personal_codes_are_masked_like_everywhere() {
    let world = World::new();
    let reply = world
        .post("/feedback/kiosk", &[("text", "Tunnukseni on 010594Y9032.")])
        .await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let (_, personal) = world.events().remove(0);
    assert_eq!(personal.text.as_deref(), Some("Tunnukseni on [hetu]."));
}

/// Five a minute at this form.
#[tokio::test]
async fn one_address_may_answer_so_often_and_others_are_not_slowed() {
    let world = World::new();
    let answer = |address: &'static str| {
        let fields = [("text", "Pitkä vuodatus"), ("lang", "en")];
        world.send(filled("/feedback/web-form", &fields), address)
    };
    for _ in 0..5 {
        assert_eq!(answer("10.0.0.1").await.status, StatusCode::SEE_OTHER);
    }
    let refused = answer("10.0.0.1").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u32 = refused.headers[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=13).contains(&seconds), "{seconds}");
    assert!(refused.body.contains("Pitkä vuodatus") && refused.body.contains("Wait a moment"));
    assert_eq!(answer("10.0.0.2").await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.events().len(), 6);
}

/// Whoever is not behind a proxy of ours can write into the header what they like.
#[tokio::test]
async fn addresses_are_believed_of_our_own_proxies_only() {
    let answer = |forwarded: &'static str| {
        let mut request = filled("/feedback/web-form", &[("score", "5")]);
        let value = forwarded.parse().unwrap();
        request.headers_mut().insert("x-forwarded-for", value);
        request
    };
    let lies = [
        "1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6",
    ];
    for (proxies, last) in [
        (0, StatusCode::TOO_MANY_REQUESTS),
        (1, StatusCode::SEE_OTHER),
    ] {
        let world = World::behind(proxies);
        let mut status = StatusCode::OK;
        for address in lies {
            status = world.send(answer(address), "10.0.0.1").await.status;
        }
        assert_eq!(status, last, "{proxies} proxies");
    }
    // Behind one proxy only what that one added counts.
    let world = World::behind(1);
    let mut status = StatusCode::OK;
    for lie in [
        "1.1.1.1, 9.9.9.9",
        "2.2.2.2, 9.9.9.9",
        "3, 9.9.9.9",
        "9.9.9.9",
        ", 9.9.9.9",
        "8, 9.9.9.9",
    ] {
        status = world.send(answer(lie), "10.0.0.1").await.status;
    }
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_the_log_does_not_take_stays_on_the_page() {
    let reply = World::broken()
        .post("/feedback/kiosk", &[("text", "Tärkeää"), ("lang", "fi")])
        .await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
    assert!(reply.body.contains("Tärkeää") && reply.body.contains("hetken kuluttua"));
}

#[tokio::test]
async fn what_is_no_form_is_a_clear_refusal() {
    let world = World::new();
    for (path, body, expected) in [
        ("/feedback/kiosk", vec![0xff], StatusCode::BAD_REQUEST),
        (
            "/feedback/kiosk",
            b"text=%ff".to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "/feedback/kiosk",
            vec![b'a'; 2 << 20],
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            "/feedback/survey",
            b"score=1".to_vec(),
            StatusCode::NOT_FOUND,
        ),
        (
            "/feedback/nobody",
            b"score=1".to_vec(),
            StatusCode::NOT_FOUND,
        ),
    ] {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        let reply = world.send(request, "10.0.0.1").await;
        assert_eq!(reply.status, expected, "{path}");
    }
    assert_eq!((world.events().len(), world.rejects()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is typed: an event, or the page again; never a refusal of the door.
    #[test]
    fn any_answer_is_taken_or_shown_again(text in any::<String>(), email in ".{0,20}", order in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let fields = [("text", text.as_str()), ("email", &email), ("order", &order)];
            let reply = world.post("/feedback/kiosk", &fields).await;
            let expected = [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::BAD_REQUEST];
            assert!(expected.contains(&reply.status), "{}", reply.status);
            let taken = usize::from(reply.status == StatusCode::SEE_OTHER);
            assert_eq!((world.events().len(), world.rejects()), (taken, 0));
        });
    }
}
