use axum::http::StatusCode;
use event::{
    Kind, Record, Score,
    access::AccessKind,
    case::{Case, StepKind},
    notice::Why,
};

use super::{
    desk_inbox::{NOW, shop},
    pages::Browser,
    world::{
        COMPANY, TILL, Told, World, at, case, case_id, company, department, entry, name, notice,
        placed, profile, stands, step,
    },
};

const JOURNEY: &str = "
[journeys.purchase]
stages = ['purchase', 'delivery', 'use']
touchpoints = { pickup-point = 'delivery', web-shop = 'purchase' }
owners = { delivery = 'delivery', purchase = 'billing' }
[labels.fi]
purchase = 'osto'
delivery = 'toimitus'
pickup-point = 'noutopiste'
nps = 'NPS'
";

async fn world() -> World {
    let world = shop().await;
    world
        .write([company(3, &format!("{COMPANY}{JOURNEY}"))])
        .await;
    world
}

fn said(world: &World, id: &str, kind: Kind, value: f64) -> event::Event {
    let mut event = world.event(Told {
        id,
        what: "delivery.late",
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    event.kind = kind;
    event.touchpoint = Some(name("pickup-point"));
    event.place = Some(name("store:kamppi"));
    event.score = Some(Score {
        metric: name("nps"),
        value,
        min: 0.0,
        max: 10.0,
    });
    event
}

#[tokio::test]
async fn a_department_sees_its_stages_and_touchpoints_in_figures() {
    let world = world().await;
    let complaint = said(&world, "1", Kind::Complaint, 2.0);
    let mut opened = step(case_id("a"), 1, StepKind::Opened, "delivery");
    opened.event = Some(complaint.id);
    let mut open = case(case_id("a"), &[]);
    open.unit = Some(name("kamppi"));
    open.happened = at(NOW - 30);
    open.deadline = Some(at(NOW + 30));
    world
        .write([
            Record::Event(complaint),
            Record::Event(said(&world, "2", Kind::Feedback, 10.0)),
            Record::Case(Case::Step(opened)),
            stands(open),
        ])
        .await;
    let browser = Browser::of(&world, "advisor").await;
    let page = browser.get("/path/delivery").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.said("h1"), "Delivery & <returns> asiakkaan polulla");
    assert_eq!(page.texts(".stop .name"), ["Osto", "Toimitus", "Use"]);
    assert_eq!(
        page.texts(".stop.own p"),
        [
            "Toimitus",
            "oma",
            "2 tapahtumaa",
            "arviot 60 %",
            "1 auki",
            "1 kiitos"
        ]
    );
    let rows = page.texts(".path ~ .scroll tbody tr");
    assert_eq!(
        rows,
        [
            "Osto00000",
            "Toimitus21111NPS 60 % (2)",
            "Noutopiste21111NPS 60 % (2)",
            "Use00000",
        ]
    );
    let standing = page.texts("main td a");
    assert_eq!(standing, ["1", "1"], "open, and due soon");
    let units = page.texts(".columns .scroll tbody tr");
    assert!(
        units.contains(&"kamppi2111NPS 60 % (2)".to_owned()),
        "{units:?}"
    );
    for (language, column) in [("sv", "Klagomål"), ("en", "Complaints")] {
        let browser = Browser::of(&world, "advisor").await.speaking(language);
        let page = browser.get("/path/delivery").await;
        assert!(page.texts("th").contains(&column.to_owned()), "{language}");
    }
}

#[tokio::test]
async fn the_path_is_the_departments_own() {
    let world = world().await;
    for (key, department, expected) in [
        ("advisor", "delivery", StatusCode::OK),
        ("advisor", "billing", StatusCode::FORBIDDEN),
        ("stranger", "delivery", StatusCode::FORBIDDEN),
        ("front", "delivery", StatusCode::FORBIDDEN),
        ("admin", "billing", StatusCode::OK),
        ("admin", "nowhere", StatusCode::NOT_FOUND),
    ] {
        let browser = Browser::of(&world, key).await;
        let page = browser.get(&format!("/path/{department}")).await;
        assert_eq!(page.status, expected, "{key} {department}");
    }
}

#[tokio::test]
async fn thanks_come_with_the_customers_words_and_reading_them_is_written_down() {
    let world = world().await;
    let hostile = "Kiitos <b>kaikille</b>!";
    let mut thanks = said(&world, "1", Kind::Feedback, 10.0);
    let personal = event::event::Personal {
        text: Some(hostile.to_owned()),
        ..Default::default()
    };
    thanks.personal = wire::personal::encode(&personal);
    let customer = profile(&thanks.values[0]);
    let entry = entry(&thanks, customer, 1);
    let Record::Notice(mut told) = notice(entry.matter.own_case(), 0) else {
        unreachable!("a notice is a notice");
    };
    told.why = Why::Praise;
    told.time = thanks.received;
    let mut other = told.clone();
    (other.case, other.time) = (case_id("other"), at(7));
    world
        .write([
            Record::Event(thanks),
            placed(entry),
            Record::Notice(other),
            Record::Notice(told),
        ])
        .await;
    let browser = Browser::of(&world, "advisor").await;
    let page = browser.get("/path/delivery").await;
    assert_eq!(page.texts("section[aria-labelledby=thanks] li").len(), 2);
    assert_eq!(page.texts("blockquote"), [hostile]);
    let accesses = world.accesses();
    assert_eq!(accesses.len(), 1);
    assert_eq!(
        (accesses[0].what, accesses[0].profile),
        (AccessKind::Timeline, Some(customer))
    );
    assert_eq!(department("delivery").as_str(), "delivery");
}
