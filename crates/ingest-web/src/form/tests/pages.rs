//! The pages as a browser gets them.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use ingest::format::{Format as _, Formats};

use super::world::World;
use crate::FeedbackForm;

#[tokio::test]
async fn a_page_speaks_the_language_that_was_asked_for() {
    let world = World::new();
    for (path, accepted, language, title) in [
        ("/feedback/kiosk", None, "fi", "Anna palautetta"),
        (
            "/feedback/kiosk",
            Some("sv-FI,sv;q=0.9"),
            "sv",
            "Ge respons",
        ),
        ("/feedback/kiosk?lang=en", Some("sv"), "en", "Give feedback"),
        (
            "/feedback/kiosk/thanks?lang=en",
            None,
            "en",
            "Thank you for your feedback!",
        ),
        ("/feedback/nobody?lang=sv", None, "sv", "Sidan finns inte"),
    ] {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        if let Some(accepted) = accepted {
            let accepted = accepted.parse().unwrap();
            request
                .headers_mut()
                .insert(header::ACCEPT_LANGUAGE, accepted);
        }
        let page = world.send(request, "10.0.0.1").await;
        assert!(
            page.body.contains(&format!("<html lang=\"{language}\">")),
            "{path}"
        );
        assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{path}");
    }
}

#[tokio::test]
async fn a_page_runs_nothing_and_is_framed_only_where_it_may_be() {
    let world = World::new();
    let policy = |by: &str| {
        format!(
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {by}"
        )
    };
    let allowed = "https://kauppa.example:8443 https://shop.example";
    for (path, status, by) in [
        ("/feedback/web-form", StatusCode::OK, "'none'"),
        ("/feedback/kiosk", StatusCode::OK, allowed),
        ("/feedback/kiosk/thanks", StatusCode::OK, allowed),
        ("/feedback/survey", StatusCode::NOT_FOUND, "'none'"),
    ] {
        let page = world.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert_eq!(
            page.headers[header::CONTENT_SECURITY_POLICY],
            policy(by),
            "{path}"
        );
        let denied = page.headers.contains_key(header::X_FRAME_OPTIONS);
        assert_eq!(denied, by == "'none'", "{path}");
        assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        for forbidden in [
            "<script", " style=", "<style", " onclick", "http:", "https:", "//",
        ] {
            assert!(!page.body.contains(forbidden), "{path}: {forbidden}");
        }
    }
    let style = world.get("/feedback/form.css").await;
    assert_eq!(
        style.headers[header::CONTENT_TYPE],
        "text/css; charset=utf-8"
    );
    assert!(!style.body.contains("url(") && !style.body.contains("@import"));
}

/// Every field has a label, every id is used once, and everything that is referred to is there.
#[tokio::test]
async fn every_field_is_labelled() {
    let world = World::new();
    let empty = world.get("/feedback/web-form?lang=en").await.body;
    let faulty = [("email", "x"), ("phone", "x"), ("text", " ")];
    let faulty = world.post("/feedback/web-form", &faulty).await.body;
    for page in [empty, faulty] {
        let all = |before: &str| -> Vec<String> {
            let rests = page.split(before).skip(1);
            rests
                .map(|rest| rest.split('"').next().unwrap().to_owned())
                .collect()
        };
        let ids = all(" id=\"");
        for id in &ids {
            assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
        }
        for field in ["text", "email", "phone"] {
            assert!(all("<label for=\"").contains(&field.to_owned()), "{field}");
        }
        let described = all("aria-describedby=\"");
        for id in described.iter().flat_map(|list| list.split(' ')) {
            assert!(ids.contains(&id.to_owned()), "{id}");
        }
        for anchor in all("href=\"#") {
            assert!(ids.contains(&anchor), "{anchor}");
        }
        let radios = page.matches("<label><input type=\"radio\"").count();
        assert_eq!(radios, 11 + 5);
        assert_eq!(
            page.matches("<fieldset").count(),
            page.matches("<legend>").count()
        );
    }
}

#[tokio::test]
async fn the_link_to_another_language_keeps_what_the_link_said() {
    let world = World::new();
    let page = world
        .get("/feedback/kiosk?lang=fi&place=store:kamppi&order=A%2077%26x&score=9")
        .await
        .body;
    let link = "href=\"kiosk?lang=sv&#38;place=store%3Akamppi&#38;order=A%2077%26x\"";
    assert!(page.contains(link), "{page}");
    assert!(
        page.contains("id=\"score-9\" value=\"9\" checked"),
        "a link may bring the score"
    );
}

#[tokio::test]
async fn the_companys_name_is_text() {
    let page = World::new().get("/feedback/web-form").await.body;
    assert!(page.contains("Koti &#38; Oy"), "{page}");
}

#[test]
fn an_origin_that_is_none_is_a_fault_of_the_configuration() {
    let faults = |form: &str| {
        let sources: ingest::Sources = toml::from_str(&format!(
            "[web]\nchannel = 'web'\nformat = 'feedback-form'\n[web.form]\n{form}\n"
        ))
        .unwrap();
        let formats: Formats = crate::formats().into_iter().collect();
        sources.values().next().unwrap().faults(&formats)
    };
    assert_eq!(
        faults("embed_from = ['https://shop.example']"),
        Vec::<String>::new()
    );
    for bad in ["https://shop.example/page", "*", "https://a; script-src *"] {
        let faults = faults(&format!("embed_from = ['{bad}']"));
        assert!(faults[0].contains("form.embed_from"), "{faults:?}");
    }
    assert_eq!(FeedbackForm.name(), "feedback-form");
}
