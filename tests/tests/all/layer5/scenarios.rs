//! Every scenario in which no time has to pass, on one set of processes.

use std::{fs, time::Duration};

use tests::{
    broker,
    scenario::{Script, play_towards},
    stage::processes::{Play, Processes},
};

use crate::scenarios::scripts;

/// How long a page may take to show what was told.
const BOUND: Duration = Duration::from_secs(30);

#[test]
fn every_scenario_on_processes_shows_what_its_golden_file_says() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let mut processes = Processes::start(broker);
    let (mut played, mut accepted) = (0, 0);
    let mut wrong = Vec::new();
    for path in scripts() {
        let text = fs::read_to_string(&path).expect("the script is readable");
        let script =
            Script::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if script.needs_the_clock() {
            continue;
        }
        played += 1;
        let golden =
            fs::read_to_string(path.with_extension("golden")).expect("there is a golden file");
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let mut stage = Play::new(&mut processes, name.expect("a plain name"), &mut accepted);
        let shown = play_towards(&golden, BOUND, &script, &mut stage);
        if shown != golden {
            wrong.push(format!("{} shows:\n{shown}", path.display()));
        }
    }
    assert!(played >= 9, "only {played} scenarios were played");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
