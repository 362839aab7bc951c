//! The chapter on calendars in `docs/sla.md`: its documents are accepted, its tables are true, its lines are run.

use std::process::Command;

use calendar::{Calendar, Micros};
use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::Value;
use sla_monitor::policy::Policy;
use sla_monitor::target::Target;

use crate::running::root;

fn page() -> String {
    let page = std::fs::read_to_string(root().join("docs/sla.md")).unwrap();
    page.split_once("\n## Clocks and escalation\n").unwrap().0.to_owned()
}

/// The blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page().split(&fence).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// The documents of the page: kind, name and spec.
fn documents() -> Vec<(String, Value)> {
    let texts = blocks("yaml");
    let documents = texts.iter().flat_map(|text| ticket::yaml::parse(text).unwrap());
    documents.map(|document| (format!("{}/{}", document.kind, document.name), document.spec)).collect()
}

fn spec(named: &str) -> Value {
    documents().into_iter().find(|(name, _)| name == named).unwrap().1
}

/// Proves part of: L2
#[test]
fn the_documents_of_the_page_are_accepted() {
    for (name, spec) in documents() {
        match name.split_once('/').unwrap().0 {
            "Calendar" => drop(Calendar::read(spec).unwrap()),
            "SlaPolicy" => drop(Policy::read(&spec).unwrap()),
            "Queue" => drop(intake::queue::Queue::read(&spec).unwrap()),
            "TicketType" => drop(intake::template::TicketType::read(&spec).unwrap()),
            other => panic!("{other} is checked nowhere"),
        }
    }
}

/// Proves part of: L2
#[test]
fn the_tables_of_the_page_are_true() {
    let calendar = Calendar::read(spec("Calendar/sla-desk")).unwrap();
    let zone = TimeZone::get(calendar.zone()).unwrap();
    let at = |local: &str| -> Micros {
        let local: DateTime = local.replace(' ', "T").parse().unwrap();
        local.to_zoned(zone.clone()).unwrap().timestamp().as_microsecond()
    };
    let page = page();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| 20"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 15);
    for row in rows {
        let [from, target, due] = row[..] else { panic!("{row:?}") };
        let clocks = serde_json::json!({"calendar": "x", "clocks": {"a": {"target": target}}});
        let Target::Same(budget) = Policy::read(&clocks).unwrap().clocks.remove(0).target else { panic!("{target}") };
        let found = calendar.deadline(at(from), budget.micros(&calendar, at(from)));
        assert_eq!(found, Some(at(due)), "{row:?}");
    }
}

/// Proves part of: L2
#[test]
fn the_import_of_the_page_prints_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_docket")).parent().unwrap();
    let path = std::env::join_paths(
        [programs.into()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    for line in blocks("sh") {
        let ran = Command::new("bash")
            .args(["-ec", &line])
            .env("DIR", dir.path())
            .env("PATH", path.as_ref().unwrap())
            .output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert!(blocks("yaml").contains(&printed), "{printed}");
    }
    let refused = Command::new(env!("CARGO_BIN_EXE_docket"))
        .args(["calendar", "import", "--zone", "Mars/Base", "--from", "2026-01-01", "--until", "2026-12-31"])
        .args(["--opening-hours", "Mo-Fr 08:00-sunset; SH off"])
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{said}");
    for path in ["/zone", "/opening_hours/rules/0", "/opening_hours/rules/1"] {
        assert!(said.contains(path), "{said}");
    }
}
