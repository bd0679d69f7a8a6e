//! Compares the present schemas with every released version of them, and says what would break. Another folder than the
//! project's may be named.

use std::{path::PathBuf, process::ExitCode};

use wire::release::{self, FolderError};

fn main() -> Result<ExitCode, FolderError> {
    let folder = std::env::args_os().nth(1).map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas"),
        PathBuf::from,
    );
    let comparisons = release::compare(&folder)?;
    let mut faults = 0;
    for comparison in &comparisons {
        let (version, file) = (&comparison.version, &comparison.file);
        if comparison.faults.is_empty() {
            println!("{version} {file}: reads and is read");
        }
        for fault in &comparison.faults {
            println!("{version} {file}: REFUSED: {fault}");
            faults += 1;
        }
    }
    println!("{} schemas compared, {faults} faults", comparisons.len());
    Ok(if faults == 0 && !comparisons.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
