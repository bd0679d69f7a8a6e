//! What a loop does before it goes on where another stopped: it reads the rows of its state back, and takes nothing again that was
//! committed.

use std::sync::Arc;

use alerter::cases::Cases;
use anyhow::ensure;
use event::Time;
use machine::Machine;
use polku::binding;
use prometheus::Registry;
use stream::{
    Binding, Metrics, Options, Runner, SharedLog,
    run::{Clock, Turn},
    simulated::Simulated,
};
use unifier::{identify::Identify, unify::Unify};

use crate::{
    company::Company,
    meter::Meter,
    sample::{Figure, Sample},
    whole,
    workload::Workload,
};

pub(crate) fn measure(
    company: &Company,
    workload: &Workload,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let memory = Simulated::new(1);
    memory.set_time(Time::from_millis(service::clock::now_ms()));
    let log: SharedLog = Arc::new(memory);
    let partitions = company.partitions();
    // One event in a hundred comes after the loops ended.
    let tail = (workload.records.len() / 100).max(1);
    let (most, last) = workload.records.split_at(workload.records.len() - tail);
    company.prepare(log.as_ref(), partitions)?;
    whole::append(log.as_ref(), most, partitions)?;

    let mut loops = Loops::new(&log, partitions)?;
    let whole = Meter::start();
    loops.rest()?;
    let whole = whole.stop();
    let (rows, taken) = (loops.rows(), loops.inputs());
    drop(loops);

    let mut loops = Loops::new(&log, partitions)?;
    let restore = Meter::start();
    loops.restore()?;
    let spent = restore.stop();
    let (restored, again) = (loops.rows(), loops.inputs());
    ensure!(
        restored == rows && again == 0,
        "{restored} of {rows} rows came back, and {again} inputs were taken again"
    );
    whole::append(log.as_ref(), last, partitions)?;
    loops.rest()?;
    let note = format!(
        "A restart after {taken} inputs, which took {:.1} s of CPU, read {rows} rows back in {:.2} s of CPU and took none of the inputs again; \
         {tail} events that had come meanwhile were {} inputs.",
        whole.cpu.as_secs_f64(),
        spent.cpu.as_secs_f64(),
        loops.inputs(),
    );
    let sample = Sample {
        count: rows as u64,
        spent,
        notes: vec![note],
        ..Sample::default()
    };
    Ok(vec![(Figure::Restart, sample)])
}

/// The loops of all machines, one turn after the other.
struct Loops {
    unify: Runner<Unify>,
    identify: Runner<Identify>,
    cases: Runner<Cases>,
    meter: Meter,
}

impl Loops {
    fn new(log: &SharedLog, partitions: u32) -> anyhow::Result<Loops> {
        let metrics = Metrics::new(&Registry::new())?;
        let start = Start {
            log,
            metrics,
            partitions,
        };
        Ok(Loops {
            unify: start.machine(Unify::new(), binding::unify()),
            identify: start.machine(Identify::new(partitions), binding::identify()),
            cases: start.machine(Cases::new(), binding::cases()),
            meter: Meter::start(),
        })
    }

    fn turn(&mut self) -> anyhow::Result<[Turn; 3]> {
        let clock = Clock {
            now: Time::from_millis(service::clock::now_ms()),
            monotonic: self.meter.elapsed(),
        };
        Ok([
            self.unify.turn(clock)?,
            self.identify.turn(clock)?,
            self.cases.turn(clock)?,
        ])
    }

    /// Until all state is read back, and not further.
    fn restore(&mut self) -> anyhow::Result<()> {
        let ready = [
            self.unify.ready(),
            self.identify.ready(),
            self.cases.ready(),
        ];
        let all = |ready: &[Arc<std::sync::atomic::AtomicBool>]| {
            ready
                .iter()
                .all(|it| it.load(std::sync::atomic::Ordering::Relaxed))
        };
        while !all(&ready) {
            self.turn()?;
        }
        Ok(())
    }

    /// Until nothing is left to do.
    fn rest(&mut self) -> anyhow::Result<()> {
        self.restore()?;
        let mut idle = 0;
        while idle < IDLE_TURNS {
            let turns = self.turn()?;
            idle = if turns == [Turn::Idle; 3] {
                idle + 1
            } else {
                0
            };
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        fn of<M: Machine>(runner: &Runner<M>) -> usize {
            runner.states().map(|(_, state)| state.len()).sum()
        }
        of(&self.unify) + of(&self.identify) + of(&self.cases)
    }

    fn inputs(&self) -> u64 {
        let stats = [
            self.unify.stats(),
            self.identify.stats(),
            self.cases.stats(),
        ];
        stats.iter().map(|stats| stats.tally.inputs).sum()
    }
}

/// What is idle so often has nothing to wait for.
const IDLE_TURNS: u32 = 3;

struct Start<'s> {
    log: &'s SharedLog,
    metrics: Metrics,
    partitions: u32,
}

impl Start<'_> {
    fn machine<M: Machine>(&self, machine: M, binding: Binding<M>) -> Runner<M> {
        let options = Options {
            poll_wait: std::time::Duration::ZERO,
            ..Options::new(self.partitions)
        };
        Runner::new(
            machine,
            binding,
            Arc::clone(self.log),
            options,
            &self.metrics,
        )
    }
}
