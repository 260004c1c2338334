//! Holds the direction of dependencies (ARCHITECTURE.md): what each crate must never see.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each crate of the workspace must never see, directly or through others of the workspace.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "postbell-model",
        &[
            "tokio",
            "axum",
            "rusqlite",
            "tokio-postgres",
            "reqwest",
            "postbell-store",
        ],
    ),
    (
        "postbell-store",
        &[
            "axum",
            "rusqlite",
            "tokio-postgres",
            "postbell-engine",
            "postbell-hub",
        ],
    ),
    (
        "postbell-store-sqlite",
        &[
            "axum",
            "tokio-postgres",
            "postbell-engine",
            "postbell-hub",
            "postbell-server",
        ],
    ),
    (
        "postbell-hub",
        &[
            "axum",
            "rusqlite",
            "tokio-postgres",
            "postbell-store",
            "postbell-engine",
        ],
    ),
    (
        "postbell-engine",
        &[
            "axum",
            "rusqlite",
            "tokio-postgres",
            "async-nats",
            "postbell-store-sqlite",
            "postbell-server",
        ],
    ),
    (
        "postbell-server",
        &[
            "rusqlite",
            "tokio-postgres",
            "async-nats",
            "postbell-store-sqlite",
        ],
    ),
    (
        "postbell-client",
        &[
            "axum",
            "rusqlite",
            "postbell-engine",
            "postbell-server",
            "postbell-store",
        ],
    ),
];

#[test]
fn no_crate_sees_what_it_must_never_see() {
    let dependencies = dependencies();
    for (name, forbidden) in FORBIDDEN {
        let seen = reachable(&dependencies, name);
        assert!(seen.contains(*name), "{name} is not in the workspace");
        for other in *forbidden {
            assert!(!seen.contains(*other), "{name} must never see {other}");
        }
    }
}

#[test]
fn only_the_binary_the_test_kit_and_the_bench_know_a_backend() {
    for (name, seen) in dependencies() {
        let may = ["postbell", "postbell-testkit", "postbell-bench"].contains(&name.as_str());
        assert!(
            may || !seen.contains("postbell-store-sqlite"),
            "{name} must not know a backend"
        );
    }
}

#[test]
fn only_the_store_knows_a_database_driver() {
    for (name, seen) in dependencies() {
        let may = ["postbell-store-sqlite", "postbell-bench"].contains(&name.as_str());
        assert!(
            may || !seen.contains("rusqlite"),
            "{name} must not know a database driver"
        );
    }
}

/// What each crate of the workspace depends on, development aside.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let normal = dependencies.filter(|dependency| dependency["kind"] != "dev");
            (
                text(&package["name"]),
                normal.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

/// A crate with all that it sees through others of the workspace.
fn reachable(dependencies: &BTreeMap<String, BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        if seen.insert(next.clone()) {
            open.extend(dependencies.get(&next).into_iter().flatten().cloned());
        }
    }
    seen
}
