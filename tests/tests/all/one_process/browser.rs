//! The desk and the feedback form in a real browser: the scripts in `tests/browser`, at one Polku with the demo's company.

use std::{path::PathBuf, process::Command, time::Duration};

use tests::{
    environment,
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    turn,
};

const STARTED_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn people_do_their_work_at_the_desk_in_a_real_browser() {
    let Some(node) = Node::or_skip() else {
        return;
    };
    let _turn = turn::take();
    let company = Company::of_the_demo();
    let mut dev = Process::start(&company, Role::Dev, role::free_address());
    dev.await_ready(&Http::default(), STARTED_WITHIN);
    let output = node
        .command("run.cjs")
        .env("POLKU_URL", dev.url())
        .env("POLKU_KEYS", company.keys_file())
        .output()
        .expect("node runs");
    let seen = String::from_utf8_lossy(&output.stdout);
    println!("{seen}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Node with a browser to drive.
struct Node {
    modules: PathBuf,
    chromium: PathBuf,
}

impl Node {
    /// What `tests/layers` found, or none, said aloud: `browser` in `POLKU_REQUIRE` makes that a failure.
    fn or_skip() -> Option<Node> {
        let found = |name: &str| environment(name).map(PathBuf::from);
        let node = found("POLKU_NODE_MODULES").zip(found("POLKU_CHROMIUM"));
        if let Some((modules, chromium)) = node {
            return Some(Node { modules, chromium });
        }
        let required = environment("POLKU_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|part| part == "browser"),
            "POLKU_NODE_MODULES and POLKU_CHROMIUM are not set, and the browser is required"
        );
        eprintln!("browser not run: POLKU_NODE_MODULES and POLKU_CHROMIUM are not set");
        None
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("node");
        command
            .arg(script)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/browser"))
            .env("NODE_PATH", &self.modules)
            .env("POLKU_CHROMIUM", &self.chromium);
        command
    }
}
