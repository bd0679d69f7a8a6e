use std::time::Duration;

use axum::http::StatusCode;
use event::{
    Record, Topic,
    case::{ContactHow, Phase, State},
    case_input::{CaseInput, Command, CommandKind},
    command_outcome::{CommandOutcome, CommandResult, Verdict},
};
use tokio::time::timeout;

use super::{
    desk_case::{open, path},
    desk_inbox::{NOW, shop},
    pages::{Browser, Page},
    world::{World, at, department, name, stands},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Answers the next command with the verdict, and says which it was.
async fn answered(world: &World, state: &State, number: usize, verdict: Verdict) -> Command {
    let look = async {
        loop {
            let mut commands = world
                .records(&Topic::CaseInput)
                .into_iter()
                .filter_map(|record| {
                    if let Record::CaseInput(CaseInput::Command(command)) = record {
                        Some(command)
                    } else {
                        None
                    }
                });
            let known = world.records(&Topic::CommandOutcome);
            let new = commands.find(|command| {
                !known.iter().any(|record| {
                    matches!(record, Record::CommandOutcome(known) if known.result.command == command.id)
                })
            });
            if let Some(new) = new {
                return new;
            }
            tokio::task::yield_now().await;
        }
    };
    let command = timeout(PATIENCE, look)
        .await
        .unwrap_or_else(|_| panic!("command {number}"));
    let outcome = Record::CommandOutcome(CommandOutcome {
        asked: state.case,
        time: at(NOW),
        result: CommandResult {
            command: command.id,
            verdict,
            case: state.case,
            version: Some(state.version),
            phase: Some(state.phase),
        },
    });
    world.write([outcome]).await;
    command
}

/// Sends a form of the page as the page has it, with what is typed.
async fn send(
    browser: &mut Browser<'_>,
    page: &Page,
    state: &State,
    fields: &[(&str, &str)],
) -> Page {
    let command = fields[0].1;
    let in_form = page.value(&format!(
        "form:has([name=command][value={command}]) [name=key]"
    ));
    let key = in_form.unwrap_or_else(|| panic!("no form of {command}"));
    let version = page.value(&format!(
        "form:has([name=command][value={command}]) [name=expected_version]"
    ));
    let mut all = vec![("key", key.as_str())];
    all.extend(
        version
            .as_deref()
            .map(|version| ("expected_version", version)),
    );
    all.extend_from_slice(fields);
    browser
        .submit(&format!("{}/commands", path(state)), &all)
        .await
}

#[tokio::test]
async fn every_form_is_a_command_and_its_outcome_is_said() {
    let world = shop().await;
    let mut state = open(&world).await;
    state.offered_to = None;
    let resolved = Phase::Resolved;
    type Sent<'a> = (&'a str, Phase, &'a [(&'a str, &'a str)], CommandKind);
    let table: &[Sent<'_>] = &[
        (
            "advisor",
            Phase::Open,
            &[("command", "acknowledge")],
            CommandKind::Acknowledge,
        ),
        (
            "advisor",
            Phase::Open,
            &[("command", "claim")],
            CommandKind::Claim,
        ),
        (
            "advisor",
            Phase::Open,
            &[("command", "note"), ("reason", "hetu 010594Y9032")],
            CommandKind::Note,
        ),
        (
            "advisor",
            Phase::Open,
            &[
                ("command", "contact"),
                ("how", "phone"),
                ("reached", "no"),
                ("reason", "ei vastannut"),
            ],
            CommandKind::Contact,
        ),
        (
            "advisor",
            Phase::Open,
            &[
                ("command", "hand_off"),
                ("to", "billing"),
                ("reason", "hyvitys"),
            ],
            CommandKind::HandOff,
        ),
        (
            "advisor",
            Phase::Open,
            &[
                ("command", "wait"),
                ("on", "posti"),
                ("until", "2026-11-25"),
            ],
            CommandKind::Wait,
        ),
        (
            "advisor",
            Phase::Open,
            &[("command", "resolve"), ("told", "email")],
            CommandKind::Resolve,
        ),
        (
            "advisor",
            resolved,
            &[("command", "reopen")],
            CommandKind::Reopen,
        ),
    ];
    for (number, (who, phase, fields, expected)) in table.iter().enumerate() {
        state.phase = *phase;
        world.write([stands(state.clone())]).await;
        let mut browser = Browser::of(&world, who).await;
        let page = browser.get(&path(&state)).await;
        let (answer, command) = tokio::join!(
            send(&mut browser, &page, &state, fields),
            answered(&world, &state, number, Verdict::Applied)
        );
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{fields:?}\n{}",
            answer.text
        );
        assert_eq!((command.what, &command.actor), (*expected, &name(who)));
        let given = |field: &str| {
            fields
                .iter()
                .find(|(name, _)| *name == field)
                .map(|found| found.1)
        };
        assert_eq!(command.how.map(ContactHow::as_str), given("how"));
        assert_eq!(
            command.reached,
            given("reached").map(|reached| reached == "yes")
        );
        assert_eq!(command.told.map(ContactHow::as_str), given("told"));
        assert_eq!(command.to.as_ref().map(|to| to.as_str()), given("to"));
        assert_eq!(command.on.as_ref().map(|on| on.as_str()), given("on"));
        // The end of the day in Helsinki.
        let until = given("until").map(|_| "2026-11-25T21:59:59.999Z".parse().unwrap());
        assert_eq!(command.until, until);
        let reason = given("reason").map(|reason| reason.replace("010594Y9032", "[hetu]"));
        assert_eq!(command.reason, reason);
        let page = browser.get(answer.location()).await;
        assert!(!page.said("[role=alert]").is_empty(), "{fields:?}");
        assert!(page.has(".alert.good"));
    }
}

