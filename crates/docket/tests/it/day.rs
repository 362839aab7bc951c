//! The service day as `make run` plays it, with fewer orders and a faster clock.

use tempfile::TempDir;

use crate::running::{Cluster, docket, said};

/// What the day is played by.
const PACK: &str = include_str!("../../../../deploy/pack/service.yaml");

/// Proves part of: I9, I12, D1, D5, D7, L4, L6, L8, N1, N4, N7
#[test]
fn a_service_day_is_played_whole_and_nothing_recorded_as_delivered_is_missing() {
    let data = tempfile::tempdir().unwrap();
    let demo = || docket(data.path()).args(["demo", "--exit", "--tickets", "60", "--scale", "900"]).output().unwrap();
    let day = demo();
    assert!(day.status.success(), "{}", said(&day));
    let table = String::from_utf8(day.stdout).unwrap();
    for row in ["tickets opened", "on site in time", "breaches", "mails arrived", "webhooks arrived", "open tickets"] {
        assert!(table.contains(row), "{row}: {table}");
    }
    let mails = std::fs::read_to_string(data.path().join("sink/mails.tsv")).unwrap();
    assert!(mails.lines().any(|mail| mail.contains("eng-")), "an engineer was mailed: {mails}");

    // Played again the day is over: the same table, and not one message more.
    let again = demo();
    assert!(again.status.success(), "{}", said(&again));
    let row = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    for name in ["tickets opened", "  closed", "  offers", "  completed"] {
        assert_eq!(row(&table, name), row(&String::from_utf8_lossy(&again.stdout), name));
    }
    let verified = docket(data.path()).args(["log", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", said(&verified));
    told_again(data);
}

/// What the clocks of the day raised, run again under what was in force, and under the very documents it was played by.
fn told_again(data: TempDir) {
    let cluster = Cluster::on(data);
    let told = cluster.run(&["whatif"]);
    assert!(told.contains("no difference: ") && !told.contains(" 0 warnings"), "{told}");
    let pack = ticket::yaml::parse(PACK).unwrap();
    let file = cluster.data().join("same.yaml");
    for document in pack.iter().filter(|one| ["SlaPolicy", "Calendar"].contains(&one.kind.as_str())) {
        // The same in other words: a field that no clock reads.
        let mut spec = document.spec.clone();
        if document.kind == "SlaPolicy" {
            spec["attention"] = serde_json::json!({"every": "77m"});
        }
        let text = serde_json::json!({"kind": document.kind, "name": document.name, "spec": spec}).to_string();
        std::fs::write(&file, text).unwrap();
        let told = cluster.run(&["whatif", "--policy", &file.display().to_string()]);
        assert!(told.contains("no difference: "), "{} {}: {told}", document.kind, document.name);
    }
}
