use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use event::topic::MachineName;

use super::{Broken, FAULTS, Fault};
use crate::{
    conformance::{Fixture, PROMISES, broken_promises, run},
    log::{Log as _, SharedLog},
    simulated::{Faults, Simulated},
};

struct Shelf {
    log: Mutex<Simulated>,
    fault: Option<Fault>,
    hidden_turns_max: u64,
}

impl Shelf {
    fn new(fault: Option<Fault>) -> Self {
        Self {
            log: Mutex::new(Simulated::new(0)),
            fault,
            hidden_turns_max: 0,
        }
    }

    fn log(&self) -> Simulated {
        self.log
            .lock()
            .expect("no test panics with it held")
            .clone()
    }

    fn open(&self) -> SharedLog {
        Arc::new(Broken::new(self.log(), self.fault))
    }
}

impl Fixture for Shelf {
    fn fresh(&self) -> SharedLog {
        let faults = Faults {
            hidden_turns_max: self.hidden_turns_max,
            ..Faults::default()
        };
        let log = Simulated::with_faults(7, faults);
        *self.log.lock().expect("no test panics with it held") = log;
        self.open()
    }

    fn restart(&self, log: SharedLog) -> SharedLog {
        drop(log);
        let log = self.log();
        log.restart();
        match self.fault {
            Some(Fault::ForgetsAtRestart) => {
                let specs = log.topics().expect("they can be listed");
                let empty = self.fresh();
                empty.create_topics(&specs).expect("there are none");
            }
            Some(Fault::ForgetsOffsetsAtRestart) => {
                for machine in MachineName::ALL {
                    log.forget_offsets(machine);
                }
            }
            _ => {}
        }
        self.open()
    }

    fn settle(&self) {
        self.log().advance(self.hidden_turns_max);
    }

    fn compact(&self) {
        self.log().compact();
    }

    fn expel(&self, machine: MachineName) {
        self.log().expel(machine);
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(50)
    }
}

#[test]
fn the_simulated_log_keeps_every_promise() {
    run(&Shelf::new(None));
}

#[test]
fn a_log_that_shows_each_partition_later_keeps_every_promise_too() {
    run(&Shelf {
        hidden_turns_max: 5,
        ..Shelf::new(None)
    });
}

#[test]
fn every_promise_catches_a_log_that_breaks_it() {
    let mut caught = BTreeSet::new();
    for (fault, promise) in FAULTS {
        let broken = broken_promises(&Shelf::new(Some(*fault)));
        assert!(
            broken.contains(&promise.name),
            "{fault:?} passes {}; it broke only {broken:?}",
            promise.name
        );
        // A log on which nothing works would be caught by every promise and prove none of them.
        assert!(
            3 * broken.len() < 2 * PROMISES.len(),
            "{fault:?} broke {broken:?}"
        );
        caught.insert(promise.name);
    }
    let mut missing: BTreeSet<_> = PROMISES.iter().map(|promise| promise.name).collect();
    missing.retain(|name| !caught.contains(name));
    assert!(missing.is_empty(), "no broken log is caught by {missing:?}");
}
