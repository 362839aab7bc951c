//! How files are named, headed, bounded and finished.

use std::path::Path;

use crate::tree::{Tree, Violation, mentions, numbered};

/// Every source file begins with what it is.
pub(crate) fn say_what_they_are(tree: &Tree) -> Vec<Violation> {
    let silent = tree.with_extension("rs").filter(|(_, text)| !text.starts_with("//!"));
    silent.map(|(path, _)| Violation::new(path, 1, "begin the file with a `//!` line saying what it is")).collect()
}

const SAYS_NOTHING: &[&str] = &["util", "utils", "common", "helper", "helpers", "types", "misc"];

/// Names say what a file is about, and a module is named in its own file's name.
pub(crate) fn are_named_for_their_subject(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, _) in tree.with_extension("rs") {
        if path.ends_with("/mod.rs") {
            found.push(Violation::new(path, 1, "name the file for its module, beside the directory: no mod.rs"));
        }
        let parts = path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| SAYS_NOTHING.contains(part)) {
            found.push(Violation::new(path, 1, format!("`{part}` says nothing: name it for what it is about")));
        }
    }
    found
}

const MAX_LINES: usize = 400;

/// Files longer than that and how long they may be; the list only shrinks.
const LONG: &[(&str, usize)] = &[];

/// A source file has at most 400 lines.
pub(crate) fn are_short(tree: &Tree) -> Vec<Violation> {
    are_short_but(tree, LONG)
}

/// As [`are_short`], with the files that are longer for the time being.
pub(crate) fn are_short_but(tree: &Tree, long: &[(&str, usize)]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let most = long.iter().find(|(name, _)| *name == path).map_or(MAX_LINES, |(_, lines)| *lines);
        let lines = text.lines().count();
        if lines > most {
            found.push(Violation::new(
                path,
                most + 1,
                format!("{lines} lines, at most {most}: split it by what it is about"),
            ));
        }
    }
    for (path, _) in long {
        if tree.files.get(*path).is_none_or(|text| text.lines().count() <= MAX_LINES) {
            found.push(Violation::new(path, 1, "no longer long: take it off the list of long files"));
        }
    }
    found
}

const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "crates",
    "deploy",
    "docs",
    "k8s",
    "proto",
    "tests",
];

/// The root holds what the design lists, and hidden entries.
pub(crate) fn keep_the_top_level_small(tree: &Tree) -> Vec<Violation> {
    let stray = tree.files.keys().filter(|path| {
        let top = path.split('/').next().unwrap_or_default();
        !top.starts_with('.') && !TOP_LEVEL.contains(&top)
    });
    stray
        .map(|path| Violation::new(path, 1, "does not belong at the top: move it to one of the directories there"))
        .collect()
}

/// Nothing waits for later: what is missing is an issue, not a mark in the text.
pub(crate) fn are_finished(tree: &Tree) -> Vec<Violation> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!"), concat!("unim", "plemented!")];
    let written = |path: &str| {
        let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
        extension
            .map_or(path == "Makefile", |found| ["rs", "proto", "sh", "toml", "yaml", "yml", "md"].contains(&found))
    };
    let mut found = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| written(path)) {
        for (line, content) in numbered(text) {
            for mark in marks.iter().filter(|mark| mentions(content, mark)) {
                found.push(Violation::new(
                    path,
                    line,
                    format!("`{mark}`: finish it, or file an issue and take the mark away"),
                ));
            }
        }
    }
    found
}

/// A test that does not run proves nothing.
pub(crate) fn run_every_test(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        for (line, _) in numbered(text).filter(|(_, content)| content.contains(concat!("#[ig", "nore"))) {
            found.push(Violation::new(path, line, "mend the test, or give it a verb of its own in the Makefile"));
        }
    }
    found
}
