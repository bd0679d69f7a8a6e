//! Arrows between crates point one way only.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which of our crates each crate may depend on; the order is the order of the layers.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("service", &[]),
    ("machine", &["event"]),
    ("identifier", &["event"]),
    ("wire", &["event"]),
    ("calendar", &["event"]),
    ("unifier", &["event", "machine", "calendar"]),
    ("alerter", &["event", "machine", "calendar"]),
    ("stream", &["event", "machine", "service"]),
    (
        "ingest",
        &["event", "identifier", "wire", "stream", "service"],
    ),
    ("ingest-store", &["event", "ingest"]),
    ("ingest-call-centre", &["event", "ingest"]),
    ("ingest-web", &["event", "ingest"]),
    ("ingest-subcontractor", &["event", "ingest"]),
    ("notify", &["event", "wire", "stream", "service"]),
    (
        "serve",
        &[
            "event",
            "machine",
            "calendar",
            "identifier",
            "unifier",
            "wire",
            "stream",
            "service",
            "ingest",
        ],
    ),
];

/// These may depend on all of ours, and none of ours on them.
const TOPMOST: &[&str] = &["polku", "tests", "bench"];

/// Who alone may use a foreign crate.
const ONLY_UNDER: &[(&str, &str)] = &[
    ("rdkafka", "stream"),
    ("redb", "stream"),
    ("apache-avro", "wire"),
];

#[test]
fn arrows_between_crates_point_one_way_only() {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata answers");
    let ours: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let allowed: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    let mut faults = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let normal = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        for dependency in normal {
            let used = dependency.name.as_str();
            if ONLY_UNDER
                .iter()
                .any(|(foreign, only)| *foreign == used && *only != name)
            {
                faults.push(format!("{name} uses {used}"));
            }
            if !ours.contains(used) || TOPMOST.contains(&name) {
                continue;
            }
            if TOPMOST.contains(&used) || !allowed.get(name).is_some_and(|may| may.contains(&used))
            {
                faults.push(format!("{name} depends on {used}"));
            }
        }
        if !TOPMOST.contains(&name) && !allowed.contains_key(name) {
            faults.push(format!("{name} has no place in the layers"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn pure_crates_reach_neither_network_nor_clock_nor_randomness() {
    let metadata = MetadataCommand::new()
        .exec()
        .expect("cargo metadata answers");
    let resolve = metadata
        .resolve
        .as_ref()
        .expect("the dependencies are resolved");
    let forbidden = [
        "tokio",
        "rand",
        "rdkafka",
        "redb",
        "tracing",
        "prometheus",
        "axum",
        "mio",
        "socket2",
    ];
    let mut faults = Vec::new();
    for pure in ["event", "machine", "calendar", "unifier", "alerter"] {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name.as_str() == pure)
            .expect("the pure crates exist");
        let mut seen = BTreeSet::new();
        let mut left = vec![package.id.clone()];
        while let Some(id) = left.pop() {
            let node = resolve
                .nodes
                .iter()
                .find(|node| node.id == id)
                .expect("every package has a node");
            for dependency in &node.deps {
                let is_normal = dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal);
                if is_normal && seen.insert(dependency.pkg.clone()) {
                    let name = &metadata[&dependency.pkg].name;
                    if forbidden.contains(&name.as_str()) {
                        faults.push(format!("{pure} reaches {name}"));
                    }
                    left.push(dependency.pkg.clone());
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
