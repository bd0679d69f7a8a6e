//! The whole loop: a topic full of events, and the loops of all machines in their threads until nothing is left to do.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use alerter::cases::Cases;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use event::{Time, Topic};
use futures::executor::block_on;
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard, State};
use polku::binding;
use prometheus::Registry;
use stream::{
    Append, Binding, Log, Metrics, Options, Runner, SharedLog,
    embedded::{self, Embedded},
    run::{self, Clock, Stats, Turn},
    simulated::Simulated,
};
use unifier::{identify::Identify, unify::Unify};

use crate::{
    company::Company,
    meter::{Gauge, Meter, Spent, thread_cpu},
    sample::{Figure, Sample},
    workload::Workload,
};

/// Events appended at once, before anything is measured.
const FILL: usize = 5_000;

pub(crate) fn measure(
    company: &Company,
    workload: &Workload,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let memory = Simulated::new(1);
    memory.set_time(Time::from_millis(service::clock::now_ms()));
    let in_memory = run(Arc::new(memory), company, workload)?;
    let directory = company.directory()?;
    let disk = Embedded::open(directory.path(), embedded::Options::default())?;
    let on_disk = run(disk, company, workload)?;
    Ok(vec![
        (Figure::WholeInMemory, in_memory),
        (Figure::WholeOnDisk, on_disk),
    ])
}

fn run(log: SharedLog, company: &Company, workload: &Workload) -> anyhow::Result<Sample> {
    fill(log.as_ref(), company, workload)?;
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let calm = Arc::new(Calm::new());
    let options = Options::new(company.partitions());
    let start = Start {
        log: &log,
        metrics: &metrics,
        options: &options,
        calm: &calm,
    };
    let unify = start.machine(0, Unify::new(), binding::unify())?;
    let identify = start.machine(1, Identify::new(company.partitions()), binding::identify())?;
    let cases = start.machine(2, Cases::new(), binding::cases())?;
    let (unify, identify, cases) = (unify.join()?, identify.join()?, cases.join()?);
    let spent = Spent {
        wall: calm.rested(),
        cpu: calm.meter.stop().cpu,
    };

    let tally = unify.stats.tally;
    ensure!(
        tally.of(Outcome::Duplicate) >= workload.repeats
            && tally.of(Outcome::Rejected) == 0
            && tally.inputs >= workload.events.len() as u64,
        "unify did not take {} events with {} repeats each once: {tally:?}",
        workload.events.len(),
        workload.repeats
    );
    let loops = unify.cpu + identify.cpu + cases.cpu;
    let mut parts = Vec::new();
    let mut notes = Vec::new();
    for (ran, labels) in [(&unify, UNIFY), (&identify, IDENTIFY), (&cases, CASES)] {
        parts.extend(ran.parts(labels));
        notes.push(ran.note(labels.name, commit_seconds(&registry, labels.name)));
    }
    parts.push(("threads of the log", spent.cpu.saturating_sub(loops)));
    Ok(Sample {
        count: workload.events.len() as u64,
        spent,
        parts,
        notes,
        ..Sample::default()
    })
}

fn fill(log: &dyn Log, company: &Company, workload: &Workload) -> anyhow::Result<()> {
    let partitions = company.partitions();
    company.prepare(log, partitions)?;
    append(log, &workload.records, partitions)
}

pub(crate) fn append(
    log: &dyn Log,
    records: &[(Bytes, Bytes)],
    partitions: u32,
) -> anyhow::Result<()> {
    for some in records.chunks(FILL) {
        let appends = some.iter().map(|(key, value)| {
            let (key, value) = (key.to_vec(), value.to_vec());
            Append::keyed(Topic::Event, key, Some(value), partitions)
        });
        block_on(log.append(appends.collect()))?;
    }
    Ok(())
}

/// How long a loop waited for its commits in all, as its metrics say.
fn commit_seconds(registry: &Registry, machine: &str) -> f64 {
    let families = registry.gather();
    let of_commits = families
        .iter()
        .filter(|family| family.name() == "polku_loop_commit_seconds");
    of_commits
        .flat_map(|family| family.get_metric())
        .filter(|metric| {
            metric
                .get_label()
                .iter()
                .any(|label| label.value() == machine)
        })
        .map(|metric| metric.get_histogram().get_sample_sum())
        .sum()
}

/// What is said of one machine's loop.
#[derive(Clone, Copy)]
struct Labels {
    name: &'static str,
    decode: &'static str,
    step: &'static str,
    encode: &'static str,
    rest: &'static str,
}

const UNIFY: Labels = Labels {
    name: "unify",
    decode: "unify: decode",
    step: "unify: step",
    encode: "unify: encode",
    rest: "unify: the loop, rows, its side of the log",
};
const IDENTIFY: Labels = Labels {
    name: "identify",
    decode: "identify: decode",
    step: "identify: step",
    encode: "identify: encode",
    rest: "identify: the loop, rows, its side of the log",
};
const CASES: Labels = Labels {
    name: "cases",
    decode: "cases: decode",
    step: "cases: step",
    encode: "cases: encode",
    rest: "cases: the loop, rows, its side of the log",
};

/// How the loops know together that nothing is left to do: each had nothing to do in a turn that began after the last commit of
/// any.
struct Calm {
    meter: Meter,
    /// Commits of all loops.
    commits: AtomicU64,
    /// By loop: the number of commits at the beginning of its last idle turn.
    idle: [AtomicU64; LOOPS],
    failed: AtomicBool,
    last: Mutex<Duration>,
}

const LOOPS: usize = 3;

