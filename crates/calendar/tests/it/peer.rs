//! More than twenty thousand questions answered by six libraries that know nothing of ours, each asked in its own words:
//! `tests/peers/calendar` says what each means by worked time, by a deadline and by the n-th working day, which of our
//! questions that is, and where its answers are of no use. There must be no difference.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use calendar::{Calendar, Micros, Spec};
use serde::Deserialize;

const SECOND_US: i64 = 1_000_000;

#[derive(Deserialize)]
struct Line {
    spec: Spec,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(clippy::enum_variant_names, reason = "each is what one question is about")]
enum Case {
    WorkedTime { from_secs: i64, to_secs: i64, worked_secs: i64 },
    DueTime { from_secs: i64, budget_secs: i64, due_secs: i64 },
    EndTime { from_secs: i64, days: u32, end_secs: i64, at_opening: bool },
}

/// Proves part of: L2
#[test]
fn it_agrees_with_businesstimedelta() {
    check(python("cases.py", &[]).as_ref(), 5_000);
}

/// Proves part of: L2
#[test]
fn it_agrees_with_numpy() {
    check(python("days.py", &["numpy"]).as_ref(), 5_000);
}

/// Proves part of: L2
#[test]
fn it_agrees_with_chinesecalendar() {
    check(python("days.py", &["chinesecalendar"]).as_ref(), 3_000);
}

/// Proves part of: L2
#[test]
fn it_agrees_with_holidays() {
    check(python("days.py", &["holidays"]).as_ref(), 2_400);
}

/// Proves part of: L2
#[test]
fn it_agrees_with_dayjs_business_time() {
    check(node("dayjs").as_ref(), 2_400);
}

/// Proves part of: L2
#[test]
fn it_agrees_with_moment_business_time() {
    check(node("moment").as_ref(), 2_400);
}

/// What a library answers; nothing where it is not installed.
fn python(program: &str, arguments: &[&str]) -> Option<String> {
    let python = env::var_os("DOCKET_PEERS_PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
    installed(&python).then(|| answer(Command::new(&python).arg(peers().join(program)).args(arguments)))
}

fn node(library: &str) -> Option<String> {
    let program = peers().join("hours.mjs");
    installed(&peers().join("node_modules")).then(|| answer(Command::new("node").arg(program).arg(library)))
}

fn answer(command: &mut Command) -> String {
    let asked = command.output().unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

fn installed(place: &Path) -> bool {
    if !place.exists() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "no peers at {}", place.display());
        eprintln!("SKIPPED: no peers at {}; `make setup` installs them", place.display());
    }
    place.exists()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn peers() -> PathBuf {
    root().join("tests/peers/calendar")
}

#[track_caller]
fn check(answers: Option<&String>, at_least: usize) {
    let Some(lines) = answers else { return };
    let checked: usize = lines.lines().map(|line| compare(&serde_json::from_str(line).unwrap())).sum();
    assert!(checked >= at_least, "{checked} cases only");
}

fn compare(line: &Line) -> usize {
    let calendar = Calendar::compile(&line.spec).unwrap();
    for case in &line.cases {
        let (ours, theirs) = asked(&calendar, case);
        assert_eq!(ours, Some(theirs * SECOND_US), "{case:?} of {:?}", line.spec);
    }
    line.cases.len()
}

/// Our answer, in microseconds, and theirs, in seconds.
fn asked(calendar: &Calendar, case: &Case) -> (Option<Micros>, i64) {
    match *case {
        Case::WorkedTime { from_secs, to_secs, worked_secs } => {
            (Some(calendar.worked(from_secs * SECOND_US, to_secs * SECOND_US)), worked_secs)
        }
        Case::DueTime { from_secs, budget_secs, due_secs } => {
            (calendar.deadline(from_secs * SECOND_US, budget_secs * SECOND_US), due_secs)
        }
        Case::EndTime { from_secs, days, end_secs, at_opening } => {
            let from = from_secs * SECOND_US;
            let from = if at_opening { calendar.next_open(from).unwrap() } else { from };
            (calendar.end_of_working_day(from, days), end_secs)
        }
    }
}
