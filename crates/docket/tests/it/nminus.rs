//! The chapter of `docs/sla.md` on the no-drop proof: every line of it is run, and says what the page says.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::running::{Cluster, PATIENCE, root, said};

/// The blocks of the chapter in order, each with its language.
fn blocks() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(root().join("docs/sla.md")).unwrap();
    let (_, chapter) = page.split_once("\n## Nothing falls through, whoever fails\n").unwrap();
    let chapter = chapter.split("\n## ").next().unwrap();
    let fenced = chapter.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').map(|(of, text)| (of.to_owned(), text.to_owned())).unwrap()).collect()
}

/// What was printed, with `…` for what differs from run to run: ids and instants.
fn timeless(text: &str) -> String {
    let differs = |word: &str| word.parse::<uuid::Uuid>().is_ok() || word.parse::<jiff::Timestamp>().is_ok();
    let line = |line: &str| {
        let words = line.split(' ').map(|word| if differs(word) { "…" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).fold(String::new(), |text, line| text + &line + "\n")
}

/// Runs lines as the page has them, on this cluster.
fn run(cluster: &Cluster, dir: &Path, lines: &str) -> String {
    let path = std::env::join_paths(
        [dir.to_path_buf()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let ran = Command::new("bash").args(["-ec", lines]).env("DIR", dir).env("PATH", path.unwrap()).output().unwrap();
    assert!(ran.status.success(), "{lines}{}", said(&ran));
    assert!(cluster.data().exists());
    timeless(&String::from_utf8(ran.stdout).unwrap())
}

/// Proves part of: L11
#[test]
fn every_line_of_the_page_is_run_and_says_what_it_says() {
    let cluster = Cluster::up();
    let dir = tempfile::tempdir().unwrap();
    let docket = dir.path().join("docket");
    let binary = env!("CARGO_BIN_EXE_docket");
    std::fs::write(&docket, format!("#!/bin/sh\nexec {binary} --data {} \"$@\"\n", cluster.data().display())).unwrap();
    std::fs::set_permissions(&docket, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (mut files, mut printed) = (0, String::new());
    for (language, text) in blocks() {
        match language.as_str() {
            "yaml" => {
                files += 1;
                std::fs::write(dir.path().join(format!("{files}.yaml")), text).unwrap();
            }
            "sh" => printed = run(&cluster, dir.path(), &text),
            "text" => {
                // What a service records of a ticket follows in a moment; only the proof is asked again.
                let asked = text.lines().last().is_some_and(|line| line.ends_with(" holes"));
                for _ in 0..PATIENCE {
                    if printed == text || !asked {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(100));
                    printed = run(&cluster, dir.path(), "docket doctor --n-1 || test $? = 1");
                }
                assert_eq!(printed, text);
            }
            other => panic!("{other} is run nowhere"),
        }
    }
    let proof: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.path().join("proof.json")).unwrap()).unwrap();
    assert_eq!(proof["open_tickets"], 1);
    assert!(proof["holes"].as_array().unwrap().iter().any(|hole| hole["failure"] == "channel/in_app"), "{proof}");
}
