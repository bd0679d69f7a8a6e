//! `polku simulate`: a company that sends what its systems would send, and knows the truth about it.
//!
//! ```text
//! journeys ──► beats ──► speak ──► the doors of its systems ──► Polku ──► its people's commands
//!                 │    (each system's own format)                            │
//!                 └──────────► truth ◄─────── --verify ─────────────────► the API
//! ```

mod api;
mod desk;
mod journey;
mod look;
mod person;
mod send;
mod speak;
mod system;
mod texts;
mod tour;
mod truth;
mod verify;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use anyhow::Context as _;
use event::Millis;
use rand::{Rng, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use service::shutdown::Shutdown;
use tokio::task::JoinSet;

pub use self::api::{Api, Keys};
use self::{
    journey::{Beat, Journey, Outline, Plot, STRANGERS_MAX, Said, Work},
    person::Person,
    send::Outbox,
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
    /// The same seed tells the same once more; by default each run is another company.
    #[arg(long)]
    pub seed: Option<u64>,
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
    /// The first journeys began up to this long ago, as in `3d`; by default `3d` where Polku has no event yet.
    #[arg(long)]
    pub past: Option<Millis>,
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

/// After so many journeys their strangers come again.
const STRANGE_JOURNEYS: u64 = 10_000;

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
    let before = look::counts(&api).await?;
    // Polku's own canary may be there already; it is nobody's customer.
    let is_first = before.customers == 0;
    let past = options
        .past
        .unwrap_or(if is_first { FIRST_PAST } else { Millis::ZERO });
    let mut company = Company::new(options.clone(), past, api.clone());
    company.play(&shutdown).await?;
    println!(
        "sent {} events about {} complaints",
        company.truth.events(),
        company.truth.matters().len()
    );
    if !options.verify {
        return Ok(true);
    }
    let verdict = verify::verify(&api, &company.truth, before.anonymous, SHOWN_WITHIN).await?;
    println!("{verdict}");
    Ok(verdict.differences.is_empty())
}

/// A system tells of what happened a moment ago: never of what lies ahead of the doors' clock.
const TOLD_AFTER_MS: i64 = 50;

/// How far the first journeys reach back where Polku is new.
const FIRST_PAST: Millis = Millis::from_days(3);

struct Company {
    seed: u64,
    options: Options,
    past: Millis,
    api: Api,
    rng: StdRng,
    people: Vec<Person>,
    active: Vec<Running>,
    /// The people who are on a journey: nobody is on two at a time.
    busy: BTreeSet<usize>,
    /// Journeys waiting for the company's people.
    working: JoinSet<Worked>,
    outbox: Outbox,
    told: u64,
    begun: u64,
    toured: bool,
    truth: Truth,
}

/// A journey under way.
struct Running {
    journey: Journey,
    next: usize,
    complaint: Option<Named>,
    /// The id and the time of what was said last and does not correct anything.
    last: Option<(String, i64)>,
    /// When its last beat was, while it lies in the past.
    past_ms: Option<i64>,
    /// When people last worked on it: what comes then, comes after.
    worked_ms: i64,
}

struct Worked {
    running: Running,
    /// What people worked; nothing where the journey only waited for Polku.
    work: Work,
    done: anyhow::Result<()>,
}

impl Company {
    fn new(options: Options, past: Millis, api: Api) -> Company {
        let seed = options
            .seed
            .unwrap_or_else(|| u64::from(rand::rng().random::<u32>()));
        println!("the simulated company has the seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let people = (0..options.customers.max(1))
            .map(|number| Person::new(seed, number, &mut rng))
            .collect();
        Company {
            seed,
            past,
            outbox: Outbox::new(api.clone()),
            api,
            rng,
            people,
            active: Vec::new(),
            busy: BTreeSet::new(),
            working: JoinSet::new(),
            told: 0,
            begun: 0,
            toured: false,
            truth: Truth::default(),
            options,
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
                .is_none_or(|events| self.truth.events() + self.outbox.waiting() < events)
        {
            // What is past is told as fast as the doors take it.
            let is_past = self.active.iter().any(|running| running.past_ms.is_some());
            if let (Some(ticks), false) = (&mut ticks, is_past) {
                ticks.tick().await;
            }
            while let Some(worked) = self.working.try_join_next() {
                self.worked(worked.context("the company's people stopped")?)?;
            }
            self.beat().await?;
            self.outbox.files(&mut self.truth, false)?;
            if self.options.tour && !self.toured && started.elapsed() > TOUR_AFTER {
                self.toured = true;
                let (api, truth) = (self.api.clone(), self.truth.clone());
                tours.spawn(async move { tour::show(&api, &truth).await });
            }
            if let Some(shown) = tours.try_join_next() {
                shown.context("showing around stopped")??;
            }
        }
        self.outbox.send(&mut self.truth).await?;
        self.outbox.files(&mut self.truth, true)?;
        while let Some(worked) = self.working.join_next().await {
            self.worked(worked.context("the company's people stopped")?)?;
        }
        Ok(())
    }

    fn worked(&mut self, mut worked: Worked) -> anyhow::Result<()> {
        let now = service::clock::now_ms();
        if worked.work != Work::Nothing {
            worked.running.worked_ms = now;
        }
        match worked.done {
            Ok(()) => {
                if let (true, Some(key)) = (worked.work.puts_right(), &worked.running.complaint) {
                    self.truth.resolved(key, now);
                }
            }
            Err(error) if self.options.verify => return Err(error),
            // Who tries Polku out acts on these cases too: then the simulated people let it be.
            Err(error) => println!("a case was left to others: {error:#}"),
        }
        self.active.push(worked.running);
        Ok(())
    }

    /// As many journeys as may go on at a time; the first of all begin in the past.
    fn begin(&mut self) {
        while self.active.len() + self.working.len() < JOURNEYS.min(self.people.len()) {
            let person = self.rng.random_range(0..self.people.len());
            if !self.busy.insert(person) {
                break;
            }
            self.begun += 1;
            let outline = Outline {
                plot: Plot::of(self.begun, &mut self.rng),
                index: person,
                person: &self.people[person],
                number: self.seed % 900 * 1_000_000 + self.begun,
                seed: self.seed,
                strangers: self.strangers(),
            };
            let journey = Journey::new(&outline, &mut self.rng);
            let past = self.past.as_millis();
            let is_past = past > 0 && self.begun <= JOURNEYS as u64;
            let past_ms =
                is_past.then(|| service::clock::now_ms() - self.rng.random_range(0..past));
            self.active.push(Running {
                journey,
                next: 0,
                complaint: None,
                last: None,
                past_ms,
                worked_ms: 0,
            });
        }
    }

    /// The first number of this journey's strangers: those of the company's customers come before it.
    fn strangers(&self) -> u32 {
        let journey = u32::try_from(self.begun % STRANGE_JOURNEYS).unwrap_or_default();
        self.options.customers + journey * STRANGERS_MAX
    }

    /// Takes one journey one beat further.
    async fn beat(&mut self) -> anyhow::Result<()> {
        self.begin();
        if self.active.is_empty() {
            // Everybody waits for somebody's work.
            if let Some(worked) = self.working.join_next().await {
                self.worked(worked.context("the company's people stopped")?)?;
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
            Beat::Said(said) => self.say(chosen, *said).await,
            Beat::Worked(work) => self.work(chosen, work).await,
            Beat::Understood(people) => self.understand(chosen, people).await,
        }
    }

    /// When the next thing happens on a journey.
    fn time(&mut self, chosen: usize, after_ms: i64) -> i64 {
        let now = service::clock::now_ms();
        let running = &mut self.active[chosen];
        running.past_ms = running
            .past_ms
            .map(|past| past + after_ms)
            .filter(|past| *past < now);
        if let Some(past) = running.past_ms {
            return past;
        }
        let time_ms = (now - TOLD_AFTER_MS).max(running.worked_ms);
        // Some are told late.
        if self.rng.random_bool(0.05) {
            time_ms - 3_600_000
        } else {
            time_ms
        }
    }

    async fn say(&mut self, chosen: usize, mut said: Said) -> anyhow::Result<()> {
        let last = self.active[chosen].last.take().filter(|_| said.corrects);
        let (id, time_ms) = last.unwrap_or_else(|| {
            self.told += 1;
            let time_ms = self.time(chosen, said.after_ms);
            let time_ms = time_ms - time_ms % said.system.tells_time_to_ms();
            (format!("{}-{}", self.seed, self.told), time_ms)
        });
        let written = |time_ms| Value::String(event::Time::from_millis(time_ms).to_string());
        let event = &mut said.event;
        event.insert("id".to_owned(), Value::String(id.clone()));
        event.insert("time".to_owned(), written(time_ms));
        if let (Some(after_ms), Some(promise)) = (said.due_after_ms, event.get_mut("promise")) {
            promise["due"] = written(time_ms + after_ms);
        }
        let sent = Sent::new(said.system.source(), time_ms, event, said.others);
        let running = &mut self.active[chosen];
        if sent.is_complaint() {
            running.complaint = sent.matter_key();
        }
        running.last = Some((id, time_ms));
        self.outbox.add(said.system, sent, said.event);
        if self.outbox.waiting() >= self.options.batch.max(1) {
            self.outbox.send(&mut self.truth).await
        } else {
            Ok(())
        }
    }

    /// Lets a journey wait until Polku knows each of these people by both of two identifiers.
    async fn understand(&mut self, chosen: usize, people: Vec<[Named; 2]>) -> anyhow::Result<()> {
        self.outbox.send(&mut self.truth).await?;
        let running = self.active.swap_remove(chosen);
        let api = self.api.clone();
        self.working.spawn(async move {
            Worked {
                done: desk::await_customers(&api, &people).await,
                running,
                work: Work::Nothing,
            }
        });
        Ok(())
    }

    async fn work(&mut self, chosen: usize, work: Work) -> anyhow::Result<()> {
        if self.options.no_work || work == Work::Nothing {
            return Ok(());
        }
        self.outbox.send(&mut self.truth).await?;
        let mut running = self.active.swap_remove(chosen);
        // People work now, and what follows from it follows now.
        running.past_ms = None;
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
            if let Some(worked) = self.working.join_next().await {
                self.worked(worked.context("the company's people stopped")?)?;
            }
        }
        let api = self.api.clone();
        self.working.spawn(async move {
            Worked {
                done: desk::work(&api, &matter, work).await,
                running,
                work,
            }
        });
        Ok(())
    }
}
