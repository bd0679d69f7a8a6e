//! The canary comes through a chain that works, counts in no figure, and tells which step a broken one does not reach.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use serde_json::json;
use tests::{
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    wait,
};

const BOUND: Duration = Duration::from_secs(90);

/// Polku with a canary that speaks as the archive does; `more` is said of it.
fn start(more: &str) -> (Process, Company, tempfile::TempDir) {
    let keys = tempfile::tempdir().expect("a temporary directory");
    let file = keys.path().join("canary.key");
    let company = Company::new(&format!(
        "log = {{ kind = \"embedded\", partitions = 2 }}\n\
         canary = {{ source = \"archive\", key_file = \"{}\", every = \"1s\", within = \"20s\" {more} }}",
        file.display()
    ));
    fs::write(&file, &company.keys.sources["archive"]).expect("the key is writable");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the key is closed");
    let mut dev = Process::start(&company, Role::Dev, role::free_address());
    dev.await_ready(&Http::default(), BOUND);
    (dev, company, keys)
}

/// The value of a series, once it has one.
fn series(dev: &Process, name: &str) -> Option<f64> {
    let answer = Http::default().get(&format!("{}/metrics", dev.url()), None);
    let text = answer.ok()?.body.as_str()?.to_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

fn runs(dev: &Process, outcome: &str) -> f64 {
    let name = format!("polku_canary_runs_total{{outcome=\"{outcome}\"}}");
    series(dev, &name).unwrap_or_default()
}

#[test]
fn a_canary_comes_through_again_and_again_and_counts_in_no_figure() {
    let (dev, _company, _keys) = start("");
    // The second finds the first one's case resolved, and opens it again.
    wait::until("three canaries have come through", BOUND, || {
        (runs(&dev, "ok") >= 3.0).then_some(())
    });
    for step in ["door", "timeline", "case", "notice", "answer"] {
        assert_eq!(runs(&dev, step), 0.0, "none is lost before the {step}");
        let name = format!("polku_canary_step_seconds{{step=\"{step}\"}}");
        assert!(series(&dev, &name).is_some_and(|seconds| seconds > 0.0));
    }
    let counts = Http::default()
        .get(&format!("{}/v1/counts", dev.url()), None)
        .expect("the counts are public on loopback")
        .body;
    assert_eq!(counts["customers"], 0, "{counts}");
    assert_eq!(
        counts["cases"],
        json!({ "open": 0, "acknowledged": 0, "resolved": 0, "closed": 0, "dormant": 0 })
    );
}

#[test]
fn a_lost_canary_names_the_step_that_it_did_not_reach() {
    let nobody = role::free_address();
    let (dev, _company, _keys) = start(&format!(", url = \"http://{nobody}\""));
    wait::until("two canaries were lost at the door", BOUND, || {
        (runs(&dev, "door") >= 2.0).then_some(())
    });
    assert_eq!(runs(&dev, "ok"), 0.0);
    assert_eq!(
        series(&dev, "polku_canary_success_timestamp_seconds"),
        Some(0.0)
    );
}
