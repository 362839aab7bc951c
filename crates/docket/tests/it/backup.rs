//! The lines of `docs/backup.md`, run as they stand: a restored backup holds its effects and leaves the stream alone until
//! somebody releases it.

use std::path::Path;

use crate::local::Local;
use crate::running::root;

/// The shell lines of the page, block by block.
fn blocks() -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/backup.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

fn open(cluster: &Local, title: &str) -> String {
    let opened = cluster.run(&["ticket", "open", "--title", title, "--field", "service=mail"]);
    opened.trim().rsplit('/').next().unwrap().to_owned()
}

const HALTED: &str = "docket_relay_halted{stream=\"DOCKET\"}";

/// Proves part of: X4, X6
#[test]
fn a_restored_backup_waits_to_be_released() {
    let Some(cluster) = Local::up(1) else { return };
    let dumps = tempfile::tempdir().unwrap();
    let place: [(&str, &Path); 1] = [("BACKUP", dumps.path())];
    let [back_up, restore, release] = &blocks()[..] else { panic!("the page has other blocks") };
    let kept = open(&cluster, "Before the backup");
    cluster.shell(back_up, &place);
    let lost = open(&cluster, "After the backup");
    cluster.run_until(&["ticket", "list"], &lost);
    cluster.wait_for("relay-1", HALTED, 0);

    cluster.shell(restore, &place);
    cluster.wait_for("relay-1", HALTED, 1);
    cluster.wait_for("notifier-1", "docket_effects_held", 1);
    let listed = cluster.run(&["ticket", "list"]);
    assert!(listed.contains(&kept) && !listed.contains(&lost), "{listed}");
    assert!(cluster.run(&["ticket", "show", &kept]).contains("Before the backup"), "the keys were restored, too");

    cluster.shell(release, &place);
    cluster.wait_for("relay-1", HALTED, 0);
    cluster.wait_for("notifier-1", "docket_effects_held", 0);
    let fresh = open(&cluster, "After the release");
    cluster.run_until(&["ticket", "list"], &fresh);
    let position = cluster.metric("intake-1", "docket_projection_position{service=\"intake\"}").unwrap();
    let told = |name: &str, metric: &str| {
        (0..300).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            cluster.metric(name, metric) >= Some(position)
        })
    };
    assert!(told("relay-1", "docket_relay_position{stream=\"DOCKET\"}"), "the stream is filled again");
    assert!(told("notifier-1", "docket_tail_position"), "and followed");
}

/// Proves part of: X4
#[test]
fn a_restore_that_nobody_told_of_halts_relay_and_effects_as_well() {
    let Some(cluster) = Local::up(1) else { return };
    let dumps = tempfile::tempdir().unwrap();
    let place: [(&str, &Path); 1] = [("BACKUP", dumps.path())];
    let [back_up, restore, _] = &blocks()[..] else { panic!("the page has other blocks") };
    cluster.shell(back_up, &place);
    for number in 0..3 {
        open(&cluster, &format!("After the backup: {number}"));
    }
    let forgotten: Vec<_> = restore.lines().filter(|line| !line.contains("log restored")).collect();
    cluster.shell(&forgotten.join("\n"), &place);
    cluster.wait_for("relay-1", HALTED, 1);
    cluster.wait_for("notifier-1", "docket_effects_held", 1);
}
