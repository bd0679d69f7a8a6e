use axum::http::StatusCode;
use event::{
    Record, Topic,
    case::{Case, ContactHow, Phase, State, StepKind},
};

use super::{
    desk_inbox::{NOW, next, shop, sofa},
    pages::Browser,
    world::{World, at, case_id, department, name, stands, step},
};

pub(super) async fn open(world: &World) -> State {
    let mut state = sofa(world, "Missä pakettini?").await;
    state.phase = Phase::Open;
    state.waiting_on = None;
    world.write([stands(state.clone())]).await;
    state
}

pub(super) fn path(state: &State) -> String {
    format!("/cases/{}", state.case)
}

#[tokio::test]
async fn a_case_shows_how_it_stands_what_was_said_and_who_had_it() {
    let world = shop().await;
    let mut state = sofa(&world, "Missä pakettini?").await;
    let mut tried = step(state.case, 3, StepKind::Contacted, "delivery");
    (tried.time, tried.actor) = (at(NOW - 30), Some(name("lead")));
    (tried.how, tried.reached) = (Some(ContactHow::Phone), Some(false));
    tried.reason = Some("ei vastannut".to_owned());
    let mut missed = step(state.case, 4, StepKind::Missed, "delivery");
    (missed.time, missed.reason) = (at(NOW - 20), Some("acknowledge, contact".to_owned()));
    world
        .write([tried, missed].map(|step| Record::Case(Case::Step(step))))
        .await;
    state.trail = vec![department("billing"), department("delivery")];
    world.write([stands(state.clone())]).await;
    let advisor = Browser::of(&world, "advisor").await;
    let page = advisor.get(&path(&state)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.said("h1"), "Sohva myöhässä · Aino Korhonen");
    assert_eq!(page.texts(".clocks dd"), ["2 pv 4 h", "1 h 20 min", "1 h"]);
    assert_eq!(page.texts(".said blockquote"), ["Missä pakettini?"]);
    assert_eq!(
        page.texts(".history h3"),
        ["billing · 2 pv 2 h", "Delivery & <returns> · 1 h 20 min"]
    );
    let steps = page.texts(".history ol li");
    assert!(
        steps[1].ends_with("Delivery & <returns> otti asian hoitaakseen"),
        "{steps:?}"
    );
    assert!(
        steps[2].contains("Asiakasta yritettiin tavoittaa puhelimella · lead ei vastannut"),
        "{steps:?}"
    );
    assert!(
        steps[3].ends_with("Määräaika ylittyi: vastaanotto, yhteys asiakkaaseen"),
        "{steps:?}"
    );
    let facts: Vec<(String, String)> = page
        .texts(".facts dt")
        .into_iter()
        .zip(page.texts(".facts dd"))
        .collect();
    for (name, value) in [
        ("Kulku", "billing → Delivery & <returns>"),
        ("Sähköposti", "aino@example.fi"),
        ("Puhelin", "+358407055810"),
        ("Tilaus", "A-77"),
        ("Seuraava määräaika", "tänään klo 15.25"),
    ] {
        let fact = (name.to_owned(), value.to_owned());
        assert!(facts.contains(&fact), "{fact:?} in {facts:?}");
    }
}

#[tokio::test]
async fn every_reading_of_a_case_is_written_down_before_it_is_shown() {
    let world = shop().await;
    let state = sofa(&world, "Missä pakettini?").await;
    let advisor = Browser::of(&world, "advisor").await;
    let before = world.accesses().len();
    advisor.get(&path(&state)).await;
    let accesses = world.accesses();
    assert_eq!(accesses.len(), before + 1);
    let access = accesses.last().unwrap();
    assert_eq!(
        (&access.credential, access.profile),
        (&name("advisor"), Some(state.profiles[0]))
    );
    let stranger = Browser::of(&world, "stranger").await;
    stranger
        .get(&format!("/cases/{}", case_id("nothing")))
        .await;
    assert_eq!(world.accesses().len(), before + 1);
}

