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

/// Proves part of: L8
#[test]
fn when_all_of_a_queue_go_home_the_hole_is_named_until_a_fallback_closes_it() {
    let cluster = Cluster::with("service", &[]);
    let file = cluster.data().join("queue.yaml");
    let queue = |more: &str| {
        let spec = "  members: [gina, hugo]\n  attend_within: 4h\n  horizon: 24h\n";
        std::fs::write(&file, format!("kind: Queue\nname: second-line\nspec:\n{spec}{more}")).unwrap();
        cluster.run(&["apply", "-f", file.to_str().unwrap()]);
    };
    queue("");
    cluster.run(&["ticket", "open", "--title", "No network", "--field", "service=network"]);
    cluster.run_until(&["doctor"], "queue/second-line");
    cluster.run(&["engineer", "off", "gina"]);
    cluster.run_until(&["doctor"], "1 open tickets, 0 holes");
    cluster.run(&["engineer", "off", "hugo", "--reason", "sick"]);
    let ill = cluster.fails_until(&["doctor"], "1 open tickets, 1 holes");
    assert!(ill.contains("queue/second-line"), "{ill}");
    queue("  fallback: desk\n");
    let healthy = cluster.run_until(&["doctor"], "1 open tickets, 0 holes");
    assert!(healthy.contains("ann,bob"), "the next in the chain would wake: {healthy}");
}

/// Proves part of: D1, D13, D14
#[test]
fn a_visit_is_planned_offered_and_explained() {
    let cluster = Cluster::with("service", &[]);
    let place = ["--field", "region=north", "--field", "lat_udeg=52600000", "--field", "lon_udeg=13380000"];
    let device = ["--field", "asset=VAULT-1", "--field", "device=climate", "--field", "address=Main Street 1"];
    let opened =
        cluster.run(&[&["ticket", "open", "--type", "repair", "--title", "Too hot"], &device[..], &place].concat());
    let id = opened.trim().rsplit('/').next().unwrap();
    let told = cluster.run_until(&["why", id, "--visit", "1"], "Offered");
    for words in ["rule the-vault-has-one-keeper of routing company v1", "job type repair v1", "policy standard v1"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("ClockStarted"), "what is not about the visit is left out: {told}");
    let explained = cluster.run(&["why", id, "--assignment"]);
    assert!(explained.contains("40 candidates, 1 passed, 39 dropped"), "{explained}");
    assert!(explained.contains("eng-40") && explained.contains("travel"), "{explained}");
    let why_not = cluster.run(&["why", id, "--not", "eng-02"]);
    assert!(why_not.contains("skill"), "the rule is named: {why_not}");
    let listed = cluster.run(&["visit", "list", id]);
    let visit = listed.lines().last().unwrap().split_whitespace().next().unwrap().to_owned();
    assert!(listed.contains("offered") && listed.contains("eng-40"), "{listed}");
    cluster.run(&["engineer", "off", "eng-40", "--reason", "sick"]);
    let nobody = cluster.run_until(&["visit", "unassigned"], &visit);
    assert!(nobody.contains("medium"), "{nobody}");
    cluster.run_until(&["doctor"], "1 unassigned visits");
    let engineers = cluster.run(&["engineer", "list"]);
    let keeper = engineers.lines().find(|line| line.starts_with("eng-40")).unwrap();
    assert_eq!(keeper.split_whitespace().nth(1), Some("off"), "{engineers}");
    let refused = cluster.docket().args(["visit", "assign", &visit, "eng-05"]).output().unwrap();
    assert!(said(&refused).contains("HARD_RULE"), "{}", said(&refused));
    let assigned = cluster.run(&["visit", "assign", &visit, "eng-05", "--override", "the keeper is ill"]);
    assert!(assigned.contains("offered") && assigned.contains("eng-05"), "{assigned}");
}
