//! Every script under `tests/scenarios` shows what its golden file says. `UPDATE_GOLDEN=1` writes the golden files; a commit that
//! changes one says why.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::{self, ScopedJoinHandle},
};

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

/// So many are played beside each other: they wait for quiet streams more than they work.
const BESIDE: usize = 4;

#[test]
fn every_scenario_shows_what_its_golden_file_says() {
    let scripts = scripts();
    assert!(scripts.len() >= 10, "scenarios are missing");
    let wrong: Vec<String> = thread::scope(|scope| {
        let played: Vec<_> = (0..BESIDE)
            .map(|first| {
                let some = scripts.iter().skip(first).step_by(BESIDE);
                scope.spawn(|| some.filter_map(|path| wrong(path)).collect::<Vec<_>>())
            })
            .collect();
        let finished = played.into_iter().map(ScopedJoinHandle::join);
        finished
            .flat_map(|wrong| wrong.expect("each script can be played"))
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a script shows, if it is not what its golden file says.
fn wrong(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).expect("the script is readable");
    let script = Script::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let start = script.starts().unwrap_or(Time::from_millis(0));
    let shown = play(&script, &mut VirtualTime::new(start));
    let golden = path.with_extension("golden");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &shown).expect("the golden file is writable");
        return None;
    }
    let expected = fs::read_to_string(&golden).ok();
    (expected.as_deref() != Some(&shown)).then(|| format!("{} shows:\n{shown}", path.display()))
}
