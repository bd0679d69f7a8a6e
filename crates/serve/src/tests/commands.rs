use std::{cell::Cell, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode, header},
};
use event::{
    CaseId, CommandId, Record, Token, Topic,
    case::{Case, Phase, StepKind},
    case_input::{CaseInput, Command, CommandKind},
    command_outcome::{CommandOutcome, CommandResult, Verdict},
};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use super::world::{World, at, case, case_id, name, post, stands, step};
use crate::Config;

const PATIENCE: Duration = Duration::from_secs(10);

/// The commands in the log, once there are so many.
async fn given(world: &World, count: usize) -> Vec<Command> {
    let look = async {
        loop {
            let commands: Vec<Command> = world
                .records(&Topic::CaseInput)
                .into_iter()
                .filter_map(|record| {
                    if let Record::CaseInput(CaseInput::Command(command)) = record {
                        Some(command)
                    } else {
                        None
                    }
                })
                .collect();
            if commands.len() >= count {
                return commands;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, look).await.expect("the command comes")
}

fn outcome(case: CaseId, command: CommandId, verdict: Verdict, version: u32) -> Record {
    Record::CommandOutcome(CommandOutcome {
        asked: case,
        time: at(5),
        result: CommandResult {
            command,
            verdict,
            case,
            version: Some(version),
            phase: Some(Phase::Acknowledged),
        },
    })
}

fn keyed(key: &str, case: CaseId, body: &Json) -> Request<Body> {
    let mut request = post("advisor", &format!("/v1/cases/{case}/commands"), body);
    let key = HeaderValue::from_str(key).unwrap();
    request.headers_mut().insert("idempotency-key", key);
    request
}

#[tokio::test]
async fn a_command_waits_for_its_outcome_and_for_the_case_to_show_it() {
    let world = World::new().await;
    let id = case_id("a");
    world.write([stands(case(id, &[]))]).await;
    let path = format!("/v1/cases/{id}/commands");
    let body =
        json!({ "command": "acknowledge", "reason": "hetu 010594Y9032", "expected_version": 1 });
    let case_is_written = Cell::new(false);
    let machine = async {
        let command = given(&world, 1).await.remove(0);
        assert_eq!(command.what, CommandKind::Acknowledge);
        assert_eq!(command.actor, name("advisor"));
        assert_eq!(command.reason.as_deref(), Some("hetu [hetu]"));
        assert_eq!(command.expected_version, Some(1));
        assert_eq!(command.departments, [super::world::department("delivery")]);
        assert!(!command.any_department);
        world
            .write([outcome(id, command.id, Verdict::Applied, 2)])
            .await;
        // Whoever would answer by the outcome alone does so now.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        case_is_written.set(true);
        let mut state = case(id, &[]);
        state.version = 2;
        state.phase = Phase::Acknowledged;
        world.write([stands(state)]).await;
    };
    let person = async {
        let answered = world.post("advisor", &path, body).await;
        assert!(case_is_written.get(), "answered before the case shows it");
        answered
    };
    let (answered, ()) = tokio::join!(person, machine);
    assert_eq!(answered.0, StatusCode::OK, "{}", answered.1);
    assert_eq!(answered.1["verdict"], "applied");
    assert_eq!(answered.1["version"], 2);
    let (_, shown) = world.get("advisor", &format!("/v1/cases/{id}")).await;
    assert_eq!(shown["state"], "acknowledged");
}

#[tokio::test]
async fn without_an_outcome_in_time_the_answer_is_a_link_that_tells_it_later() {
    let config = Config {
        command_wait_ms_max: 20,
        ..Config::default()
    };
    let world = World::with(config).await;
    let id = case_id("a");
    world.write([stands(case(id, &[]))]).await;
    let path = format!("/v1/cases/{id}/commands");
    let (status, answer) = world
        .post("advisor", &path, json!({ "command": "acknowledge" }))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(answer["verdict"], "pending");
    let link = answer["link"].as_str().unwrap().to_owned();
    assert_eq!(world.get("advisor", &link).await.0, StatusCode::ACCEPTED);
    let command = given(&world, 1).await.remove(0);
    world
        .write([outcome(id, command.id, Verdict::Applied, 1)])
        .await;
    let (status, answer) = world.get("advisor", &link).await;
    assert_eq!(
        (status, &answer["verdict"]),
        (StatusCode::OK, &json!("applied"))
    );
    assert_eq!(world.get("stranger", &link).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_answered_from_the_first_outcome() {
    let world = World::new().await;
    let id = case_id("a");
    let body = json!({ "command": "decline", "reason": "not ours" });
    let machine = async {
        let command = given(&world, 1).await.remove(0);
        let mut state = case(id, &[]);
        // Declined: the case is billing's again.
        state.owner = super::world::department("billing");
        state.trail = vec![state.owner.clone()];
        let mut declined = step(id, 1, StepKind::Declined, "billing");
        declined.command = Some(command.id);
        declined.actor = Some(name("advisor"));
        world
            .write([
                stands(state),
                Record::Case(Case::Step(declined)),
                outcome(id, command.id, Verdict::Applied, 1),
            ])
            .await;
        command.id
    };
    let (first, command) = tokio::join!(world.json(keyed("k-1", id, &body)), machine);
    assert_eq!(first.0, StatusCode::OK, "{}", first.1);
    let again = world.json(keyed("k-1", id, &body)).await;
    assert_eq!(again, first);
    assert_eq!(given(&world, 1).await.len(), 1, "it is in the log once");
    // The case is no longer delivery's, but who gave the command may ask what came of it.
    let link = format!("/v1/cases/{id}/commands/{command}");
    assert_eq!(world.get("advisor", &link).await.0, StatusCode::OK);
    assert_eq!(world.get("lead", &link).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn each_verdict_has_its_status_and_a_conflict_tells_the_present_state() {
    let world = World::new().await;
    let id = case_id("a");
    world.write([stands(case(id, &[]))]).await;
    let verdicts = [
        (Verdict::Applied, StatusCode::OK),
        (Verdict::NoSuchCase, StatusCode::NOT_FOUND),
        (Verdict::NotYours, StatusCode::FORBIDDEN),
        (Verdict::VersionMismatch, StatusCode::CONFLICT),
        (Verdict::WrongPhase, StatusCode::CONFLICT),
        (Verdict::NoOffer, StatusCode::CONFLICT),
        (Verdict::BadDepartment, StatusCode::UNPROCESSABLE_ENTITY),
        (Verdict::CustomerNotTold, StatusCode::UNPROCESSABLE_ENTITY),
        (Verdict::Incomplete, StatusCode::UNPROCESSABLE_ENTITY),
        (Verdict::Unknown, StatusCode::INTERNAL_SERVER_ERROR),
    ];
    for (number, (verdict, expected)) in verdicts.into_iter().enumerate() {
        let key = format!("k-{number}");
        let machine = async {
            let command = given(&world, number + 1).await;
            let known: Vec<Record> = world.records(&Topic::CommandOutcome);
            let new = command.into_iter().find(|command| {
                !known.iter().any(|record| {
                    matches!(record, Record::CommandOutcome(known) if known.result.command == command.id)
                })
            });
            let id_of_new = new.unwrap().id;
            world.write([outcome(id, id_of_new, verdict, 1)]).await;
        };
        let body = json!({ "command": "resolve" });
        let (answered, ()) = tokio::join!(world.json(keyed(&key, id, &body)), machine);
        assert_eq!(answered.0, expected, "{verdict:?}");
        if expected == StatusCode::CONFLICT {
            assert_eq!(
                answered.1["present"],
                json!({ "case": id.to_string(), "version": 1, "state": "open", "owner": "delivery" }),
                "{verdict:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_is_refused_with_every_fault_and_nothing_is_written() {
    let world = World::new().await;
    let path = format!("/v1/cases/{}/commands", case_id("a"));
    let body = json!({
        "comand": "acknowledge", "expected_version": -1, "to": "Not A Slug", "how": "pigeon", "told": "unknown",
    });
    let (status, answer) = world.post("advisor", &path, body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!(answer);
    for (kind, text, expected) in [
        ("application/json", "{", StatusCode::BAD_REQUEST),
        ("application/json", "[]", StatusCode::BAD_REQUEST),
        ("text/plain", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let mut request = post("advisor", &path, &json!({}));
        *request.body_mut() = Body::from(text);
        let kind = HeaderValue::from_static(kind);
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        assert_eq!(world.json(request).await.0, expected, "{text}");
    }
    let far = json!({ "command": "acknowledge", "expected_version": 2_147_483_648_u32 });
    let (status, problem) = world.post("advisor", &path, far).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let large = json!({ "command": "resolve", "reason": "x".repeat(20_000) });
    let (status, problem) = world.post("advisor", &path, large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");
    let (status, _) = world
        .post(
            "advisor",
            "/v1/cases/c_1/commands",
            json!({ "command": "resolve" }),
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(world.records(&Topic::CaseInput).is_empty());
}

#[tokio::test]
async fn requests_without_a_key_of_their_own_are_commands_of_their_own() {
    let config = Config {
        command_wait_ms_max: 1,
        ..Config::default()
    };
    let world = World::with(config).await;
    let path = format!("/v1/cases/{}/commands", case_id("a"));
    for key in ["advisor", "advisor", "admin"] {
        let (status, _) = world.post(key, &path, json!({ "command": "reopen" })).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let commands = given(&world, 3).await;
    let ids: std::collections::BTreeSet<CommandId> =
        commands.iter().map(|command| command.id).collect();
    assert_eq!(ids.len(), 3);
    let by_admin = commands.iter().filter(|command| command.any_department);
    assert_eq!(by_admin.count(), 1);
    assert!(!ids.contains(&CommandId::new(Token::default())));
}