impl Calm {
    fn new() -> Self {
        Self {
            meter: Meter::start(),
            commits: AtomicU64::new(0),
            idle: [const { AtomicU64::new(u64::MAX) }; LOOPS],
            failed: AtomicBool::new(false),
            last: Mutex::new(Duration::ZERO),
        }
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    fn committed(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = self.meter.elapsed();
    }

    fn is_over(&self) -> bool {
        let commits = self.commits();
        let idle = |number: &AtomicU64| number.load(Ordering::SeqCst) == commits;
        self.failed.load(Ordering::SeqCst) || self.idle.iter().all(idle)
    }

    /// When the last commit was done.
    fn rested(&self) -> Duration {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Start<'s> {
    log: &'s SharedLog,
    metrics: &'s Metrics,
    options: &'s Options,
    calm: &'s Arc<Calm>,
}

impl Start<'_> {
    /// Runs a machine in a thread of its own.
    fn machine<M: Machine>(
        &self,
        number: usize,
        machine: M,
        binding: Binding<M>,
    ) -> anyhow::Result<Running> {
        let gauges = Gauges::default();
        let runner = Runner::new(
            Timed(machine, gauges.step.clone()),
            gauges.around(binding),
            Arc::clone(self.log),
            self.options.clone(),
            self.metrics,
        );
        let calm = Arc::clone(self.calm);
        let thread = thread::Builder::new()
            .name(runner.machine_name().as_str().to_owned())
            .spawn(move || {
                let turned = turn(runner, number, &calm);
                // The others would wait for this one for ever.
                calm.failed.fetch_or(turned.is_err(), Ordering::SeqCst);
                turned.map(|stats| (stats, thread_cpu()))
            })
            .context("starting a loop")?;
        Ok(Running { thread, gauges })
    }
}

fn turn<M: Machine>(
    mut runner: Runner<M>,
    number: usize,
    calm: &Calm,
) -> Result<Stats, run::Error> {
    let ready = runner.ready();
    while !calm.is_over() {
        let clock = Clock {
            now: Time::from_millis(service::clock::now_ms()),
            monotonic: calm.meter.elapsed(),
        };
        let commits = calm.commits();
        match runner.turn(clock)? {
            Turn::Committed { .. } => calm.committed(),
            Turn::Idle if ready.load(Ordering::SeqCst) => {
                calm.idle[number].store(commits, Ordering::SeqCst);
            }
            Turn::Idle
            | Turn::Moved
            | Turn::Restored
            | Turn::Aborted
            | Turn::Lost
            | Turn::Waiting { .. } => thread::yield_now(),
        }
    }
    Ok(runner.leave())
}

struct Running {
    thread: JoinHandle<Result<(Stats, Duration), run::Error>>,
    gauges: Gauges,
}

impl Running {
    fn join(self) -> anyhow::Result<Ran> {
        let (stats, cpu) = self.thread.join().expect("a loop catches panics")?;
        Ok(Ran {
            stats,
            cpu,
            gauges: self.gauges,
        })
    }
}

/// A loop that came to rest.
struct Ran {
    stats: Stats,
    /// Of its thread.
    cpu: Duration,
    gauges: Gauges,
}

impl Ran {
    fn parts(&self, labels: Labels) -> [(&'static str, Duration); 4] {
        let gauges = &self.gauges;
        let [decode, step, encode] =
            [&gauges.decode, &gauges.step, &gauges.encode].map(Gauge::total);
        let rest = self.cpu.saturating_sub(decode + step + encode);
        [
            (labels.decode, decode),
            (labels.step, step),
            (labels.encode, encode),
            (labels.rest, rest),
        ]
    }

    fn note(&self, name: &str, commit_seconds: f64) -> String {
        let (inputs, commits) = (self.stats.tally.inputs, self.stats.commits);
        format!(
            "The loop of {name}: {inputs} inputs in {commits} commits, {} in one, which took {:.1} ms.",
            inputs / commits.max(1),
            commit_seconds * 1e3 / commits.max(1) as f64
        )
    }
}

/// What a loop calls.
#[derive(Clone, Default)]
struct Gauges {
    decode: Gauge,
    step: Gauge,
    encode: Gauge,
}

impl Gauges {
    fn around<M: Machine>(&self, binding: Binding<M>) -> Binding<Timed<M>> {
        let Binding {
            machine,
            inputs,
            opening,
            decode,
            encode,
            row_version,
        } = binding;
        let (decoding, encoding) = (self.decode.clone(), self.encode.clone());
        let timed = Binding::new(
            machine,
            inputs,
            row_version,
            move |read| decoding.time(|| decode(read)),
            move |record, partitions, to| encoding.time(|| encode(record, partitions, to)),
        );
        Binding { opening, ..timed }
    }
}

/// A machine whose steps are timed.
struct Timed<M>(M, Gauge);

impl<M: Machine> Machine for Timed<M> {
    type Record = M::Record;
    type Key = M::Key;
    type Row = M::Row;

    fn step(
        &self,
        now: Time,
        shard: Shard,
        input: Input<M::Record>,
        state: &mut Overlay<'_, M::Key, M::Row>,
        effects: &mut Effects,
    ) -> Outcome {
        self.1
            .time(|| self.0.step(now, shard, input, state, effects))
    }

    fn look_ahead(&self, record: &M::Record, keys: &mut Vec<M::Key>) {
        self.0.look_ahead(record, keys);
    }

    fn look_further(
        &self,
        record: &M::Record,
        state: &State<M::Key, M::Row>,
        keys: &mut Vec<M::Key>,
    ) {
        self.0.look_further(record, state, keys);
    }

    fn next_due(&self, state: &Overlay<'_, M::Key, M::Row>) -> Option<Time> {
        self.0.next_due(state)
    }
}