#[tokio::test]
async fn a_case_is_read_by_its_departments_and_says_so_to_others() {
    let world = shop().await;
    let mut state = sofa(&world, "Missä pakettini?").await;
    state.unit = Some(name("itis"));
    world.write([stands(state.clone())]).await;
    for (who, expected) in [
        ("advisor", 200),
        ("lead", 200),
        ("kamppi", 403),
        ("stranger", 403),
        ("front", 403),
        ("admin", 200),
    ] {
        let browser = Browser::of(&world, who).await;
        for path in [path(&state), format!("{}/live?seen=1", path(&state))] {
            let status = browser.answer(&path).await.status();
            assert_eq!(status.as_u16(), expected, "{who} {path}");
        }
        let mut browser = browser;
        if expected == 403 {
            let answer = browser
                .submit(
                    &format!("{}/commands", path(&state)),
                    &[("command", "acknowledge")],
                )
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who}");
            assert!(!answer.text.contains("Aino"), "{}", answer.text);
        }
    }
    assert!(world.records(&Topic::CaseInput).is_empty());
    let advisor = Browser::of(&world, "advisor").await;
    for path in [
        format!("/cases/{}", case_id("nothing")),
        "/cases/c_1".to_owned(),
    ] {
        assert_eq!(
            advisor.get(&path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn only_what_the_person_may_do_is_offered() {
    let world = shop().await;
    let mut state = open(&world).await;
    let commands = async |who: &str, state: &State| {
        world.write([stands(state.clone())]).await;
        let page = Browser::of(&world, who).await.get(&path(state)).await;
        let mut commands = page.attributes("button[name=command]", "value");
        commands.extend(page.attributes("input[name=command]", "value"));
        commands.sort();
        commands.join(" ")
    };
    let owners = "acknowledge claim contact hand_off note resolve wait";
    assert_eq!(commands("advisor", &state).await, owners);
    assert_eq!(commands("admin", &state).await, owners);
    state.claimed_by = Some(name("advisor"));
    state.phase = Phase::Acknowledged;
    state.waiting_on = Some(name("posti"));
    assert_eq!(
        commands("advisor", &state).await,
        "contact hand_off note release resolve resume"
    );
    state.offered_to = Some(department("billing"));
    assert_eq!(
        commands("advisor", &state).await,
        "contact note release resolve resume"
    );
    assert_eq!(commands("stranger", &state).await, "accept decline note");
    state.offered_to = None;
    state.phase = Phase::Resolved;
    state.waiting_on = None;
    assert_eq!(commands("advisor", &state).await, "note reopen");
    state.phase = Phase::Closed;
    assert_eq!(commands("advisor", &state).await, "");
}

#[tokio::test]
async fn a_case_that_changes_while_it_is_read_says_so() {
    let world = shop().await;
    let mut state = open(&world).await;
    let browser = Browser::of(&world, "advisor").await;
    let page = browser.get(&path(&state)).await;
    let live = page.attributes("[data-live]", "data-live").remove(0);
    let mut stream = browser.answer(&live).await.into_body().into_data_stream();
    state.version += 1;
    world.write([stands(state.clone())]).await;
    assert!(next(&mut stream).await.unwrap().contains("data: 2"));
    assert!(page.has("#changed[hidden] a"));
}

#[tokio::test]
async fn every_step_is_said_in_every_language() {
    let world = shop().await;
    let state = open(&world).await;
    let kinds = [
        StepKind::Opened,
        StepKind::Heard,
        StepKind::Acknowledged,
        StepKind::Contacted,
        StepKind::Offered,
        StepKind::Accepted,
        StepKind::Declined,
        StepKind::Returned,
        StepKind::Escalated,
        StepKind::Missed,
        StepKind::Resolved,
        StepKind::Reopened,
        StepKind::Joined,
        StepKind::Absorbed,
        StepKind::Parted,
        StepKind::OpenedInError,
        StepKind::Claimed,
        StepKind::Released,
        StepKind::Noted,
        StepKind::Proposed,
        StepKind::Waiting,
        StepKind::Resumed,
        StepKind::Unknown,
    ];
    let steps = kinds.into_iter().zip(3..).map(|(what, number)| {
        let mut step = step(state.case, number, what, "delivery");
        (step.time, step.other) = (at(NOW - 60), Some(department("billing")));
        step.whom = Some(name("posti"));
        Record::Case(Case::Step(step))
    });
    world.write(steps).await;
    for language in ["fi", "sv", "en"] {
        let browser = Browser::of(&world, "advisor").await.speaking(language);
        let page = browser.get(&path(&state)).await;
        let steps = page.texts(".history ol li span:nth-child(2)");
        assert_eq!(steps.len(), 2 + kinds.len());
        for said in &steps {
            assert!(!said.contains("step-") && !said.contains('{'), "{said}");
        }
    }
}
