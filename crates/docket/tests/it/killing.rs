//! Killed at random moments of the played day and started again: nothing acknowledged is lost, nothing happens twice,
//! nobody is booked twice, and every mail that was owed arrives.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::running::{docket, python, root, said};

/// Kills in the short form; `DOCKET_KILLS` asks for more.
const KILLS: u64 = 6;

/// Proves part of: D7, I1, I20, N7
#[test]
fn a_day_killed_again_and_again_is_played_whole() {
    let Some(python) = python() else { return };
    let kills = std::env::var_os("DOCKET_KILLS").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(KILLS);
    let data = tempfile::tempdir().unwrap();
    let (acks, heard) = (data.path().join("acks.tsv"), data.path().join("stderr.txt"));
    let demo = || {
        let mut command = docket(data.path());
        // A day that lasts as long as the kills need, a minute and more: they must fall into it, not behind it.
        let scale = (36_000 / (60 + kills)).max(60).to_string();
        command.args(["demo", "--exit", "--tickets", "120", "--scale", &scale, "--acks"]).arg(&acks);
        command
    };
    for kill in 0..kills {
        let words = std::fs::File::create(&heard).unwrap();
        let mut child = demo().stdout(Stdio::null()).stderr(words).spawn().unwrap();
        // Spread without a dice: the moments differ from kill to kill and from machine to machine.
        std::thread::sleep(Duration::from_millis(400 + (kill * 619) % 1_900));
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "kill {kill} came too late: {ended:?} {}", std::fs::read_to_string(&heard).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let whole = demo().output().unwrap();
    // Played to its end; whether everything a day is made of happened in one so broken off is not the matter here.
    assert!(matches!(whole.status.code(), Some(0 | 1)), "{}", said(&whole));

    let log = data.path().join("log.db");
    for (script, against) in [("acks.py", acks), ("day.py", data.path().join("sink"))] {
        let script = root().join("tests/peers/faults").join(script);
        let found = Command::new(&python).arg(script).arg(&log).arg(against).output().unwrap();
        assert!(found.status.success(), "{}", said(&found));
        println!("{}", said(&found));
    }
    let verified = docket(data.path()).args(["log", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", said(&verified));
}
