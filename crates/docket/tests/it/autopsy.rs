//! Autopsies beside a program that knows nothing of Docket: the same promises missed, for the same causes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use serde_json::json;

use crate::running::{docket, python, root, said};

/// The rules, each with its class, as the page has them.
const RULES: [(&str, &str); 11] = [
    ("no_owner", "system"),
    ("nobody_told", "system"),
    ("unstaffed", "system"),
    ("outside_hours", "system"),
    ("reopened", "process"),
    ("ping_pong", "process"),
    ("hand_overs", "process"),
    ("queued", "process"),
    ("did_not_act", "person"),
    ("stopped_acting", "person"),
    ("stuck", "process"),
];
const STEPS: [(&str, &str); 8] = [
    ("queue", "open"),
    ("assign", "open"),
    ("accept", "in_progress"),
    ("work", "in_progress"),
    ("wait", "waiting"),
    ("resume", "in_progress"),
    ("resolve", "resolved"),
    ("reopen", "in_progress"),
];

/// Tickets of every sort: with few hands or many, by day or by night, with robots and with nobody.
fn generated(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut lines = Vec::new();
    for ticket in 0..150 {
        let agents: &[&str] = match ticket % 5 {
            0 => &["", "?"],
            1 => &["Siebel", "ann"],
            2 => &["ann", "ann", "ann", "bob"],
            _ => &["ann", "bob", "cat", "Siebel", "?", ""],
        };
        let groups: &[&str] = match rng.u8(..4) {
            0 => &["", "?"],
            1 => &["quiet"],
            _ => &["desk", "field", ""],
        };
        let (night, steady) = (rng.u8(..6) == 0, rng.bool());
        let mut at = 1_710_000_000 + rng.i64(0..3_000_000);
        for seq in 0..rng.i64(1..14) {
            if night {
                at += 86_400 - at % 86_400 + 3_600 * rng.i64(19..23);
            }
            let (kind, state) = if seq == 0 { STEPS[0] } else { STEPS[rng.usize(if steady { 1..4 } else { 0..8 })] };
            let group = groups[rng.usize(..groups.len())];
            let quiet = group == "quiet" && rng.u8(..20) > 0;
            let agent = if quiet { "" } else { agents[rng.usize(..agents.len())] };
            let activity = if rng.u8(..12) == 0 { "Accepted/In Progress" } else { "Handled" };
            let ts = jiff::Timestamp::from_second(at).unwrap().to_string();
            lines.push(json!({
                "log": "made", "ticket": format!("t{ticket}"), "seq": seq, "ts": ts, "activity": activity, "kind": kind,
                "state": state, "agent": agent, "group": group, "priority": "", "product": "", "customer": "",
            }));
            at += rng.i64(0..if steady { 30_000 } else { 400_000 });
        }
    }
    lines.into_iter().map(|line| line.to_string()).collect::<Vec<_>>().join("\n")
}

/// Ticket and clock with instant, class, rule and holder.
type Causes = BTreeMap<(String, String), [String; 4]>;

fn causes(csv: &str, at: impl Fn(&str) -> String) -> Causes {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    let row = |row: csv::StringRecord| {
        let cell = |n: usize| row[n].to_owned();
        ((cell(0), cell(1)), [at(&row[2]), cell(3), cell(4), cell(5)])
    };
    rows.map(row).collect()
}

/// The causes Docket finds, held against those of the other program.
fn compared(python: &Path, log: &Path) -> Causes {
    let folder = tempfile::tempdir().unwrap();
    let (csv, json) = (folder.path().join("causes.csv"), folder.path().join("causes.json"));
    let ours = docket(folder.path()).arg("autopsy").arg(log).arg("--csv").arg(&csv).arg("--json").arg(&json).output();
    let ours = ours.unwrap();
    assert!(ours.status.success(), "{}", said(&ours));
    let theirs = Command::new(python).arg(root().join("tests/peers/autopsy/causes.py")).arg(log).output().unwrap();
    assert!(theirs.status.success(), "{}", said(&theirs));
    let instant = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond().to_string();
    let found = causes(&std::fs::read_to_string(csv).unwrap(), instant);
    let theirs = causes(&String::from_utf8(theirs.stdout).unwrap(), str::to_owned);
    let differing: Vec<_> =
        theirs.iter().filter(|(key, cause)| found.get(*key) != Some(cause)).map(|(key, _)| key).take(5).collect();
    let first = differing.first().map(|key| (found.get(*key), theirs.get(*key)));
    assert_eq!(found.len(), theirs.len(), "{differing:?} {first:?}");
    assert!(differing.is_empty(), "{differing:?}: {first:?}");
    summed(&std::fs::read_to_string(json).unwrap(), &found);
    found
}

/// The sums are those of the causes, each rule of its class alone.
fn summed(json: &str, found: &Causes) {
    let told: serde_json::Value = serde_json::from_str(json).unwrap();
    let mut sums = BTreeMap::<[&str; 3], u64>::new();
    for ((_, clock), [_, class, rule, _]) in found {
        assert!(RULES.contains(&(rule.as_str(), class.as_str())), "{rule} is of {class}");
        *sums.entry([clock, class, rule]).or_default() += 1;
    }
    for ([clock, class, rule], count) in &sums {
        assert_eq!(told["clocks"][clock][class][rule], *count, "{clock} {rule}");
    }
    assert_eq!(told["promises_missed"], found.len());
    let woken = told["missed"].as_array().unwrap().iter().map(|one| one["woken"].as_array().unwrap());
    for woken in woken {
        assert_eq!(woken.last().unwrap()["share_bp"], 10_000, "the breach itself is the last");
    }
}

/// Proves part of: L9, A5
#[test]
fn generated_logs_have_the_causes_another_program_finds() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut reached = BTreeMap::<String, usize>::new();
    for seed in 0..6 {
        let log = folder.path().join(format!("{seed}.jsonl"));
        std::fs::write(&log, generated(seed)).unwrap();
        for [_, _, rule, _] in compared(&python, &log).into_values() {
            *reached.entry(rule).or_default() += 1;
        }
    }
    for (rule, _) in RULES {
        assert!(reached.contains_key(rule), "{rule} never decided: {reached:?}");
    }
}

/// Proves part of: L9, A5
#[test]
fn real_logs_have_the_causes_another_program_finds() {
    let Some(python) = python() else { return };
    for log in ["helpdesk", "problems"] {
        let Some(file) = real(log) else { continue };
        let found = compared(&python, &file);
        assert!(found.len() > 500, "{log}: {}", found.len());
    }
}

/// A real log; none (and said so) where it is not at hand, which CI does not allow.
fn real(log: &str) -> Option<PathBuf> {
    let file = root().join("../shared/data").join(log).join("events.jsonl.gz");
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var_os("CI").is_none(), "{} must be there", file.display());
    eprintln!("SKIPPED: {} is not there", file.display());
    None
}

/// The table of the page names every rule with its class.
#[test]
fn the_page_has_every_rule() {
    let page = std::fs::read_to_string(root().join("docs/sla.md")).unwrap();
    let (_, chapter) = page.split_once("### Tickets that were missed").unwrap();
    let rows = chapter.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        (cells.next().unwrap().trim_matches('`').to_owned(), cells.next().unwrap().to_owned())
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows, RULES.map(|(rule, class)| (rule.to_owned(), class.to_owned())));
}