#[tokio::test]
async fn an_offer_is_accepted_or_declined_by_whom_it_is_made_to() {
    let world = shop().await;
    let mut state = open(&world).await;
    state.offered_to = Some(department("billing"));
    world.write([stands(state.clone())]).await;
    for (number, (fields, expected)) in [
        (&[("command", "accept")][..], CommandKind::Accept),
        (
            &[("command", "decline"), ("reason", "ei meidän")],
            CommandKind::Decline,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut browser = Browser::of(&world, "stranger").await;
        let page = browser.get(&path(&state)).await;
        let (answer, command) = tokio::join!(
            send(&mut browser, &page, &state, fields),
            answered(&world, &state, number, Verdict::Applied)
        );
        assert_eq!(command.what, expected);
        assert_eq!(
            answer.location(),
            format!("{}?done={}", path(&state), expected.as_str())
        );
    }
}

#[tokio::test]
async fn what_is_missing_is_asked_for_with_what_was_typed_kept() {
    let world = shop().await;
    let state = open(&world).await;
    let mut browser = Browser::of(&world, "advisor").await.speaking("en");
    let page = browser.get(&path(&state)).await;
    for (fields, said) in [
        (
            &[("command", "contact"), ("reason", "<b>call</b>")][..],
            "Choose how you made contact.",
        ),
        (
            &[
                ("command", "contact"),
                ("how", "phone"),
                ("reason", "<b>call</b>"),
            ],
            "Choose whether you reached the customer.",
        ),
        (
            &[
                ("command", "hand_off"),
                ("to", ""),
                ("reason", "<b>call</b>"),
            ],
            "Choose a department.",
        ),
        (
            &[("command", "wait"), ("reason", "<b>call</b>")],
            "Choose whom you wait for.",
        ),
        (
            &[
                ("command", "wait"),
                ("on", "posti"),
                ("until", "soon"),
                ("reason", "<b>call</b>"),
            ],
            "The day was not understood. Write it as 2026-11-25.",
        ),
    ] {
        let answer = send(&mut browser, &page, &state, fields).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{fields:?}"
        );
        assert_eq!(answer.said("[role=alert]"), said, "{fields:?}");
        answer.holds_what_every_page_holds("/cases");
        assert_eq!(
            answer.texts("details[open] textarea"),
            ["<b>call</b>"],
            "{fields:?}"
        );
    }
    let answer = send(
        &mut browser,
        &page,
        &state,
        &[("command", "resolve"), ("told", "")],
    )
    .await;
    assert_eq!(
        answer.said("[role=alert]"),
        "Say how the customer was told, or write why not."
    );
    assert!(
        world.records(&Topic::CaseInput).is_empty(),
        "nothing was asked of the machine"
    );
}

