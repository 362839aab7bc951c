//! What an operator types, and what comes back.

use crate::running::{Cluster, said};

/// Proves part of: I4, X1
#[test]
fn a_ticket_is_opened_listed_shown_and_looked_after() {
    let mut cluster = Cluster::up();
    let opened =
        cluster.run(&["ticket", "open", "--title", "Mail is down", "--field", "service=mail", "--urgency", "high"]);
    let id = opened.trim().rsplit('/').next().unwrap().to_owned();
    let listed = cluster.run(&["ticket", "list", "--filter", "state = received AND priority >= medium"]);
    assert!(listed.contains(&id) && listed.contains("Mail is down"), "{listed}");
    let shown = cluster.run_until(&["ticket", "show", &id], "resolution");
    for word in ["queue/desk", "acceptance", "first_response", "resolution", "Received", "ClockStarted"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let healthy = cluster.run_until(&["doctor"], "1 open tickets, 0 holes");
    assert!(healthy.contains("ann,bob,chen"), "{healthy}");
    cluster.restart();
    assert!(cluster.run(&["ticket", "list"]).contains(&id), "it survives a restart");
    assert!(cluster.run(&["log", "tail", "-n", "500"]).contains("Received"));
    assert!(cluster.run(&["log", "stat"]).contains("ConfigApplied"));
    cluster.run(&["log", "verify"]);
}

/// Proves part of: X1
#[test]
fn every_fault_of_a_document_is_told_with_its_place() {
    let cluster = Cluster::up();
    let file = cluster.data().join("bad.yaml");
    let text = "kind: Calendar\nname: odd\nspec:\n  zone: Mars/Olympus\n  weekly:\n    mon: [\"25:00-26:00\"]\n---\n\
                kind: Queue\nname: lost\nspec:\n  members: [ann]\n  attend_within: soon\n  fallback: nowhere\n";
    std::fs::write(&file, text).unwrap();
    let output = cluster.docket().args(["apply", "--dry-run", "-f"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said = said(&output);
    for place in ["bad.yaml:4:3:", "bad.yaml:6:", "bad.yaml:12:3:", "bad.yaml:13:3:"] {
        assert!(said.contains(place), "{place}: {said}");
    }
}

/// Proves part of: X1
#[test]
fn a_difference_is_shown_before_it_is_applied() {
    let cluster = Cluster::up();
    let file = cluster.data().join("queue.yaml");
    let text = "kind: Queue\nname: supervisors\nspec:\n  members: [sue, tom]\n  attend_within: 4h\n  horizon: 24h\n";
    std::fs::write(&file, text).unwrap();
    let apply = |more: &[&str]| {
        let output = cluster.docket().args(["apply", "-f"]).arg(&file).args(more).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let difference = apply(&["--dry-run", "--diff"]);
    assert!(difference.contains("+ /members/1: \"tom\""), "{difference}");
    assert!(apply(&[]).contains("Queue supervisors version 2"));
    assert_eq!(apply(&[]), "", "the same again changes nothing");
}

/// Proves part of: I22
#[test]
fn an_import_says_every_unmapped_value_at_once_and_then_counts_every_row() {
    let cluster = Cluster::up();
    let (rows, map) = (cluster.data().join("old.csv"), cluster.data().join("map.yaml"));
    let now = "2026-01-05T09:00:00Z";
    std::fs::write(
        &rows,
        format!(
            "id,when,status,prio,owner,team,subject\nA1,{now},New,P1,,Desk,Printer smokes\n\
             A1,2026-01-05T10:00:00Z,In Work,P1,kim,Desk,\nA2,{now},Parked,P9,kim,Desk,Odd\n,{now},New,P1,,Desk,No id\n"
        ),
    )
    .unwrap();
    let head = "source: old-desk\ncolumns: {reference: id, at: when, state: status, priority: prio, agent: owner, group: team, title: subject}\ndefaults: {type: incident}\n";
    let mapped = |states: &str, priorities: &str| {
        let text =
            format!("{head}values:\n  state: {{{states}}}\n  priority: {{{priorities}}}\n  group: {{Desk: desk}}\n");
        std::fs::write(&map, text).unwrap();
        cluster.docket().arg("import").arg(&rows).arg("--map").arg(&map).output().unwrap()
    };
    let unmapped = mapped("New: open, In Work: in_progress", "P1: high");
    assert_eq!(unmapped.status.code(), Some(1));
    let listed = said(&unmapped);
    assert!(listed.contains("state: \"Parked\"") && listed.contains("priority: \"P9\""), "{listed}");
    let taken = mapped("New: open, In Work: in_progress, Parked: waiting", "P1: high, P9: low");
    assert!(said(&taken).contains("3 accepted + 1 refused = 4 of 4 rows"), "{}", said(&taken));
    let again = mapped("New: open, In Work: in_progress, Parked: waiting", "P1: high, P9: low");
    assert!(said(&again).contains("3 accepted + 1 refused = 4 of 4 rows"), "{}", said(&again));
    let listed = cluster.run(&["ticket", "list"]);
    assert_eq!(listed.lines().count(), 3, "imported once: {listed}");
    cluster.run_until(&["doctor"], "2 open tickets, 0 holes");
}
