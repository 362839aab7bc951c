//! Reports put in force.

use analytics::{Command, Refusal};
use serde_json::{Value, json};
use ticket::batch::{Draft, Library};

use crate::{acme, given, report_spec};

pub(crate) fn apply(name: &str, spec: Value) -> Command {
    Command::Apply(vec![Draft { kind: "Report".into(), name: name.into(), spec, reason: None }])
}

#[test]
fn a_report_comes_in_force_once() {
    let mut given = given();
    assert!(given.silent(&apply("default", report_spec())), "it is in force already");
    let weekly = apply("weekly", report_spec());
    assert_eq!(given.when(&weekly).unwrap().len(), 1);
    assert!(given.silent(&weekly));
    let ledger = given.state.ledger(&acme()).unwrap();
    assert_eq!(ledger.listed("").iter().map(|report| report.name.as_str()).collect::<Vec<_>>(), ["default", "weekly"]);
}

/// Proves part of: X1
#[test]
fn every_fault_of_every_document_is_named() {
    let mut given = given();
    let mut odd = report_spec();
    odd["calendars"][1]["calendar"] = json!("moon");
    let Command::Apply(mut batch) = apply("odd", odd);
    let new = |kind: &str, name: &str, spec| Draft { kind: kind.into(), name: name.into(), spec, reason: None };
    batch.push(new("Report", "bare", json!({})));
    batch.push(new("Calendar", "moon", json!({})));
    batch.push(new("Odd", "desk", json!({})));
    batch.push(new("Report", "odd", report_spec()));
    let Err(Refusal::Documents(faults)) = given.when(&Command::Apply(batch)) else { panic!() };
    let found: Vec<_> = faults.iter().map(|at| (at.kind.as_str(), at.name.as_str(), at.fault.path.as_str())).collect();
    let expected = [
        ("Report", "odd", "/calendars/1/calendar"),
        ("Report", "bare", "/calendars"),
        ("Report", "bare", "/reactions"),
        ("Odd", "desk", ""),
        ("Report", "odd", ""),
    ];
    assert_eq!(found, expected);
}
