//! Does the chain work? Every so often an event of perspective `test` takes the whole path, and how far it came is measured.
//!
//! ```text
//! door (HTTP) ──► timeline ──► case ──► notice ──► answer (the case is resolved, so that the next one opens it again)
//! ```
//!
//! It is a customer of its own, at a department of its own (`canary`), and counts in no figure.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use ::service::clock;
use event::{
    CaseId, CommandId, DepartmentId, EventId, Millis, Name, Record, SourceId, Time, Token,
    case_input::{CaseInput, Command, CommandKind},
    command_outcome::Verdict,
};
use prometheus::{GaugeVec, IntCounterVec, IntGauge, Opts, Registry};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{api::Api, model::State};

/// `[canary]` of the configuration; without it none flies.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the doors answer; by default this process's own address.
    #[serde(default)]
    pub url: Option<String>,
    /// The source it speaks as.
    #[serde(default = "source")]
    pub source: SourceId,
    /// Holds the source's key.
    pub key_file: PathBuf,
    /// Between two of them.
    #[serde(default = "every")]
    pub every: Millis,
    /// How long one may take before it counts as lost.
    #[serde(default = "within")]
    pub within: Millis,
}

fn source() -> SourceId {
    SourceId::new(NAME).expect("`canary` is a source's id")
}

fn every() -> Millis {
    Millis::from_secs(60)
}

fn within() -> Millis {
    Millis::from_secs(30)
}

/// Its department, its device, and the actor of its commands.
const NAME: &str = "canary";

/// How far a canary comes, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Door,
    Timeline,
    Case,
    Notice,
    Answer,
}

impl Step {
    const ALL: [Step; 5] = [
        Step::Door,
        Step::Timeline,
        Step::Case,
        Step::Notice,
        Step::Answer,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Step::Door => "door",
            Step::Timeline => "timeline",
            Step::Case => "case",
            Step::Notice => "notice",
            Step::Answer => "answer",
        }
    }
}

#[derive(Clone, Debug)]
struct Metrics {
    /// `polku_canary_runs_total{outcome}`: `ok`, or the step that was not reached.
    runs: IntCounterVec,
    /// `polku_canary_step_seconds{step}`: from its start until the last canary reached the step.
    steps: GaugeVec,
    /// `polku_canary_success_timestamp_seconds`: when one last came through. Page when it is over five minutes old.
    success: IntGauge,
}

impl Metrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            runs: IntCounterVec::new(
                Opts::new(
                    "polku_canary_runs_total",
                    "Canaries by outcome: ok, or the step that was not reached.",
                ),
                &["outcome"],
            )?,
            steps: GaugeVec::new(
                Opts::new(
                    "polku_canary_step_seconds",
                    "From its start until the last canary reached the step.",
                ),
                &["step"],
            )?,
            success: IntGauge::new(
                "polku_canary_success_timestamp_seconds",
                "When a canary last came through. Page when it is over five minutes old.",
            )?,
        };
        registry.register(Box::new(metrics.runs.clone()))?;
        registry.register(Box::new(metrics.steps.clone()))?;
        registry.register(Box::new(metrics.success.clone()))?;
        for outcome in Step::ALL.map(Step::as_str).into_iter().chain(["ok"]) {
            metrics.runs.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }
}

