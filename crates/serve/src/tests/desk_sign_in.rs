use axum::http::{StatusCode, header};
use event::Name;

use super::{
    pages::Browser,
    world::{World, case, case_id, stands},
};
use crate::Config;

#[tokio::test]
async fn a_newcomer_sees_what_polku_is_and_the_totals_where_they_are_public() {
    let closed = World::new().await;
    let open = World::with(Config {
        counts_public: true,
        ..Config::default()
    })
    .await;
    open.write([stands(case(case_id("a"), &[]))]).await;
    for (world, is_open) in [(&closed, false), (&open, true)] {
        let page = Browser::new(world).speaking("en").get("/").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("one timeline"), "{}", page.text);
        let departments = page.texts("th[scope=row]");
        let is_listed = departments.contains(&"Delivery & <returns>".to_owned());
        assert_eq!(is_listed, is_open, "{departments:?}");
        assert_eq!(page.text.contains("The totals balance."), is_open);
    }
}

#[tokio::test]
async fn every_language_and_theme_is_a_whole_page() {
    let world = World::new().await;
    for (language, title) in [
        ("fi", "Kirjaudu Polkuun"),
        ("sv", "Logga in på Polku"),
        ("en", "Sign in to Polku"),
    ] {
        let mut browser = Browser::new(&world);
        let choice = [
            ("language", language),
            ("theme", "dark"),
            ("back", "/sign-in"),
        ];
        let answer = browser.send_form("/preferences", &choice).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/sign-in")
        );
        let page = browser.get("/sign-in").await;
        assert_eq!(page.said("h1"), title);
        assert_eq!(page.attributes("html", "lang"), [language]);
        assert_eq!(page.attributes("html", "data-theme"), ["dark"]);
    }
}

#[tokio::test]
async fn a_key_signs_in_and_leads_to_where_one_wanted_to_go_on_this_desk_only() {
    let world = World::new().await;
    for (to, expected) in [
        ("/cases/c_1?x=1", "/cases/c_1?x=1"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("", "/"),
    ] {
        let mut browser = Browser::new(&world);
        let answer = browser
            .send_form("/sign-in", &[("key", " advisor "), ("to", to)])
            .await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, expected)
        );
    }
    let advisor = Browser::of(&world, "advisor").await;
    assert_eq!(advisor.get("/").await.location(), "/inbox/delivery");
    let front = Browser::of(&world, "front").await;
    assert_eq!(front.get("/").await.location(), "/search");
}

#[tokio::test]
async fn a_wrong_key_and_a_machines_key_sign_nobody_in() {
    let world = World::new().await;
    for (key, said) in [
        ("nobody", "Nobody has this key. Check it and try again."),
        ("", "Nobody has this key. Check it and try again."),
        (
            "machine",
            "This is a machine's key. People sign in to the desk with a key of their own.",
        ),
    ] {
        let mut browser = Browser::new(&world).speaking("en");
        let answer = browser.send_form("/sign-in", &[("key", key)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{key}");
        assert!(answer.headers.get(header::SET_COOKIE).is_none(), "{key}");
        assert_eq!(answer.said("[role=alert]"), said);
        answer.holds_what_every_page_holds("/sign-in");
    }
}

#[tokio::test]
async fn who_guesses_is_no_longer_heard() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    for _ in 0..10 {
        let answer = browser.send_form("/sign-in", &[("key", "guess")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let answer = browser.send_form("/sign-in", &[("key", "advisor")]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers.get(header::SET_COOKIE).is_none());
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let world = World::new().await;
    let who = |text: &str| text.parse::<Name>().unwrap();
    let link = world.service.sign_in_link(&who("lead")).unwrap();
    let path = link.strip_prefix("http://127.0.0.1:8700").unwrap();
    let first = Browser::new(&world).get(path).await;
    assert_eq!(
        (first.status, first.location()),
        (StatusCode::SEE_OTHER, "/")
    );
    assert!(first.headers.contains_key(header::SET_COOKIE));
    for path in [path, "/sign-in?once=0", "/sign-in?once="] {
        let again = Browser::new(&world).get(path).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!again.headers.contains_key(header::SET_COOKIE), "{path}");
    }
    assert_eq!(world.service.sign_in_link(&who("machine")), None);
    assert_eq!(world.service.sign_in_link(&who("nobody")), None);
}

#[tokio::test]
async fn a_form_without_the_sessions_token_or_from_elsewhere_does_nothing() {
    let world = World::new().await;
    let mut one = Browser::of(&world, "advisor").await;
    let mut other = Browser::of(&world, "advisor").await;
    let others = other.token().await;
    for token in ["", "0", "00000000000000000000000000000000", others.as_str()] {
        let answer = one.send_form("/sign-out", &[("csrf", token)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{token}");
        answer.holds_what_every_page_holds("/sign-out");
    }
    assert_eq!(
        one.get("/").await.location(),
        "/inbox/delivery",
        "still signed in"
    );
    for (site, expected) in [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 303),
    ] {
        let request = one
            .request("POST", "/preferences")
            .header("sec-fetch-site", site)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(axum::body::Body::from("theme=dark"))
            .unwrap();
        assert_eq!(
            world.send(request).await.status().as_u16(),
            expected,
            "{site}"
        );
    }
    let answer = other.submit("/sign-out", &[]).await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, "/sign-in")
    );
}

#[tokio::test]
async fn files_of_the_desk_are_kept_for_ever_under_the_address_that_pages_name() {
    let world = World::new().await;
    let browser = Browser::new(&world);
    let page = browser.get("/sign-in").await;
    let mut addresses = page.attributes("link", "href");
    addresses.extend(page.attributes("script", "src"));
    assert_eq!(addresses.len(), 3);
    for address in addresses {
        let answer = browser.answer(&address).await;
        assert_eq!(answer.status(), StatusCode::OK, "{address}");
        let kept = answer.headers()[header::CACHE_CONTROL].to_str().unwrap();
        assert!(kept.contains("immutable"), "{address}: {kept}");
        let tag = answer.headers()[header::ETAG].clone();
        let (path, _) = address.split_once('?').unwrap();
        let plain = browser.answer(path).await;
        assert_eq!(plain.headers()[header::CACHE_CONTROL], "no-cache", "{path}");
        let again = browser
            .request("GET", path)
            .header(header::IF_NONE_MATCH, tag)
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(
            world.send(again).await.status(),
            StatusCode::NOT_MODIFIED,
            "{path}"
        );
    }
    assert_eq!(
        browser.get("/static/nothing").await.status,
        StatusCode::NOT_FOUND
    );
}