#[tokio::test]
async fn a_refusal_is_said_in_words_with_what_was_typed_kept() {
    let world = shop().await;
    let state = open(&world).await;
    let mut browser = Browser::of(&world, "advisor").await;
    for (number, (verdict, status)) in [
        (Verdict::VersionMismatch, StatusCode::CONFLICT),
        (Verdict::WrongPhase, StatusCode::CONFLICT),
        (Verdict::NoOffer, StatusCode::CONFLICT),
        (Verdict::NotYours, StatusCode::FORBIDDEN),
        (Verdict::BadDepartment, StatusCode::UNPROCESSABLE_ENTITY),
        (Verdict::CustomerNotTold, StatusCode::UNPROCESSABLE_ENTITY),
        (Verdict::Incomplete, StatusCode::UNPROCESSABLE_ENTITY),
        (Verdict::Unknown, StatusCode::INTERNAL_SERVER_ERROR),
    ]
    .into_iter()
    .enumerate()
    {
        let page = browser.get(&path(&state)).await;
        let fields = [
            ("command", "hand_off"),
            ("to", "billing"),
            ("reason", "hyvitys"),
        ];
        let (answer, _) = tokio::join!(
            send(&mut browser, &page, &state, &fields),
            answered(&world, &state, number, verdict)
        );
        assert_eq!(answer.status, status, "{verdict:?}");
        answer.holds_what_every_page_holds("/cases");
        assert!(answer.has(".alert.bad[role=alert]"), "{verdict:?}");
        assert_eq!(
            answer.texts("details[open] textarea"),
            ["hyvitys"],
            "{verdict:?}"
        );
        assert_eq!(
            answer.attributes("option[selected]", "value"),
            ["billing"],
            "{verdict:?}"
        );
    }
}

#[tokio::test]
async fn one_form_sent_twice_is_one_command() {
    let world = shop().await;
    let state = open(&world).await;
    let mut browser = Browser::of(&world, "advisor").await;
    let page = browser.get(&path(&state)).await;
    let fields = [("command", "acknowledge")];
    let (first, _) = tokio::join!(
        send(&mut browser, &page, &state, &fields),
        answered(&world, &state, 0, Verdict::Applied)
    );
    let second = send(&mut browser, &page, &state, &fields).await;
    assert_eq!(first.location(), second.location());
    assert_eq!(world.records(&Topic::CaseInput).len(), 1);
}

#[tokio::test]
async fn no_form_of_ours_no_command() {
    let world = shop().await;
    let state = open(&world).await;
    let mut browser = Browser::of(&world, "advisor").await;
    let commands = format!("{}/commands", path(&state));
    for fields in [
        &[("command", "acknowledge"), ("expected_version", "x")][..],
        &[("command", "delete")],
        &[
            ("command", "contact"),
            ("how", "pigeon"),
            ("reached", "yes"),
        ],
        &[
            ("command", "hand_off"),
            ("to", "Not A Slug"),
            ("reason", "x"),
        ],
        &[],
    ] {
        let answer = browser.submit(&commands, fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{fields:?}");
    }
    let forged = browser
        .send_form(&commands, &[("command", "acknowledge")])
        .await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(world.records(&Topic::CaseInput).is_empty());
}
