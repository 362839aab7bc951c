//! Twenty thousand cases answered by the Python package businesstimedelta.
//!
//! The two differ in what they do with boundaries the clocks jump over or repeat, with holidays of 23 or 25 hours,
//! with a budget of nothing, and when asked from within an overnight shift; `tests/peers/calendar/cases.py` says how
//! and draws its cases beside these. All else must be equal to the second.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use calendar::{Calendar, Spec};
use serde::Deserialize;

const CALENDARS: usize = 400;
const CASES: usize = 50;
const SECOND_US: i64 = 1_000_000;

#[derive(Deserialize)]
struct Line {
    spec: Spec,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "units are named last")]
struct Case {
    from_secs: i64,
    to_secs: i64,
    worked_secs: i64,
    budget_secs: i64,
    deadline_secs: i64,
}

/// Proves part of: L2
#[test]
fn it_agrees_with_businesstimedelta() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = env::var_os("DOCKET_PEERS_PYTHON").map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
    if !python.exists() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "no Python with the peers at {}", python.display());
        eprintln!("SKIPPED: no Python with the peers at {}; `make test` installs it", python.display());
        return;
    }
    let asked = Command::new(python)
        .arg(root.join("tests/peers/calendar/cases.py"))
        .args(["--seed", "1", "--calendars", &CALENDARS.to_string(), "--cases", &CASES.to_string()])
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let lines = String::from_utf8(asked.stdout).unwrap();
    let checked: usize = lines.lines().map(|line| check(&serde_json::from_str(line).unwrap())).sum();
    assert_eq!(checked, CALENDARS * CASES);
}

fn check(line: &Line) -> usize {
    let calendar = Calendar::compile(&line.spec).unwrap();
    for case in &line.cases {
        let from = case.from_secs * SECOND_US;
        let worked_us = calendar.worked(from, case.to_secs * SECOND_US);
        let deadline = calendar.deadline(from, case.budget_secs * SECOND_US);
        let expected = (case.worked_secs * SECOND_US, Some(case.deadline_secs * SECOND_US));
        assert_eq!((worked_us, deadline), expected, "{case:?} of {:?}", line.spec);
    }
    line.cases.len()
}
