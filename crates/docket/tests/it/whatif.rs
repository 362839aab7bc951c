//! The lines of `docs/sla.md` on other policies, run as they stand over a replayed log.

use std::path::Path;

use eventlog::Keys;
use simulator::replay::{self, Options};

use crate::running::{Cluster, docket, root, said};

/// The code of the page's chapter, in this language, block by block.
fn blocks(language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/sla.md")).unwrap();
    let chapter = page.split("\n## What another policy would come to\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let fence = format!("```{language}\n");
    chapter.split(&fence).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Some weeks of a small desk: late answers, reopenings, waits.
fn log() -> String {
    let course = [
        ("Queued", "queue", "open"),
        ("Accepted/In Progress", "accept", "in_progress"),
        ("Accepted/Wait", "wait", "waiting"),
        ("Accepted/In Progress", "resume", "in_progress"),
        ("Solved", "resolve", "resolved"),
        ("Completed/Closed", "close", "closed"),
    ];
    let mut lines = Vec::new();
    for ticket in 0..30_i64 {
        for (seq, (activity, kind, state)) in (0_i64..).zip(course).take(6 - usize::try_from(ticket % 3).unwrap()) {
            let at = 1_709_283_600 + ticket * 25_000 + seq * (ticket % 7) * 19_000;
            let ts = jiff::Timestamp::from_second(at).unwrap();
            lines.push(format!(
                "{{\"log\":\"desk\",\"ticket\":\"t{ticket}\",\"seq\":{seq},\"ts\":\"{ts}\",\"activity\":\"{activity}\",\
                 \"kind\":\"{kind}\",\"state\":\"{state}\",\"agent\":\"ann\",\"group\":\"desk\"}}"
            ));
        }
    }
    lines.join("\n")
}

/// A cluster on the log of a replay, and the files the lines name.
fn replayed() -> Cluster {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("events.jsonl.gz");
    std::fs::write(&file, log()).unwrap();
    let options = Options { file, log: Some(data.path().join("log.db")), ..Options::default() };
    replay::run(&options, &mut |_, _| {}).unwrap();
    // It holds no personal data, and so needs no key that is not new.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(runtime.block_on(Keys::sqlite(&data.path().join("keys.db"))).unwrap());
    for (name, text) in ["policy.yaml", "shadow.yaml"].into_iter().zip(blocks("yaml")) {
        std::fs::write(data.path().join(name), text).unwrap();
    }
    Cluster::on(data)
}

fn run(cluster: &Cluster, line: &str) -> String {
    let words = line.split_whitespace().skip(1).map(|word| {
        let named =
            Path::new(word).extension().is_some_and(|end| ["yaml", "json", "csv", "gz"].iter().any(|one| end == *one));
        if named { cluster.data().join(word).display().to_string() } else { word.to_owned() }
    });
    let output = cluster.docket().args(["--tenant", "replay"]).args(words).output().unwrap();
    assert!(output.status.success(), "{line}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Proves: L9
#[test]
fn the_lines_of_the_page_say_what_another_policy_would_come_to() {
    let cluster = replayed();
    let written = |name: &str| {
        let text = std::fs::read_to_string(cluster.data().join(name)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let [whatif, shadow, autopsy] = &blocks("sh")[..] else { panic!("the chapter has other lines") };
    let lines = |block: &str| block.lines().map(str::to_owned).collect::<Vec<_>>();

    let [laid, within, nothing] = &lines(whatif)[..] else { panic!("{whatif}") };
    let told = run(&cluster, laid);
    assert!(told.contains("exact deadlines, given recorded behaviour") && told.contains("tickets differ"), "{told}");
    assert!(told.contains("more breaches") || told.contains("fewer breaches"), "{told}");
    let part = run(&cluster, within);
    assert_ne!(told, part);
    let difference = written("difference.json");
    assert_eq!(difference["start"], "2024-03-04T00:00:00Z");
    assert!(!difference["differences"].as_array().unwrap().is_empty(), "{difference}");
    assert!(run(&cluster, nothing).contains("no difference: "), "{}", run(&cluster, nothing));

    let [apply, all, one, withdraw] = &lines(shadow)[..] else { panic!("{shadow}") };
    run(&cluster, apply);
    let listed = run(&cluster, all);
    assert!(listed.starts_with("work-order-log version 1: ") && listed.contains("no difference"), "{listed}");
    run(&cluster, one);
    assert_eq!(written("difference.json")["tickets"], 30);
    run(&cluster, withdraw);
    assert_eq!(run(&cluster, all), "");

    let [plain, files] = &lines(autopsy)[..] else { panic!("{autopsy}") };
    let causes = run(&cluster, plain);
    assert!(causes.contains("tickets of desk missed"), "{causes}");
    assert_eq!(run(&cluster, files), causes);
    assert_eq!(written("causes.json")["log"], "desk");
    assert!(std::fs::read_to_string(cluster.data().join("causes.csv")).unwrap().starts_with("ticket,clock,missed_at,"));
}

#[test]
fn a_document_that_cannot_be_laid_is_named_with_its_place() {
    let cluster = Cluster::up();
    let file = cluster.data().join("policy.yaml");
    std::fs::write(&file, "kind: SlaPolicy\nname: p\nspec:\n  calendar: moon\n  clocks:\n    a: {target: soon}\n")
        .unwrap();
    let output = docket(cluster.data()).args(["whatif", "--policy"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output);
    for fault in [":4:3: there is no Calendar moon", ":6:"] {
        assert!(told.contains(&format!("{}{fault}", file.display())), "{told}");
    }
}
