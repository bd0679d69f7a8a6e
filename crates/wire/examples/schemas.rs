//! Compares the present schemas with every released version of them, and says what would break.

use std::{path::Path, process::ExitCode};

use wire::compatibility::{self, FolderError};

fn main() -> Result<ExitCode, FolderError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let comparisons = compatibility::releases(&folder)?;
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
