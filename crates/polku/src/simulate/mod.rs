//! `polku simulate`: a company that sends what its systems would send, and knows the truth about it.
//!
//! ```text
//! journeys ──► beats ──► the doors of its systems ──► Polku ──► its people's commands
//!                 │                                                │
//!                 └──────────► truth ◄─────── --verify ───────► the API
//! ```

mod api;
mod desk;
mod journey;
mod look;
mod person;
mod texts;
mod tour;
mod truth;
mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use event::Millis;
use rand::{Rng, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use service::shutdown::Shutdown;
use tokio::task::JoinSet;

pub use self::api::{Api, Keys};
use self::{
    journey::{Beat, Journey, System, Work},
    person::Person,
    truth::{Named, Sent, Truth},
};

/// A company, seeded: the same seed gives the same customers and journeys.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where Polku answers; by default the configuration's `listen`.
    #[arg(long)]
    pub url: Option<String>,
    /// The keys of the company's sources and people; by default what `polku dev` wrote into the data directory.
    #[arg(long)]
    pub keys: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many customers the company has.
    #[arg(long, default_value_t = 200)]
    pub customers: u32,
    /// Events a second; 0 sends as fast as the doors take them.
    #[arg(long, default_value_t = 20)]
    pub rate: u32,
    /// Events in one request.
    #[arg(long, default_value_t = 1)]
    pub batch: usize,
    /// Stop after this long, as in `90s`; by default it goes on until it is interrupted.
    #[arg(long)]
    pub duration: Option<Millis>,
    /// Stop after this many events.
    #[arg(long)]
    pub events: Option<usize>,
    /// Nobody works on the cases.
    #[arg(long)]
    pub no_work: bool,
    /// Print where to look once events are stored, and three requests with their answers.
    #[arg(long)]
    pub tour: bool,
    /// At the end compare what Polku says with what was sent; differences end with 1.
    #[arg(long)]
    pub verify: bool,
}

/// How many journeys go on at a time, and how many of the company's people work at a time.
const JOURNEYS: usize = 40;
const WORKERS: usize = 8;

/// How long Polku may take to be ready, and to show what was sent last.
const READY_WITHIN: Duration = Duration::from_secs(60);
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// A newcomer is shown around when a few journeys have got somewhere.
const TOUR_AFTER: Duration = Duration::from_secs(8);

/// Runs the company; `true` when nothing differed or nothing was compared.
pub async fn run(
    options: Options,
    url: &str,
    keys: Keys,
    shutdown: Shutdown,
) -> anyhow::Result<bool> {
    let api = Api::new(url, keys)?;
    api.ready(READY_WITHIN).await?;
    let mut company = Company::new(options.clone(), api.clone());
    company.play(&shutdown).await?;
    println!(
        "sent {} events about {} complaints",
        company.truth.events(),
        company.truth.matters().len()
    );
    if !options.verify {
        return Ok(true);
    }
    let verdict = verify::verify(&api, &company.truth, SHOWN_WITHIN).await?;
    println!("{verdict}");
    Ok(verdict.differences.is_empty())
}

struct Company {
    options: Options,
    api: Api,
    rng: StdRng,
    people: Vec<Person>,
    active: Vec<Running>,
    /// The people who are on a journey: nobody is on two at a time.
    busy: BTreeSet<usize>,
    /// Journeys waiting for the company's people.
    working: JoinSet<anyhow::Result<Worked>>,
    outbox: BTreeMap<System, Vec<(Sent, Value)>>,
    waiting: usize,
    told: u64,
    begun: u64,
    last_ms: i64,
    toured: bool,
    truth: Truth,
}

/// A journey under way.
struct Running {
    journey: Journey,
    next: usize,
    complaint: Option<Named>,
}

struct Worked {
    running: Running,
    put_right: bool,
}

impl Company {
    fn new(options: Options, api: Api) -> Company {
        let mut rng = StdRng::seed_from_u64(options.seed);
        let people = (0..options.customers.max(1))
            .map(|number| Person::new(options.seed, number, &mut rng))
            .collect();
        Company {
            options,
            api,
            rng,
            people,
            active: Vec::new(),
            busy: BTreeSet::new(),
            working: JoinSet::new(),
            outbox: BTreeMap::new(),
            waiting: 0,
            told: 0,
            begun: 0,
            last_ms: 0,
            toured: false,
            truth: Truth::default(),
        }
    }

