//! The stored form of every event, pinned in `tests/golden/events`.
//!
//! `UPDATE_EXPECT=1` writes the files. Once `tests/golden/RELEASED` exists it only adds files and changes none: old
//! logs hold these bytes, and a new form needs a new schema version with its upcast.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ticket::{Event, codec, upcast};

use super::examples;

const EVENTS: &str = "tests/golden/events";
/// Says that logs of this form are in other people's hands.
pub(super) const RELEASED: &str = "tests/golden/RELEASED";

/// Every example with the name of its file.
fn named() -> BTreeMap<String, Event> {
    let full = examples::full();
    let minimal = full.iter().filter_map(examples::minimal).map(|event| (".minimal", event)).collect::<Vec<_>>();
    let all = full.into_iter().map(|event| ("", event)).chain(minimal);
    all.map(|(suffix, event)| (format!("{}{suffix}.json", codec::encode(&event).unwrap().0), event)).collect()
}

/// What is before an event's body in its file.
fn head(kind: &str, schema: u32) -> String {
    format!("{{\"kind\":\"{kind}\",\"schema\":{schema},\"body\":")
}

fn golden(event: &Event) -> String {
    let (kind, body) = codec::encode(event).unwrap();
    format!("{}{}}}\n", head(&kind, upcast::SCHEMA), String::from_utf8(body).unwrap())
}

/// Body, kind and schema of a golden file.
fn parts(text: &str) -> (String, u32, &str) {
    let value: serde_json::Value = serde_json::from_str(text).expect("a golden file is JSON");
    let kind = value["kind"].as_str().expect("a kind").to_owned();
    let schema = value["schema"].as_u64().and_then(|schema| schema.try_into().ok()).expect("a schema");
    let body = text.strip_prefix(&head(&kind, schema)).and_then(|rest| rest.strip_suffix("}\n")).expect("a body");
    (kind, schema, body)
}

/// Writes what is missing; what is there only as long as no log of this form is in anybody's hands.
fn write(directory: &Path, file: &str, text: &str, released: bool) {
    let path = directory.join(file);
    if !(released && path.exists()) {
        fs::write(path, text).unwrap();
    }
}

#[test]
fn every_kind_has_an_example() {
    let shown: BTreeSet<_> = examples::full().iter().map(|event| codec::encode(event).unwrap().0).collect();
    let known: BTreeSet<_> = codec::KINDS.keys().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(shown, known);
}

/// Proves part of: I20
#[test]
fn every_event_is_stored_as_ever() {
    let examples = named();
    if tests::updating() {
        let released = tests::path(RELEASED).exists();
        for (file, event) in &examples {
            write(&tests::path(EVENTS), file, &golden(event), released);
        }
    }
    for (file, event) in &examples {
        let kept = fs::read_to_string(tests::path(EVENTS).join(file));
        let kept = kept.unwrap_or_else(|error| panic!("{EVENTS}/{file}: {error}; UPDATE_EXPECT=1 writes it"));
        assert_eq!(kept, golden(event), "{EVENTS}/{file}: the stored form changed");
        let (kind, schema, body) = parts(&kept);
        assert_eq!(&codec::decode(&kind, schema, body.as_bytes()).unwrap(), event, "{EVENTS}/{file}");
    }
}

#[test]
fn no_golden_file_is_left_over() {
    let files = fs::read_dir(tests::path(EVENTS)).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(files, named().into_keys().collect());
}

#[test]
fn a_released_form_is_never_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let kept = |file| fs::read_to_string(directory.path().join(file)).unwrap();
    write(directory.path(), "A.json", "draft", false);
    write(directory.path(), "A.json", "first", false);
    write(directory.path(), "A.json", "second", true);
    write(directory.path(), "B.json", "first", true);
    assert_eq!((kept("A.json"), kept("B.json")), ("first".into(), "first".into()));
}
