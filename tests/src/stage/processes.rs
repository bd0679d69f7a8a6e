//! Separate roles on a real broker.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use event::Time;
use serde_json::{Map, Value, json};

use super::{
    company::Company,
    role::{self, Process, Role},
};
use crate::{
    broker::Broker,
    http::Http,
    scenario::{Answer, Stage},
    wait,
};

/// Enough that customers and cases lie apart.
pub const PARTITIONS: u32 = 4;

/// How long a role may take to start, on a machine that is busy with other tests.
const STARTED_WITHIN: Duration = Duration::from_secs(90);

/// All roles of one company, each a process of its own, over topics of their own on a shared broker.
pub struct Processes {
    // Ended before the directory that holds their logs is removed.
    running: BTreeMap<Role, Process>,
    pub company: Company,
    pub http: Http,
    namespace: String,
    bootstrap: String,
    addresses: BTreeMap<Role, SocketAddr>,
}

impl Processes {
    /// Makes the topics, applies the company, and starts all roles.
    ///
    /// # Panics
    /// When any of that does not work.
    pub fn start(broker: &Broker) -> Processes {
        let mut all = Processes::prepare(broker);
        all.start_all();
        all
    }

    /// The same for a company that was only prepared.
    ///
    /// # Panics
    /// When any of that does not work.
    pub fn start_all(&mut self) {
        self.run(&["topics", "apply"]);
        let company = self.company.company_file();
        self.run(&["company", "apply", company.to_str().expect("a plain path")]);
        for role in Role::APART {
            self.start_role(role);
        }
        for role in Role::APART {
            self.await_ready(role);
        }
    }

    /// A company on the broker, of which nothing runs yet.
    pub fn prepare(broker: &Broker) -> Processes {
        Processes::prepare_with(broker, "")
    }

    /// `more` is added to its configuration.
    pub fn prepare_with(broker: &Broker, more: &str) -> Processes {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("processes-{}-{number}.", std::process::id());
        let bootstrap = broker.bootstrap().to_owned();
        // A role that was killed is missed after the shortest session that brokers allow.
        let company = Company::new(&format!(
            "log = {{ kind = \"kafka\", partitions = {PARTITIONS}, session_ms = 6000 }}\n\
             kafka = {{ bootstrap = \"{bootstrap}\", namespace = \"{namespace}\" }}\n{more}"
        ));
        Processes {
            running: BTreeMap::new(),
            company,
            http: Http::default(),
            namespace,
            bootstrap,
            addresses: Role::APART
                .into_iter()
                .chain([Role::Notify])
                .map(|role| (role, role::free_address()))
                .collect(),
        }
    }

