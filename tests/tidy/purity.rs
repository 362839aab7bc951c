//! What pure code does not contain: time, chance, I/O, concurrency, unordered collections, floats.

use crate::tree::{Tree, Violation, mentions, numbered};

const PURE_CRATES: &[&str] = &["decider", "calendar", "calendar-import", "ticket"];
const SERVICES: &[&str] = &["intake", "dispatch", "sla-monitor", "notifier", "analytics"];

/// The files of a service that touch the world; every other is pure.
const WORLDLY: &[&str] = &["main.rs", "lib.rs", "grpc.rs", "sender.rs"];

const OUTSIDE: &str = "I/O and concurrency belong into eventlog, chassis, main.rs, lib.rs, grpc.rs or sender.rs";
const ARGUMENT: &str = "time, ids and chance come in as arguments";
const ORDER: &str = "its order differs from run to run: use BTreeMap, BTreeSet or Vec";
const ANSWER: &str = "answer with a value; the caller shows it";
const FORBIDDEN: &[(&str, &str)] = &[
    ("tokio", OUTSIDE),
    ("async", OUTSIDE),
    ("std::fs", OUTSIDE),
    ("std::net", OUTSIDE),
    ("std::env", OUTSIDE),
    ("std::process", OUTSIDE),
    ("std::thread", OUTSIDE),
    ("std::time", ARGUMENT),
    ("SystemTime", ARGUMENT),
    ("Instant::now", ARGUMENT),
    ("rand", ARGUMENT),
    ("getrandom", ARGUMENT),
    ("HashMap", ORDER),
    ("HashSet", ORDER),
    ("print!", ANSWER),
    ("println!", ANSWER),
    ("eprint!", ANSWER),
    ("eprintln!", ANSWER),
    ("dbg!", ANSWER),
];

/// Pure code reads no clock, rolls no dice, does no I/O.
pub(crate) fn know_no_world(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in pure_files(tree) {
        for (line, code) in code_lines(text) {
            for (word, advice) in FORBIDDEN.iter().filter(|(word, _)| mentions(code, word)) {
                found.push(Violation::new(path, line, format!("`{word}` in pure code: {advice}")));
            }
        }
    }
    found
}

/// On a line of a view or an algorithm whose result is only shown, never kept.
const AT_THE_EDGE: &str = "tidy: float at the edge";

/// Floats stay out of events and state, where they would round differently from one build to the next.
pub(crate) fn hold_no_floats(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in pure_files(tree) {
        let kept = ["command.rs", "state.rs", "react.rs"].iter().any(|name| path.ends_with(&format!("/{name}")))
            || PURE_CRATES.iter().any(|name| path.starts_with(&format!("crates/{name}/")));
        for (line, code) in code_lines(text) {
            let excused = || !kept && text.lines().nth(line - 1).is_some_and(|whole| whole.contains(AT_THE_EDGE));
            if has_float(code) && !excused() {
                let advice =
                    format!("a float: count in integers with units; only shown figures may carry `// {AT_THE_EDGE}`");
                found.push(Violation::new(path, line, advice));
            }
        }
    }
    found
}

/// `f32` or `f64` as a type, as the suffix of a number (`1f64`) or in the name of a conversion (`as_f64`).
/// Side by side they are no float, but serde's list of the forms a value can have.
fn has_float(code: &str) -> bool {
    let code = code.replace(" f32 f64 ", " ");
    ["f32", "f64"].iter().any(|float| {
        code.match_indices(float).any(|(at, _)| {
            let (before, after) = (code[..at].chars().next_back(), code[at + float.len()..].chars().next());
            !before.is_some_and(char::is_alphabetic) && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    })
}

fn pure_files(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.with_extension("rs").filter(|(path, _)| {
        let Some((name, file)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) else {
            return false;
        };
        let worldly = file.split('/').any(|part| WORLDLY.contains(&part) || part == "grpc" || part == "sender");
        PURE_CRATES.contains(&name) || (SERVICES.contains(&name) && !worldly)
    })
}

/// The code of a file without its comments and without its module of tests, which stands at the end.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = text.find("#[cfg(test)]\nmod tests").map_or(text, |at| &text[..at]);
    numbered(before_tests).map(|(line, code)| (line, code.split("//").next().unwrap_or_default()))
}
