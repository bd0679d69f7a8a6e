//! Every script under `tests/scenarios` shows what its golden file says. `UPDATE_GOLDEN=1` writes the golden files; a commit that
//! changes one says why.

use std::{fs, path::PathBuf};

use event::Time;
use tests::{
    scenario::{Script, play},
    stage::virtual_time::VirtualTime,
};

pub(crate) fn scripts() -> Vec<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .expect("there are scenarios")
        .map(|entry| entry.expect("the directory is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_scenario_shows_what_its_golden_file_says() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 10, "scenarios are missing");
    let mut wrong = Vec::new();
    for path in scripts {
        let text = fs::read_to_string(&path).expect("the script is readable");
        let script =
            Script::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let start = script.starts().unwrap_or(Time::from_millis(0));
        let shown = play(&script, &mut VirtualTime::new(start));
        let golden = path.with_extension("golden");
        if update {
            fs::write(&golden, &shown).expect("the golden file is writable");
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(&shown) {
            wrong.push(format!("{} shows:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
