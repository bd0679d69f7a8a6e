use axum::http::StatusCode;
use event::{
    Record,
    case::{Case, Phase, StepKind},
};

use super::{
    desk_inbox::{NOW, shop},
    pages::Browser,
    world::{World, at, case, case_id, department, stands, step},
};

/// Delivery offered two cases to billing, one of them long ago; one came back.
async fn world() -> World {
    let world = shop().await;
    let handed = |id: &str, number, what, at| {
        let mut step = step(case_id(id), number, what, "delivery");
        (step.other, step.time) = (Some(department("billing")), at);
        Record::Case(Case::Step(step))
    };
    let mut mine = case(case_id("mine"), &[]);
    mine.product = Some(super::world::name("sofa"));
    let mut theirs = case(case_id("theirs"), &[]);
    theirs.owner = department("billing");
    theirs.trail = vec![department("billing")];
    theirs.phase = Phase::Resolved;
    world
        .write([
            stands(mine),
            stands(theirs),
            handed("mine", 1, StepKind::Offered, at(NOW - 60)),
            handed("mine", 2, StepKind::Returned, at(NOW - 30)),
            handed("theirs", 1, StepKind::Offered, at(NOW - 60 * 24 * 20)),
        ])
        .await;
    world
}

#[tokio::test]
async fn the_matrix_says_who_offered_to_whom_and_what_became_of_it() {
    let world = world().await;
    for (query, count, received) in [
        ("", "2", "2"),
        ("?days=7", "1", "1"),
        ("?days=all", "2", "2"),
    ] {
        let browser = Browser::of(&world, "advisor").await;
        let page = browser.get(&format!("/hand-offs{query}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.texts(".matrix td strong")[0], count, "{query}");
        assert_eq!(page.texts(".matrix td .hint"), ["1 palautui"], "{query}");
        assert_eq!(page.texts("tfoot td")[0], received, "{query}");
    }
    let browser = Browser::of(&world, "advisor").await;
    let page = browser.get("/hand-offs").await;
    let links = page.attributes(".matrix a", "href");
    assert_eq!(links, ["/hand-offs/delivery/billing?days=30"]);
    let lost = browser.get("/hand-offs?days=8").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    // The figures are everybody's, the cases of those between whom they went.
    let front = Browser::of(&world, "front").await;
    let page = front.get("/hand-offs").await;
    assert_eq!(
        (page.status, page.has(".matrix a")),
        (StatusCode::OK, false)
    );
}

#[tokio::test]
async fn a_cell_leads_to_its_cases_and_only_the_readable_ones_are_links() {
    let world = world().await;
    let path = "/hand-offs/delivery/billing";
    let page = Browser::of(&world, "advisor").await.get(path).await;
    assert_eq!(page.said("h1"), "Delivery & <returns> → billing");
    assert_eq!(page.texts(".row strong"), ["Sohva myöhässä", "Myöhässä"]);
    assert_eq!(
        page.attributes(".row a", "href"),
        [format!("/cases/{}", case_id("mine"))]
    );
    let steps = page.texts(".row .line.quiet");
    assert!(
        steps[0].starts_with("tarjottu") && steps[0].contains("palautui"),
        "{steps:?}"
    );
    let week = Browser::of(&world, "stranger").await;
    let page = week.get(&format!("{path}?days=7")).await;
    assert_eq!(page.texts(".row strong"), ["Sohva myöhässä"]);
    for (key, path, expected) in [
        ("front", path, StatusCode::FORBIDDEN),
        (
            "stranger",
            "/hand-offs/delivery/nowhere",
            StatusCode::FORBIDDEN,
        ),
        ("admin", "/hand-offs/delivery/nowhere", StatusCode::OK),
        ("admin", "/hand-offs/Ä/nowhere", StatusCode::NOT_FOUND),
    ] {
        let path = path.replace('Ä', "%C3%84");
        let page = Browser::of(&world, key).await.get(&path).await;
        assert_eq!(page.status, expected, "{key} {path}");
    }
}
