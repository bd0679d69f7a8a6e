//! The one loop that runs every machine.
//!
//! A turn polls a bounded batch, steps the machine over the states, and commits outputs, rows and offsets in one transaction; if
//! that does not come about, the batch is undone in the states. `Runner` is stepped turn by turn and reads no clock, so that a
//! simulation can interleave many of them on one thread; `drive` and `spawn` step it by the real clocks.
//!
//! - S-1: nothing of a batch leaves it but by its commit.
//! - S-2: no batch begins over anything that is not committed.
//! - S-3: every commit names the next offset of every input of each partition it touches.
//! - S-4: every input of a committed batch ends in exactly one outcome.
//! - S-5: a timer fires only when everything that the log took up to its due time was stepped.
//! - S-7: of a partition that is taken over, what its opening input holds is committed before anything else is read.

mod batch;
mod binding;
mod clock;
mod drive;
mod error;
mod held;
mod horizon;
mod journal;
mod outbox;
mod recovery;
mod reject;
mod restore;
mod runner;
mod stats;
mod watchdog;

#[cfg(test)]
mod tests;

pub use self::{
    binding::{Binding, Decode, Encode, Options, Written},
    clock::Clock,
    drive::{drive, spawn},
    error::Error,
    journal::Spare,
    runner::{Runner, Turn},
    stats::{Stats, Tally},
};
