//! A real schema registry for layer 5.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{environment, http::Http, stage::role::free_address, wait};

/// Apicurio on loopback, started by `deploy/dev/registry/registry`. It ends when this is dropped, or with this process.
#[derive(Debug)]
pub struct Registry {
    /// Where its API begins.
    pub url: String,
    child: Child,
}

/// The first start fetches it.
const STARTED_WITHIN: Duration = Duration::from_secs(540);

/// A registry of this test's own, or none, said aloud: `kafka` in `POLKU_REQUIRE` makes that a failure.
///
/// # Panics
/// When it is required and cannot be had.
pub fn or_skip() -> Option<Registry> {
    let mut registry = Registry::start();
    let http = Http::default();
    let subjects = format!("{}/subjects", registry.url);
    let is_there = wait::until("the schema registry starts", STARTED_WITHIN, || {
        let ended = registry.child.try_wait().expect("a child can be asked");
        if ended.is_some() {
            return Some(false);
        }
        let answer = http.get(&subjects, None).ok()?;
        (answer.status == 200).then_some(true)
    });
    if is_there {
        return Some(registry);
    }
    let required = environment("POLKU_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|part| part == "kafka"),
        "a schema registry is required and did not start"
    );
    eprintln!("not run: there is no schema registry");
    None
}

impl Registry {
    fn start() -> Registry {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../deploy/dev/registry/registry"
        );
        let address = free_address();
        let child = Command::new(script)
            .arg(address.port().to_string())
            .arg(std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the script runs");
        Registry {
            url: format!("http://{address}/apis/ccompat/v7"),
            child,
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // The script became the registry's own process. It may have ended already, and then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