    /// Put before the names of this company's topics.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, arguments: &[&str]) {
        let output = role::command(&self.company, arguments)
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "`polku {}`: {output:?}",
            arguments.join(" ")
        );
    }

    pub fn start_role(&mut self, role: Role) {
        let process = Process::start(&self.company, role, self.addresses[&role]);
        self.running.insert(role, process);
    }

    /// Another instance of a role, beside the one that runs.
    pub fn start_second(&self, role: Role) -> Process {
        Process::start(&self.company, role, role::free_address())
    }

    /// # Panics
    /// When the role is not ready in time.
    pub fn await_ready(&mut self, role: Role) {
        let process = self.running.get_mut(&role).expect("the role runs");
        process.await_ready(&self.http, STARTED_WITHIN);
    }

    /// kill -9.
    ///
    /// # Panics
    /// When the role does not run.
    pub fn kill(&mut self, role: Role) {
        let mut process = self.running.remove(&role).expect("the role runs");
        process.kill();
    }

    /// Asks a role to stop, as an orchestrator does, and starts it again.
    ///
    /// # Panics
    /// When it does not end well, or is not ready in time.
    pub fn restart(&mut self, role: Role) {
        let mut process = self.running.remove(&role).expect("the role runs");
        process.stop(STARTED_WITHIN);
        self.start_role(role);
        self.await_ready(role);
    }

    pub fn url(&self, role: Role) -> String {
        format!("http://{}", self.addresses[&role])
    }

    /// The totals, once serve answers.
    pub fn counts(&self) -> Option<Value> {
        let url = format!("{}/v1/counts", self.url(Role::Serve));
        let answer = self.http.get(&url, None).ok()?;
        (answer.status == 200).then_some(answer.body)
    }

    /// How much the machines and the read model have done so far.
    fn work(&self) -> Option<u64> {
        let mut done = 0;
        for role in [Role::Unify, Role::Alert, Role::Serve] {
            let url = format!("{}/metrics", self.url(role));
            let answer = self.http.get(&url, None).ok()?;
            done += sum(answer.body.as_str()?);
        }
        Some(done)
    }

    /// Waits until so many events have arrived and nothing more comes of them.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn come_to_rest(&self, events: u64, bound: Duration) {
        let arrived = format!("{events} events have arrived");
        let arrive = || {
            let counts = self.counts()?;
            let count = |what: &str| counts["events"][what].as_u64().unwrap_or_default();
            // The doors accept a correction too.
            let here = count("accepted") + count("corrected") == events
                && counts["pending"] == 0
                && counts["balanced"] == true;
            here.then_some(())
        };
        wait::until_or(&arrived, bound, arrive, || self.condition());
        // What an event sets off goes through several machines. There is no telling from outside that nothing is under way, so
        // the work is to stand still over several looks.
        let mut last = None;
        let mut still = 0;
        let rest = || {
            let work = self.work()?;
            still = if last == Some(work) { still + 1 } else { 0 };
            last = Some(work);
            (still == STILL_LOOKS).then_some(())
        };
        wait::until_or("the machines are at rest", bound, rest, || self.condition());
    }

    /// The same after something was lost. A machine that waits for its place in the group, for an answer or for a leader does nothing
    /// either, and looks as if it were at rest; so each is to have measured since that nothing waits for it.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn come_to_rest_after_loss(&self, events: u64, bound: Duration) {
        self.come_to_rest(events, bound);
        let mut last = None;
        let mut since = service::clock::instant();
        let rest = || {
            let work = self.work()?;
            if last != Some(work) {
                last = Some(work);
                since = service::clock::instant();
            }
            (self.nothing_waits()? && since.elapsed() > MEASURED_WITHIN).then_some(())
        };
        let what = "nothing waits for any machine";
        wait::until_or(what, bound, rest, || self.condition());
    }

    /// Whether every loop goes round, and found nothing at any of its partitions when it measured last.
    fn nothing_waits(&self) -> Option<bool> {
        let (mut measured, mut calm) = (0, true);
        for role in [Role::Unify, Role::Alert] {
            let url = format!("{}/metrics", self.url(role));
            let answer = self.http.get(&url, None).ok()?;
            for line in answer.body.as_str()?.lines() {
                let Some((name, value)) = line.rsplit_once(' ') else {
                    continue;
                };
                if name.starts_with("polku_loop_lag_records{") {
                    measured += 1;
                    calm &= value == "0";
                } else if name.starts_with("polku_loop_progress_timestamp_seconds{") {
                    let at_ms = value.parse::<i64>().ok()? * 1_000;
                    calm &= service::clock::now_ms() - at_ms < GOES_ROUND_WITHIN_MS;
                }
            }
        }
        Some(calm && measured == LAGS)
    }

    /// What each role says of itself, for a test that waited for it in vain: whether it is ready and why not, how far behind each
    /// machine is at each partition, when it got on last, and what serve counts.
    pub fn condition(&self) -> String {
        let now = service::clock::now_ms() / 1_000;
        let mut lines = vec![format!("it is {now} now; serve counts {:?}", self.counts())];
        for role in self.running.keys() {
            let asked = |path: &str| {
                let answer = self.http.get(&format!("{}{path}", self.url(*role)), None);
                answer.map_or_else(|error| error.to_string(), |answer| text(&answer.body))
            };
            lines.push(format!("`polku {}`: {}", role.as_str(), asked("/readyz")));
            let metrics = asked("/metrics");
            let telling = metrics.lines().filter(|line| {
                TELLING.iter().any(|part| line.starts_with(part)) && !line.ends_with(" 0")
            });
            lines.extend(telling.map(|line| format!("    {line}")));
        }
        lines.join("\n")
    }
}

/// Loops measure every five seconds.
const MEASURED_WITHIN: Duration = Duration::from_secs(6);
const GOES_ROUND_WITHIN_MS: i64 = 3_000;
/// Those of unify and cases, and that of identify, which has one partition.
const LAGS: u32 = 2 * PARTITIONS + 1;

/// The metrics that tell why nothing happens; those that are 0 are left out.
const TELLING: [&str; 9] = [
    "polku_ingest_requests_total",
    "polku_loop_aborts_total",
    "polku_loop_commits_total",
    "polku_loop_lag_records",
    "polku_loop_progress_timestamp_seconds",
    "polku_loop_ready",
    "polku_loop_restores_total",
    "polku_loop_stalls_total",
    "polku_serve_model_",
];

fn text(body: &Value) -> String {
    body.as_str()
        .map_or_else(|| body.to_string(), str::to_owned)
}

pub const STILL_LOOKS: u32 = 6;

/// Records committed or shown.
pub fn sum(metrics: &str) -> u64 {
    let counted = |line: &&str| {
        line.starts_with("polku_loop_commits_total")
            || line.starts_with("polku_serve_model_records_total")
    };
    let values = metrics.lines().filter(counted);
    values
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(_, value)| value.parse::<u64>().ok())
        .sum()
}

/// Scripts played one after the other on the same processes.
pub struct Play<'a> {
    processes: &'a mut Processes,
    /// Tells the events of one script from those of another.
    script: String,
    began: Time,
    clock: Clock,
    accepted: &'a mut u64,
}

