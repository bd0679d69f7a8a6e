//! Clients that share no code with Polku: `tests/python`, run with `PyPI` confluent-kafka and fastavro.

use std::{path::Path, process::Command};

use crate::{environment, stage::processes::Processes};

/// Runs a script over the topics of the processes; what it prints.
///
/// # Panics
/// When it fails.
pub fn run(script: &str, processes: &Processes, arguments: &[&str]) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // `tests/layers` names an interpreter that has the packages.
    let python = environment("POLKU_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let output = Command::new(python)
        .arg(here.join("python").join(script))
        .args([processes.bootstrap(), processes.namespace()])
        .args(arguments)
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Where the schemas lie that Polku publishes.
pub const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas");
