//! What an operator does with a log: every line of the page, and what it must notice.

use std::path::Path;
use std::process::{Command, Output};

use crate::database::Database;
use crate::running::{Cluster, docket, root, said};

/// Runs one line of a page in a directory.
fn typed(line: &str, directory: &Path) -> Output {
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("docket"), "{line}");
    Command::new(env!("CARGO_BIN_EXE_docket")).args(words).current_dir(directory).output().unwrap()
}

/// Whether a text is what a page says, in which `…` stands for anything; how wide a column is does not matter.
fn as_told(told: &str, said: &str) -> bool {
    let narrow = |text: &str| {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect::<String>()
    };
    let (told, said) = (narrow(told), narrow(said));
    let parts: Vec<_> = told.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return told == said };
    let after = |rest: &str, part: &str| rest.find(part).map(|at| rest[at + part.len()..].to_owned());
    let rest = said.strip_prefix(first).map(str::to_owned);
    let rest = middle.iter().fold(rest, |rest, part| rest.and_then(|rest| after(&rest, part)));
    rest.is_some_and(|rest| rest.ends_with(last))
}

#[test]
fn what_a_page_says_is_compared_in_full() {
    for (told, said, same) in [
        ("a\n", "a\n", true),
        ("a\n", "ab\n", false),
        ("epoch …\n", "epoch 1\n", true),
        ("epoch …\n", "the epoch 1\n", false),
        ("epoch …\nend\n", "epoch 1\nend\nmore\n", false),
        ("a …, …\n", "a 1, 2\n", true),
        ("a  b\n…\n", "a b\nc\nd\n", true),
    ] {
        assert_eq!(as_told(told, said), same, "{told:?} {said:?}");
    }
}

/// Proves part of: X1
#[test]
fn every_line_of_the_page_does_what_it_says() {
    let Some(database) = Database::new() else { return };
    let cluster = Cluster::up();
    let opened = cluster.run(&["ticket", "open", "--title", "zebrafish", "--field", "service=mail"]);
    let ticket = opened.trim();
    cluster.run_until(&["ticket", "show", ticket], "resolution");
    std::os::unix::fs::symlink(cluster.data(), database.dir().join(".data")).unwrap();

    let page = std::fs::read_to_string(root().join("docs/log.md")).unwrap();
    let blocks = page.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap());
    let mut lines = 0;
    for example in blocks.flat_map(|block| block.split("$ ").skip(1)) {
        let (line, told) = example.split_once('\n').unwrap();
        let output = typed(line, database.dir());
        assert!(output.status.success(), "{line}: {}", said(&output));
        let heard = String::from_utf8(output.stdout).unwrap();
        assert!(as_told(told, &heard), "{line}: {heard}");
        lines += 1;
    }
    assert!(lines >= 9, "{lines} lines");
    the_copy_goes_back_and_can_be_read(&database, ticket);
}

/// Into files again, where the keys prove to have come along both ways.
fn the_copy_goes_back_and_can_be_read(database: &Database, ticket: &str) {
    let back = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| typed(&format!("docket log copy --from {from} --to {to}"), database.dir());
    let path = back.path().to_str().unwrap();
    let copied = copy("database.url", path);
    assert!(copied.status.success(), "{}", said(&copied));
    let again = copy("database.url", path);
    assert!(!again.status.success() && said(&again).contains("is there already"), "{}", said(&again));
    let again = copy(path, "database.url");
    assert!(!again.status.success() && said(&again).contains("it holds events already"), "{}", said(&again));
    let verified = docket(back.path()).args(["log", "verify"]).output().unwrap();
    assert!(said(&verified).contains("epoch 2 is whole"), "{}", said(&verified));
    let stat = docket(back.path()).args(["log", "stat"]).output().unwrap();
    assert!(said(&stat).contains("held"), "what was released there is not released here: {}", said(&stat));
    let cluster = Cluster::on(back);
    assert!(cluster.run(&["ticket", "show", ticket]).contains("zebrafish"));
}

#[test]
fn a_snapshot_that_is_not_what_the_log_says_is_named() {
    let Some(database) = Database::new() else { return };
    let cluster = Cluster::up();
    cluster.run(&["ticket", "open", "--title", "x", "--field", "service=mail"]);
    std::os::unix::fs::symlink(cluster.data(), database.dir().join(".data")).unwrap();
    let run = |line: &str| typed(&format!("docket log {line} --postgres database.url"), database.dir());
    assert!(typed("docket log copy --from .data --to database.url", database.dir()).status.success());
    let none = run("rebuild --check");
    assert!(none.status.success() && said(&none).contains("intake: no snapshot"), "{}", said(&none));
    assert!(run("rebuild").status.success());
    assert!(run("rebuild --check").status.success());
    let position = database.sql("SELECT position FROM docket.snapshot WHERE name LIKE 'intake/%'");
    database.sql(
        "UPDATE docket.snapshot_chunk SET bytes = set_byte(bytes, 90, get_byte(bytes, 90) # 1)
         WHERE name LIKE 'intake/%' AND n = 0",
    );
    let differs = run("rebuild --check");
    assert_eq!(differs.status.code(), Some(1), "{}", said(&differs));
    assert!(said(&differs).contains(&format!("intake: DIFFERS from the log at position {position}")));
    assert_eq!(said(&differs).matches("is what the log says").count(), 4, "{}", said(&differs));
    assert!(run("rebuild --check dispatch").status.success(), "another is none of its business");
    assert!(run("rebuild intake").status.success());
    assert!(run("rebuild --check").status.success());
}

#[test]
fn a_file_that_names_no_database_is_refused_and_its_content_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("odd.url");
    std::fs::write(&file, "mysql://root:zebrafish@db/x\n").unwrap();
    let refused = docket(dir.path()).arg("--postgres").arg(&file).args(["log", "verify"]).output().unwrap();
    assert!(!refused.status.success() && said(&refused).contains("holds no PostgreSQL address"), "{}", said(&refused));
    std::fs::write(&file, "postgres://root:zebrafish@127.0.0.1:1/x\n").unwrap();
    let refused = docket(dir.path()).arg("--postgres").arg(&file).args(["log", "verify"]).output().unwrap();
    assert!(!refused.status.success() && !said(&refused).contains("zebrafish"), "{}", said(&refused));
    let released = docket(dir.path()).args(["log", "release"]).output().unwrap();
    assert!(said(&released).contains("there is no log"), "{}", said(&released));
    assert!(!dir.path().join("log.db").exists(), "and none is made");
}
