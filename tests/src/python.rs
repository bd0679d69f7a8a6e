//! Clients that share no code with Polku: `tests/python`, run with `PyPI` confluent-kafka and fastavro.

use std::{path::Path, process::Command};

use crate::{environment, stage::processes::Processes};

/// Runs a script over the topics of the processes; what it prints.
///
/// # Panics
/// When it fails.
pub fn run(script: &str, processes: &Processes, arguments: &[&str]) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(interpreter())
        .arg(here.join("python").join(script))
        .args([processes.bootstrap(), processes.namespace()])
        .args(arguments)
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// An interpreter that has the package, or none, said aloud: `python` in `POLKU_REQUIRE` makes that a failure.
///
/// # Panics
/// When it is required and cannot be had.
pub fn with_or_skip(package: &str) -> Option<String> {
    let python = interpreter();
    let tried = Command::new(&python)
        .args(["-c", &format!("import {package}")])
        .output();
    if tried.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let required = environment("POLKU_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|part| part == "python"),
        "{python} does not have the package {package}, which is required"
    );
    eprintln!("not run: {python} does not have the package {package}");
    None
}

/// `tests/layers` names one that has the packages.
fn interpreter() -> String {
    environment("POLKU_PYTHON").unwrap_or_else(|| "python3".to_owned())
}

/// Where the schemas lie that Polku publishes.
pub const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas");