/// Processes live now, and what the script tells happens at its own time. So each of its moments is the moment now at which its
/// line is played, what lies between two lines lies as far between those, and pages show the script's time again.
#[derive(Default)]
struct Clock {
    /// The script's time -> now, of the lines played so far.
    lines: BTreeMap<Time, Time>,
    /// Now -> the script's time, of all that was told.
    told: BTreeMap<String, String>,
}

impl Clock {
    fn play(&mut self, line: Time) {
        let now = Time::from_millis(service::clock::now_ms());
        self.lines.entry(line).or_insert(now);
    }

    fn now_of(&mut self, scripted: &str) -> Option<String> {
        let time: Time = scripted.parse().ok()?;
        let (line, after) = self.lines.range(time..).next()?;
        let since = |from: &Time, to: &Time| to.as_millis() - from.as_millis();
        let now = match self.lines.range(..time).next_back() {
            Some((line_before, before)) => {
                let (scripted, real) = (since(line_before, line), since(before, after));
                before.as_millis() + real * since(line_before, &time) / scripted
            }
            None => after.as_millis() - since(&time, line),
        };
        let now = Time::from_millis(now).to_string();
        self.told.insert(now.clone(), scripted.to_owned());
        Some(now)
    }

    /// A page as it would be if the script's time were now.
    fn shown(&self, mut answer: Answer) -> Answer {
        let entries = answer.body["entries"].as_array_mut();
        for entry in entries.into_iter().flatten() {
            let scripted = entry["time"].as_str().and_then(|now| self.told.get(now));
            if let Some(scripted) = scripted {
                entry["time"] = json!(scripted);
            }
        }
        answer
    }
}

impl<'a> Play<'a> {
    /// `accepted` counts the events over all scripts.
    pub fn new(processes: &'a mut Processes, script: &str, accepted: &'a mut u64) -> Play<'a> {
        Play {
            processes,
            script: script.to_owned(),
            began: Time::from_millis(service::clock::now_ms()),
            clock: Clock::default(),
            accepted,
        }
    }

    fn key(&self, credential: &str) -> &str {
        &self.processes.company.keys.credentials[credential]
    }
}

/// How long anything may take in which no deadline has to pass.
const BOUND: Duration = Duration::from_secs(60);
/// A stream in which nothing comes for so long is taken as read; whoever expects more looks again.
const QUIET: Duration = Duration::from_millis(400);

impl Stage for Play<'_> {
    fn tell(&mut self, now: Time, source: &str, event: &Map<String, Value>) -> Answer {
        let mut event = event.clone();
        self.clock.play(now);
        if let Some(time) = event.get_mut("time")
            && let Some(now) = time.as_str().and_then(|time| self.clock.now_of(time))
        {
            *time = json!(now);
        }
        if let Some(id) = event.get_mut("id") {
            *id = json!(format!(
                "{} {}",
                self.script,
                id.as_str().unwrap_or_default()
            ));
        }
        let processes = &self.processes;
        let url = format!("{}/v1/sources/{source}/events", processes.url(Role::Ingest));
        let key = &processes.company.keys.sources[source];
        let answer = processes
            .http
            .post(&url, key, &Value::Object(event))
            .expect("the doors answer");
        *self.accepted += answer.body["accepted"].as_u64().unwrap_or_default();
        answer
    }

    fn get(&mut self, credential: &str, path: &str) -> Answer {
        let url = format!("{}{path}", self.processes.url(Role::Serve));
        let answer = self.processes.http.get(&url, Some(self.key(credential)));
        self.clock.shown(answer.expect("serve answers"))
    }

    /// A command whose outcome takes its time is asked for again.
    fn post(&mut self, credential: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.processes.url(Role::Serve));
        let mut answer = self
            .processes
            .http
            .post(&url, self.key(credential), body)
            .expect("serve answers");
        if let (202, Some(link)) = (answer.status, answer.body["link"].as_str()) {
            let link = link.to_owned();
            answer = wait::until("the command has an outcome", BOUND, || {
                let answer = self.get(credential, &link);
                (answer.status != 202).then_some(answer)
            });
        }
        answer
    }

    /// Those since the script began: other scripts were told things too.
    fn notices(&mut self, department: &str) -> Vec<Value> {
        let url = format!(
            "{}/v1/departments/{department}/stream",
            self.processes.url(Role::Serve)
        );
        let all = self
            .processes
            .http
            .events(&url, self.key("auditor"), -1, QUIET)
            .expect("serve answers");
        let since = |notice: &Value| {
            let time = notice["time"].as_str().and_then(|time| time.parse().ok());
            time.is_some_and(|time: Time| time >= self.began)
        };
        all.into_iter().filter(since).collect()
    }

    fn settle(&mut self, _now: Time) {
        self.processes.come_to_rest(*self.accepted, BOUND);
    }
}