    async fn play(&mut self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let started = service::clock::instant();
        let duration = self
            .options
            .duration
            .map(|length| Duration::from_millis(length.as_millis().unsigned_abs()));
        let mut ticks = (self.options.rate > 0)
            .then(|| tokio::time::interval(Duration::from_secs(1) / self.options.rate));
        let mut tours = JoinSet::new();
        while !shutdown.is_stopping()
            && duration.is_none_or(|duration| started.elapsed() < duration)
            && self
                .options
                .events
                .is_none_or(|events| self.truth.events() + self.waiting < events)
        {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            while let Some(done) = self.working.try_join_next() {
                self.worked(done.context("the company's people stopped")??);
            }
            self.beat().await?;
            if self.options.tour && !self.toured && started.elapsed() > TOUR_AFTER {
                self.toured = true;
                let (api, truth) = (self.api.clone(), self.truth.clone());
                tours.spawn(async move { tour::show(&api, &truth).await });
            }
            if let Some(shown) = tours.try_join_next() {
                shown.context("showing around stopped")??;
            }
        }
        self.send().await?;
        while let Some(done) = self.working.join_next().await {
            self.worked(done.context("the company's people stopped")??);
        }
        Ok(())
    }

    fn worked(&mut self, worked: Worked) {
        if let (true, Some(key)) = (worked.put_right, &worked.running.complaint) {
            self.truth.resolved(key);
        }
        self.active.push(worked.running);
    }

    /// Takes one journey one beat further.
    async fn beat(&mut self) -> anyhow::Result<()> {
        while self.active.len() + self.working.len() < JOURNEYS.min(self.people.len()) {
            let person = self.rng.random_range(0..self.people.len());
            if !self.busy.insert(person) {
                break;
            }
            self.begun += 1;
            let number = self.options.seed % 900 * 1_000_000 + self.begun;
            let journey = Journey::new(person, &self.people[person], number, &mut self.rng);
            self.active.push(Running {
                journey,
                next: 0,
                complaint: None,
            });
        }
        if self.active.is_empty() {
            // Everybody waits for somebody's work.
            if let Some(done) = self.working.join_next().await {
                self.worked(done.context("the company's people stopped")??);
            }
            return Ok(());
        }
        let chosen = self.rng.random_range(0..self.active.len());
        let running = &mut self.active[chosen];
        let Some(beat) = running.journey.beats.get(running.next).cloned() else {
            let done = self.active.swap_remove(chosen);
            self.busy.remove(&done.journey.person);
            return Ok(());
        };
        running.next += 1;
        match beat {
            Beat::Said { system, event } => self.say(chosen, system, event).await,
            Beat::Worked(work) => self.work(chosen, work).await,
        }
    }

    async fn say(
        &mut self,
        chosen: usize,
        system: System,
        mut event: serde_json::Map<String, Value>,
    ) -> anyhow::Result<()> {
        self.told += 1;
        let id = format!("{}-{}", self.options.seed, self.told);
        // No two events at the same moment, so that the order of happening is one; some are told late.
        let mut time_ms = service::clock::now_ms().max(self.last_ms + 1);
        self.last_ms = time_ms;
        if self.rng.random_bool(0.05) {
            time_ms -= 3_600_000;
        }
        event.insert("id".to_owned(), Value::String(id));
        event.insert(
            "time".to_owned(),
            Value::String(event::Time::from_millis(time_ms).to_string()),
        );
        let sent = Sent::new(system.source(), time_ms, &event);
        if sent.kind == "complaint" {
            self.active[chosen].complaint = sent.matter_key();
        }
        self.outbox
            .entry(system)
            .or_default()
            .push((sent, Value::Object(event)));
        self.waiting += 1;
        if self.waiting >= self.options.batch.max(1) {
            self.send().await
        } else {
            Ok(())
        }
    }

    /// Sends what waits, each system's events in one request.
    async fn send(&mut self) -> anyhow::Result<()> {
        self.waiting = 0;
        for (system, batch) in std::mem::take(&mut self.outbox) {
            let (sent, events): (Vec<Sent>, Vec<Value>) = batch.into_iter().unzip();
            let answer = self.api.send(system.source(), &events).await?;
            anyhow::ensure!(
                answer["rejected"] == 0,
                "the door of {} refused: {answer}",
                system.source()
            );
            for one in sent {
                self.truth.accepted(one);
            }
        }
        Ok(())
    }

    async fn work(&mut self, chosen: usize, work: Work) -> anyhow::Result<()> {
        if self.options.no_work || work == Work::Nothing {
            return Ok(());
        }
        self.send().await?;
        let running = self.active.swap_remove(chosen);
        let Some(matter) = running
            .complaint
            .as_ref()
            .and_then(|key| self.truth.matter(key))
            .cloned()
        else {
            self.active.push(running);
            return Ok(());
        };
        while self.working.len() >= WORKERS {
            if let Some(done) = self.working.join_next().await {
                self.worked(done.context("the company's people stopped")??);
            }
        }
        let api = self.api.clone();
        self.working.spawn(async move {
            Ok(Worked {
                put_right: desk::work(&api, &matter, work).await?,
                running,
            })
        });
        Ok(())
    }
}
