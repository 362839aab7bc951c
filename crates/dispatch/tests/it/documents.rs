//! Documents: what is read, and every fault named.

use dispatch::board::Board;
use dispatch::job::JobType;
use dispatch::policy::{Mode, Policy};
use dispatch::roster::Engineer;
use dispatch::routing::Routing;
use serde_json::{Value, json};
use ticket::batch::Library;
use ticket::intake::Priority;

fn paths(kind: &str, spec: &Value) -> Vec<String> {
    Board::faults(kind, spec).into_iter().map(|fault| fault.path).collect()
}

/// Proves part of: X1, D2
#[test]
fn an_engineer_is_read_or_every_fault_named() {
    let read = Engineer::read(&json!({
        "skills": {"printers": 2, "network": {"level": 1, "until": "2027-06-30"}},
        "home": {"lat_udeg": 52_520_000, "lon_udeg": 13_405_000}, "shift": "day",
    }));
    let read = read.unwrap();
    assert_eq!((read.max_visits_per_day, read.regions.len(), read.skills["printers"].level), (8, 0, 2));
    assert_eq!(read.skills["network"].until_day, Some(20_999));
    let wrong = json!({
        "skills": {"a": 0, "b": {"level": 1, "until": "30.6.2027"}, "c": {"until": "2027-06-30"}},
        "home": {"lat_udeg": 90_000_001}, "regions": "north", "max_visits_per_day": 0, "wage": 1,
    });
    let expected = [
        "/home/lat_udeg",
        "/home/lon_udeg",
        "/max_visits_per_day",
        "/regions",
        "/shift",
        "/skills/a",
        "/skills/b/until",
        "/skills/c/level",
        "/wage",
    ];
    assert_eq!(paths("Engineer", &wrong), expected);
}

/// Proves part of: X1
#[test]
fn a_policy_is_read_or_every_fault_named() {
    assert_eq!(Policy::read(&json!({})), Ok(Policy::default()));
    let read = Policy::read(&json!({"mode": "recommend", "weights": {"late": 5_000}, "max_distance_km": 80})).unwrap();
    assert_eq!((read.mode, read.weights.late_permille, read.weights.wait_permille), (Mode::Recommend, 5_000, 200));
    assert_eq!(read.max_distance_m, Some(80_000));
    let wrong = json!({
        "mode": "manual", "respond_within": "5s", "search": "1000h", "speed_kmh": 0, "weights": {"luck": 1, "load": -1},
    });
    let expected = ["/mode", "/respond_within", "/search", "/speed_kmh", "/weights/load", "/weights/luck"];
    assert_eq!(paths("DispatchPolicy", &wrong), expected);
}

/// Proves part of: X1, D2
#[test]
fn a_job_type_is_read_or_every_fault_named() {
    let mut spec = json!({
        "ticket_type": "repair", "policy": "standard", "duration": "90m",
        "arrive_within": {"critical": "2h", "high": "4h", "medium": "8h", "low": "24h"},
    });
    let read = JobType::read(&spec).unwrap();
    assert_eq!((read.duration_secs, read.evidence_required), (5_400, 0));
    assert_eq!([Priority::Critical, Priority::Low].map(|one| read.arrive_by(one, 0) / 3_600_000_000), [2, 24]);
    spec["arrive_within"] = json!("8h");
    assert_eq!(JobType::read(&spec).unwrap().arrive_by(Priority::High, 1), 8 * 3_600_000_000 + 1);
    let wrong = json!({
        "policy": 7, "duration": "13h", "arrive_within": {"high": "4h", "soon": "1h"}, "skill_from": {"level": 12},
        "lat_field": "lat_udeg", "evidence_required": 21,
    });
    let expected = [
        "/arrive_within/critical",
        "/arrive_within/low",
        "/arrive_within/medium",
        "/arrive_within/soon",
        "/duration",
        "/evidence_required",
        "/lat_field",
        "/policy",
        "/skill_from/field",
        "/skill_from/level",
        "/ticket_type",
    ];
    assert_eq!(paths("JobType", &wrong), expected);
}

/// Proves part of: X1, D1
#[test]
fn a_routing_is_read_or_every_fault_named() {
    let rule = json!({"name": "vip", "when": "ticket.priority == \"critical\"", "team": "a"});
    assert_eq!(Routing::read(&json!({"rules": [rule.clone()]})).unwrap().rules[0].name, "vip");
    let wrong = json!({"rules": [
        rule.clone(), rule, {"name": "x", "when": "ticket.colour == 1", "queue": "q"}, {"when": "true"},
    ]});
    assert_eq!(paths("Routing", &wrong), ["/rules/1/name", "/rules/2/when", "/rules/3", "/rules/3/name"]);
    assert_eq!(paths("Routing", &json!({})), ["/rules"]);
}
