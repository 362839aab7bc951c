//! Real logs, and answers nobody here computed: no difference in any number, flag or instant.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;
use simulator::replay::{Options, Outcome, run};
use tempfile::TempDir;

use crate::{real, written};

fn unpacked(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(file).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn parsed(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Every difference between two JSON documents, numbers compared by value to four decimals.
fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let (ours, theirs) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                differences(&format!("{path}/{key}"), ours, theirs, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (ours, theirs)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}/{n}"), ours, theirs, found);
            }
        }
        (Value::Number(a), Value::Number(b)) if (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 0.000_05 => {}
        _ if ours == theirs => {}
        _ => found.push(format!("{path}: {ours} is not {theirs}")),
    }
}

fn check(outcome: &Outcome, folder: &Path) {
    let mut answers = parsed(&folder.join("answers.json"));
    answers.as_object_mut().unwrap().remove("crosscheck");
    let mut found = Vec::new();
    differences("", &serde_json::from_str(&outcome.json).unwrap(), &answers, &mut found);
    differences(
        "",
        &serde_json::from_str(&outcome.backlog_json).unwrap(),
        &parsed(&folder.join("backlog_daily.json")),
        &mut found,
    );
    assert!(found.is_empty(), "{} differences: {found:#?}", found.len());
    same_lines(&outcome.tickets_csv, &unpacked(&folder.join("tickets.csv.gz")));
    same_lines(&outcome.due_csv, &unpacked(&folder.join("due.csv.gz")));
}

fn same_lines(ours: &[u8], theirs: &[u8]) {
    let (ours, theirs) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
    let differing: Vec<_> = ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs).take(5).collect();
    assert!(ours == theirs, "{} and {} lines, such as {differing:#?}", ours.lines().count(), theirs.lines().count());
}

/// Proves part of: A2, A3, A4, L3, L4
#[test]
fn the_help_desk_has_no_difference() {
    let Some(folder) = real("helpdesk") else { return };
    let options = Options { file: folder.join("events.jsonl.gz"), ..Options::default() };
    let mut heard = Vec::new();
    let outcome = run(&options, &mut |done, all| heard.push((done, all))).unwrap();
    assert_eq!((outcome.rows, outcome.duplicates, outcome.refused.len()), (21_348, 0, 0));
    assert!(heard.is_sorted() && heard.last() == Some(&(21_348, 21_348)));
    check(&outcome, &folder);
}

/// Every third row again, everything back to front: neither may matter.
///
/// Proves part of: A2, L4
#[test]
fn the_problems_have_no_difference_in_whatever_order_they_come() {
    let Some(folder) = real("problems") else { return };
    let bytes = unpacked(&folder.join("events.jsonl.gz"));
    let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let again: Vec<_> = lines.iter().step_by(3).copied().collect();
    lines.reverse();
    lines.extend(&again);
    let folder_of_dirt = TempDir::new().unwrap();
    let options = Options { file: written(&folder_of_dirt, &lines), ..Options::default() };
    let outcome = run(&options, &mut |_, _| {}).unwrap();
    assert_eq!((outcome.rows, outcome.duplicates, outcome.refused.len()), (6_660, again.len(), 0));
    check(&outcome, &folder);
}