/// Why none can fly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("registering the metrics of the canary")]
    Metrics(#[from] prometheus::Error),
    #[error("building the client of the canary")]
    Client(#[from] reqwest::Error),
}

/// Why one did not come through.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("reaching the door")]
    Door(#[source] reqwest::Error),
    #[error("the door answered {0}")]
    Refused(u16),
    #[error("the log did not take its command")]
    Log,
    #[error("its command came to {0}")]
    Verdict(&'static str),
    #[error("it took too long")]
    TimedOut,
}

pub(crate) struct Canary {
    api: Api,
    client: reqwest::Client,
    config: Config,
    /// The door that it flies in by.
    door: String,
    key: String,
    metrics: Metrics,
}

impl Canary {
    /// `own_url` is where the doors answer if the configuration does not say it.
    pub(crate) fn new(
        api: Api,
        config: Config,
        key: String,
        own_url: &str,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let url = config
            .url
            .as_deref()
            .unwrap_or(own_url)
            .trim_end_matches('/');
        Ok(Self {
            api,
            client: reqwest::Client::builder().build()?,
            door: format!("{url}/v1/sources/{}/events", config.source),
            key,
            metrics: Metrics::new(registry)?,
            config,
        })
    }

    /// One after the other, until the process stops.
    pub(crate) async fn fly(self) {
        let shutdown = self.api.shutdown.clone();
        let mut ticks = tokio::time::interval(duration(self.config.every));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! { _ = ticks.tick() => {}, () = shutdown.stopping() => return }
            let mut reached = Vec::new();
            let flight = self.flight(&mut reached);
            let flown = tokio::select! {
                flown = tokio::time::timeout(duration(self.config.within), flight) => flown.unwrap_or(Err(Lost::TimedOut)),
                () = shutdown.stopping() => return,
            };
            match flown {
                Ok(()) => {
                    self.metrics.runs.with_label_values(&["ok"]).inc();
                    let seconds = self.api.now().as_millis() / 1_000;
                    self.metrics.success.set(seconds);
                }
                Err(lost) => {
                    let step = Step::ALL[reached.len()].as_str();
                    self.metrics.runs.with_label_values(&[step]).inc();
                    tracing::warn!(step, error = %lost, "a canary was lost");
                }
            }
        }
    }

    /// `reached` grows by one at each step.
    async fn flight(&self, reached: &mut Vec<Step>) -> Result<(), Lost> {
        let began = clock::instant();
        let mut reach = |step: Step| {
            self.metrics
                .steps
                .with_label_values(&[step.as_str()])
                .set(Instant::elapsed(&began).as_secs_f64());
            reached.push(step);
        };
        let now = self.api.now();
        let id = format!("{NAME}-{}", now.as_millis());
        self.send(&event(&id, now)).await?;
        reach(Step::Door);
        let event = identifier::event_id(&self.api.pepper, &self.config.source, &id);
        let matter = self
            .shown(|state| state.annotations.note(event).map(|note| note.matter))
            .await;
        reach(Step::Timeline);
        let (case, step) = self
            .shown(|state| {
                let case = state.cases.of_matter(matter)?;
                step_of(state, case, event).map(|step| (case, step))
            })
            .await;
        reach(Step::Case);
        self.shown(|state| is_told(state, case, step).then_some(()))
            .await;
        reach(Step::Notice);
        self.resolve(case, event).await?;
        reach(Step::Answer);
        Ok(())
    }

    async fn send(&self, event: &Value) -> Result<(), Lost> {
        let request = self.client.post(&self.door).bearer_auth(&self.key);
        let answer = request.json(event).send().await.map_err(Lost::Door)?;
        match answer.status().as_u16() {
            202 => Ok(()),
            status => Err(Lost::Refused(status)),
        }
    }

    async fn resolve(&self, case: CaseId, event: EventId) -> Result<(), Lost> {
        let id = CommandId::new(Token::hash("canary.command", &[event.as_bytes()]));
        let command = Command {
            case,
            id,
            actor: Name::new(NAME).expect("`canary` is a name"),
            departments: vec![department()],
            any_department: false,
            what: CommandKind::Resolve,
            reason: Some("the canary came through".to_owned()),
            expected_version: None,
            time: self.api.now(),
            to: None,
            how: None,
            reached: None,
            told: None,
            on: None,
            until: None,
            asked: None,
        };
        let record = Record::CaseInput(CaseInput::Command(command));
        self.api.append(vec![record]).await.map_err(|_| Lost::Log)?;
        let outcome = self.shown(|state| state.outcomes.get(case, id).cloned());
        let verdict = outcome.await.result.verdict;
        if verdict == Verdict::Applied {
            Ok(())
        } else {
            Err(Lost::Verdict(verdict.as_str()))
        }
    }

    /// What the read model shows, once it does.
    async fn shown<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let mut applied = self.api.model.applied();
        loop {
            applied.mark_unchanged();
            if let Some(found) = look(&self.api.model.read()) {
                return found;
            }
            if applied.changed().await.is_err() {
                // The model is gone, and with it the process.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// One matter an hour: neither a case for each, nor one case for ever.
fn event(id: &str, now: Time) -> Value {
    let hour = now.as_millis() / Millis::from_hours(1).as_millis();
    json!({
        "id": id,
        "kind": "complaint",
        "type": NAME,
        "time": now.to_string(),
        "perspective": "test",
        "identifiers": { "device": NAME },
        "references": { "thread": format!("{NAME}-{hour}") },
    })
}

/// The number of the step that the event made the case take.
fn step_of(state: &State, case: CaseId, event: EventId) -> Option<u32> {
    let mut steps = state.cases.steps(case);
    steps
        .find(|step| step.event == Some(event))
        .map(|step| step.step)
}

/// Of the step itself or of what it led to, such as opening the case again.
fn is_told(state: &State, case: CaseId, step: u32) -> bool {
    let department = department();
    let mut newest = state.notices.newest(&department);
    newest.any(|notice| notice.case == case && notice.step >= step)
}

fn department() -> DepartmentId {
    DepartmentId::new(NAME).expect("`canary` is a department's id")
}

fn duration(length: Millis) -> Duration {
    Duration::from_millis(length.as_millis().unsigned_abs())
}
