//! What the tests prove of what Docket is to do: marks above tests, gathered into the table of the README.
//!
//! A test that proves a capability carries the line `Proves: I4, I5` in its doc comment, one that proves some of it
//! `Proves part of: I12`. What no test proves is not claimed.

use std::collections::{BTreeMap, BTreeSet};

use crate::capabilities::CAPABILITIES;
use crate::tree::{Tree, Violation, numbered};

/// A line that says what the test below it proves.
struct Mark<'a> {
    line: usize,
    whole: bool,
    ids: Vec<&'a str>,
    /// The test; none if the mark stands above something else.
    test: Option<&'a str>,
}

/// The marks of a file.
fn marks(text: &str) -> Vec<Mark<'_>> {
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    let mark = |(line, content): (usize, &'_ str)| {
        let said = content.trim_start().strip_prefix("/// Proves").map(|rest| (rest.starts_with(": "), rest));
        let (whole, rest) = said.filter(|(whole, rest)| *whole || rest.starts_with(" part of: "))?;
        let (_, ids) = rest.split_once(": ").unwrap_or_default();
        Some((line, whole, ids.len()))
    };
    let found = numbered(text).filter_map(mark);
    found
        .map(|(line, whole, length)| {
            let content = lines[line - 1];
            let ids = content[content.len() - length..].split(',').map(str::trim).collect();
            Mark { line, whole, ids, test: test(&lines[line..]) }
        })
        .collect()
}

/// The name of the test that begins here, after its attributes and the rest of its doc comment.
fn test<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let above = |line: &&&str| line.starts_with('#') || line.starts_with("///");
    let (attributes, rest) = lines.split_at(lines.iter().take_while(above).count());
    let is_test = |line: &&str| ["#[test]", "#[tokio::test"].iter().any(|known| line.starts_with(known));
    let (_, name) = rest.first()?.split_once("fn ")?;
    // Cases of the suite that every store passes are made tests by a macro.
    let is_case = name.contains("(place: &Place)");
    (is_case || attributes.iter().any(is_test)).then(|| name.split('(').next())?
}

/// A mark names capabilities there are, and stands above a test.
pub(crate) fn marks_hold(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        for mark in marks(text) {
            for id in mark.ids.iter().filter(|id| !CAPABILITIES.iter().any(|(known, ..)| known == *id)) {
                found.push(Violation::new(
                    path,
                    mark.line,
                    format!("no capability `{id}`: see tests/tidy/capabilities.rs"),
                ));
            }
            if mark.test.is_none() {
                found.push(Violation::new(path, mark.line, "put the mark into the doc comment of a test"));
            }
        }
    }
    found
}

/// A language the table is written in.
#[derive(Clone, Copy)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// The table: every capability, and how many tests prove it.
pub(crate) fn table(tree: &Tree, language: Language) -> String {
    let mut whole: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let mut part = whole.clone();
    for (path, text) in tree.with_extension("rs") {
        for mark in marks(text) {
            let proofs = if mark.whole { &mut whole } else { &mut part };
            let tests = mark.test.map(|test| (path, test));
            mark.ids.iter().for_each(|id| proofs.entry(id).or_default().extend(tests));
        }
    }
    let count = |proofs: &BTreeMap<_, BTreeSet<_>>, id| proofs.get(id).map_or(0, BTreeSet::len);
    let rows = CAPABILITIES.iter().map(|(id, english, chinese)| {
        let (whole, part) = (count(&whole, id), count(&part, id));
        let (name, status) = match language {
            Language::English => (english, in_english(whole, part)),
            Language::Chinese => (chinese, in_chinese(whole, part)),
        };
        format!("| {id} | {name} | {status} |\n")
    });
    let head = match language {
        Language::English => "| Id | Capability | Status |\n|---|---|---|\n",
        Language::Chinese => "| 编号 | 能力 | 状态 |\n|---|---|---|\n",
    };
    std::iter::once(head.to_owned()).chain(rows).collect()
}

fn in_english(whole: usize, part: usize) -> String {
    let tests = |count| format!("{count} test{}", if count == 1 { "" } else { "s" });
    match (whole, part) {
        (0, 0) => "–".into(),
        (0, part) => format!("in part: {}", tests(part)),
        (whole, part) => format!("proved by {}", tests(whole + part)),
    }
}

fn in_chinese(whole: usize, part: usize) -> String {
    match (whole, part) {
        (0, 0) => "–".into(),
        (0, part) => format!("部分：{part} 个测试"),
        (whole, part) => format!("由 {} 个测试证明", whole + part),
    }
}
