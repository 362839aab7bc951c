//! What another policy would do, said before it is done.

use crate::running::{Cluster, said};

/// Proves part of: L3, X1
#[test]
fn a_dry_run_says_what_a_policy_does_to_the_clocks_of_open_tickets() {
    let cluster = Cluster::up();
    for title in ["Mail is down", "No paper"] {
        let opened = cluster.run(&["ticket", "open", "--title", title, "--field", "service=mail"]);
        let id = opened.trim().rsplit('/').next().unwrap().to_owned();
        cluster.run_until(&["ticket", "show", &id], "resolution");
    }
    let file = cluster.data().join("policy.yaml");
    let text = "kind: SlaPolicy\nname: strict\nspec:\n  rank: 5\n  calendar: desk\n  retroactive: true\n  clocks:\n    \
                resolution: {target: 90h}\n    at_once: {target: 0s}\n";
    std::fs::write(&file, text).unwrap();
    let apply = |more: &[&str]| {
        let output = cluster.docket().args(["apply", "-f"]).arg(&file).args(more).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let told = apply(&["--dry-run"]);
    let effect = "4 clocks re-attach, 2 breach now, 4 no longer apply (2 open tickets)";
    assert!(told.contains(effect), "{told}");
    apply(&[]);
    assert!(!apply(&["--dry-run"]).contains("re-attach"), "what is in force changes nothing");
    let listed = cluster.run_until(&["log", "tail", "-n", "500"], "Breached");
    assert!(listed.contains("ClockCancelled"), "{listed}");
}
