//! The lines of `docs/reminders.md` on learning, effect and replay, run as they stand over a log of simulated recipients.

use std::time::Duration;

use serde_json::json;
use simulator::reminders::{self, Sending};

use crate::running::{Cluster, PATIENCE, root, said};

/// The code of the page's chapter on learning, in this language, block by block.
fn blocks(language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/reminders.md")).unwrap();
    let chapter = page.split("\n## Learning").nth(1).unwrap().split("\n## ").next().unwrap().to_owned();
    let fence = format!("```{language}\n");
    chapter.split(&fence).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Proves part of: N3, X1
#[test]
fn the_moments_are_put_in_force_as_the_page_says() {
    let page = std::fs::read_to_string(root().join("docs/reminders.md")).unwrap();
    let chapter = page.split("\n## Moments").nth(1).unwrap();
    let lines = chapter.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let cluster = Cluster::with("service", &[]);
    for line in lines.lines() {
        let words: Vec<_> = line.split_whitespace().skip(1).collect();
        let output = cluster.docket().args(words).current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", said(&output));
    }
    let sue = cluster.token_of("demo", "sue", "supervisor");
    let flood = json!({"name": "flood", "reason": "Water in the cellar", "scope": "ticket.queue == 'desk'",
        "policy": "desk"});
    cluster.call_of("sla_monitor.v1.SlaMonitorService", &sue, "DeclareMajorEvent", &flood);
    let told = (0..PATIENCE).find_map(|_| {
        let inbox = cluster.call_of("notifier.v1.NotifierService", &sue, "ListInbox", &json!({}));
        std::thread::sleep(Duration::from_millis(100));
        inbox.contains("\"about\": \"major/flood\"").then_some(inbox)
    });
    let told = told.unwrap();
    assert!(told.contains("Major event flood") && !told.contains("\"ticket\":"), "{told}");
}

/// A ticket and a reminder of it that was chosen by what was learned.
fn learned(cluster: &Cluster) -> (String, String) {
    let log = cluster.run(&["log", "tail", "-n", "100000"]);
    let line = log.lines().rfind(|line| line.contains("\"by\":\"learned\"")).unwrap();
    let after = |text: &str| line.split(text).nth(1).unwrap().chars().take(36).collect::<String>();
    (after(" reminder/"), after("\"reminder\":\""))
}

/// Proves part of: N8, N9
#[test]
fn the_lines_of_the_page_say_what_learning_and_other_rules_come_to() {
    let data = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(reminders::keep(31, 6, Sending::Learned, data.path())).unwrap();
    let cluster = Cluster::on(data);
    let policy = cluster.data().join("policy.yaml");
    let [rule, other] = &blocks("yaml")[..] else { panic!("the chapter has other documents") };
    std::fs::write(&policy, rule).unwrap();
    let evaluated =
        cluster.docket().args(["--tenant", "house", "reminders", "evaluate", "--policy"]).arg(&policy).output();
    assert!(evaluated.unwrap().status.success(), "the rule that learns can be read");
    std::fs::write(&policy, other).unwrap();
    let (ticket, reminder) = learned(&cluster);
    let run = |line: &str| {
        let words = line.split_whitespace().skip(1).map(|word| match word {
            "TICKET" => ticket.clone(),
            "REMINDER" => reminder.clone(),
            "policy.yaml" => policy.display().to_string(),
            word => word.to_owned(),
        });
        let output = cluster.docket().args(["--tenant", "house"]).args(words).output().unwrap();
        assert!(output.status.success(), "{line}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let lines: Vec<_> =
        blocks("sh").iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let [why, effect, evaluate, evaluate_other, replay] = &lines[..] else { panic!("other lines: {lines:?}") };

    assert!(run(why).contains("chosen by what was learned, option "), "{}", run(why));
    let effect = run(effect);
    assert!(effect.contains("warned") && effect.lines().any(|line| line.starts_with("all ")), "{effect}");
    let evaluated = run(evaluate);
    assert!(evaluated.lines().nth(1).unwrap().contains(" % to "), "{evaluated}");
    assert_ne!(evaluated, run(evaluate_other), "another policy is worth something else");
    let replayed = run(replay);
    assert!(replayed.contains("at risk: 00000000-") && replayed.contains("all messages"), "{replayed}");
    assert_eq!(replayed, run(replay), "the same log, the same bytes");
}
