//! Polku joins what stores, call centres, the web and subcontractors see of a customer into one timeline, and routes what is
//! unresolved until it is solved.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use polku::{command::Cli, exit};
use service::logs;

/// State is many small rows that lie all over a large memory: this one asks for huge pages, in all threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logs::start(logs::Form::of_stderr());
    match cli.run() {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
