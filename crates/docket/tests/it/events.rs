//! What outsiders are told of events: the documents are what the code says, and hold for every golden event.

use std::fs;
use std::process::Command;

use crate::running::{docket, python, root, said};

/// Documents and the commands that print them.
const DOCUMENTS: [(&str, &[&str]); 3] = [
    ("docs/events.md", &["events", "doc"]),
    ("docs/asyncapi.json", &["events", "asyncapi"]),
    ("docs/events.schema.json", &["events", "schemas"]),
];

/// What `docket` says at the top of the tree.
fn printed(arguments: &[&str]) -> String {
    let output = docket(&root()).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_documents_are_what_the_code_says() {
    for (document, command) in DOCUMENTS {
        let (file, expected) = (root().join(document), printed(command));
        if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
            fs::write(&file, &expected).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == expected, "{document} is out of date; UPDATE_EXPECT=1 writes it");
    }
}

/// Proves part of: X2
#[test]
fn every_golden_event_is_of_its_published_form() {
    let Some(python) = python() else { return };
    let files = ["docs/events.schema.json", "docs/asyncapi.json", "tests/golden/events"].map(|file| root().join(file));
    let output = Command::new(python).arg(root().join("tests/peers/events/validate.py")).args(files).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).trim().parse::<usize>().unwrap() > 40, "{}", said(&output));
}

#[test]
fn a_real_server_takes_the_accounts_of_the_sample() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("accounts.conf");
    fs::write(&file, printed(&["events", "accounts", "deploy/events/outsiders.yaml"])).unwrap();
    let server = python.with_file_name("nats-server");
    let output = Command::new(server).arg("-t").arg("-c").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_mistake_in_the_file_of_outsiders_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("outsiders.yaml");
    fs::write(&file, "internal: {user: docket, password: plain}\n").unwrap();
    let output = docket(dir.path()).args(["events", "accounts"]).arg(&file).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(said(&output).contains("outsiders.yaml: 1:"), "{}", said(&output));
}
