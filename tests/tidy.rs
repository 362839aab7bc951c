//! The house rules a machine can check: one test a rule, with examples it must refuse, examples it must let pass, and
//! then the whole tree. A rule is a function from the tree to what breaks it, in a file of `tidy/`.

#[path = "tidy/capabilities.rs"]
mod capabilities;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/status.rs"]
mod status;
#[path = "tidy/tree.rs"]
mod tree;

use status::Language;
use tree::{Tree, Violation};

/// Proves the rule on the examples (each bad one alone, the good ones together), then holds it against the workspace.
fn check(rule: fn(&Tree) -> Vec<Violation>, bad: &[(&str, &str)], good: &[(&str, &str)]) {
    for (path, text) in bad {
        assert!(!rule(&Tree::of(&[(path, text)])).is_empty(), "the rule lets pass in {path}:\n{text}");
    }
    expect_none("the rule refuses a good example", &rule(&Tree::of(good)));
    expect_none("house rules are broken", &rule(&Tree::of_workspace()));
}

fn expect_none(claim: &str, found: &[Violation]) {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{claim}:\n{}", lines.join("\n"));
}

#[test]
fn crates_import_only_what_the_design_allows() {
    check(
        imports::keep_to_the_table,
        &[
            ("crates/ticket/Cargo.toml", "[dependencies]\neventlog.workspace = true"),
            ("crates/calendar/Cargo.toml", "[dependencies]\ndecider = { path = \"../decider\" }"),
            ("crates/intake/Cargo.toml", "[dependencies]\nsla-monitor.workspace = true"),
            ("crates/intake/Cargo.toml", "[target.'cfg(unix)'.dependencies]\nanalytics.workspace = true"),
            ("crates/intake/Cargo.toml", "[dependencies.dispatch]\nworkspace = true"),
            ("crates/proto/Cargo.toml", "[dependencies]\nevents = { package = \"ticket\", path = \"../ticket\" }"),
            ("crates/billing/Cargo.toml", "[dependencies]"),
        ],
        &[
            ("crates/ticket/Cargo.toml", "[dependencies]\ndecider.workspace = true\nserde.workspace = true"),
            (
                "crates/intake/Cargo.toml",
                "[dependencies]\neventlog.workspace = true\n[dev-dependencies]\nsimulator = {}",
            ),
            ("crates/docket/Cargo.toml", "[dependencies]\nintake.workspace = true"),
        ],
    );
}

#[test]
fn what_one_crate_wraps_no_other_touches() {
    check(
        imports::leave_wrapped_crates_to_their_owner,
        &[
            ("crates/intake/Cargo.toml", "[dependencies]\nsqlx.workspace = true"),
            ("crates/intake/Cargo.toml", "[dev-dependencies]\nasync_nats = \"1\""),
            ("crates/eventlog/Cargo.toml", "[dependencies]\nopentelemetry_sdk.workspace = true"),
            ("crates/analytics/Cargo.toml", "[dependencies]\nprometheus.workspace = true"),
            ("crates/chassis/Cargo.toml", "[build-dependencies]\nprotox.workspace = true"),
            ("crates/chassis/Cargo.toml", "[build-dependencies]\ntonic-prost-build.workspace = true"),
            ("crates/intake/Cargo.toml", "[dependencies]\nprost.workspace = true"),
            ("crates/intake/Cargo.toml", "[dependencies]\nwire = { package = \"prost-types\", version = \"1\" }"),
        ],
        &[
            ("crates/eventlog/Cargo.toml", "[dependencies]\nsqlx = { version = \"1\", features = [\"sqlite\"] }"),
            ("crates/chassis/Cargo.toml", "[dependencies]\nprost.workspace = true\nopentelemetry.workspace = true"),
            ("crates/proto/Cargo.toml", "[dependencies]\nprost.workspace = true\n[build-dependencies]\nprotox = \"1\""),
            ("crates/simulator/Cargo.toml", "[dependencies]\nsqlx.workspace = true"),
        ],
    );
}

#[test]
fn cores_know_no_world() {
    check(
        purity::know_no_world,
        &[
            ("crates/intake/src/state.rs", "use tokio::sync::Mutex;"),
            ("crates/intake/src/react.rs", "use std::time::Duration;"),
            ("crates/dispatch/src/board/rank.rs", "let started = Instant::now();"),
            ("crates/dispatch/src/board/state.rs", "fn f(t: SystemTime) {}"),
            ("crates/analytics/src/kpi.rs", "use rand::Rng;"),
            ("crates/decider/src/lib.rs", "use std::collections::HashMap;"),
            ("crates/calendar/src/lib.rs", "let seen: HashSet<i64>;"),
            ("crates/ticket/src/lib.rs", "pub async fn f() {}"),
            ("crates/notifier/src/view.rs", "println!(\"{x}\");"),
            ("crates/sla-monitor/src/clock.rs", "std::fs::read(path)?;"),
            ("crates/sla-monitor/src/clock.rs", "#[cfg(test)]\nfn f() {}\nuse tokio::time;"),
        ],
        &[
            ("crates/intake/src/lib.rs", "use tokio::sync::Mutex;"),
            ("crates/intake/src/grpc.rs", "async fn f() {}"),
            ("crates/intake/src/grpc/list.rs", "async fn f() {}"),
            ("crates/eventlog/src/service.rs", "use tokio::time;"),
            ("crates/intake/src/state.rs", "// tokio stays outside\nlet operand = x;\nlet asynchronous = 1;"),
            (
                "crates/intake/src/view.rs",
                "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::collections::HashSet;\n}",
            ),
        ],
    );
}

#[test]
fn events_and_state_hold_no_floats() {
    check(
        purity::hold_no_floats,
        &[
            ("crates/analytics/src/kpi.rs", "let share = met as f64;"),
            ("crates/ticket/src/event.rs", "latitude: f32,"),
            ("crates/ticket/src/event.rs", "latitude: f32, // tidy: float at the edge"),
            ("crates/intake/src/state.rs", "value.as_f64() // tidy: float at the edge"),
            ("crates/dispatch/src/rank.rs", "let weight = 1_f64;"),
        ],
        &[
            ("crates/analytics/src/view.rs", "let shown = met as f64; // tidy: float at the edge"),
            ("crates/analytics/src/grpc.rs", "let share: f64 = 0.5;"),
            ("crates/ticket/src/codec.rs", "forward_to_deserialize_any! { bool u128 f32 f64 char }"),
            ("crates/dispatch/src/rank.rs", "// no f64 here\nlet buf64 = 1;"),
        ],
    );
}

#[test]
fn every_source_file_says_what_it_is() {
    check(
        files::say_what_they_are,
        &[("crates/intake/src/state.rs", "use serde::Serialize;\n//! too late"), ("crates/intake/src/view.rs", "")],
        &[("crates/intake/src/state.rs", "//! The state of a ticket.\n"), ("docs/notes.md", "# Notes")],
    );
}

#[test]
fn files_are_named_for_what_they_are_about() {
    check(
        files::are_named_for_their_subject,
        &[
            ("crates/intake/src/board/mod.rs", ""),
            ("crates/intake/src/utils.rs", ""),
            ("crates/intake/src/common/text.rs", ""),
            ("crates/ticket/src/types.rs", ""),
            ("tests/it/helpers.rs", ""),
            ("crates/ticket/src/misc.rs", ""),
        ],
        &[("crates/intake/src/state.rs", ""), ("crates/intake/src/modes.rs", "")],
    );
}

#[test]
fn files_fit_in_the_head() {
    check(
        files::are_short,
        &[("crates/intake/src/state.rs", &"//! x\n".repeat(401))],
        &[("crates/intake/src/state.rs", &"//! x\n".repeat(400)), ("docs/long.md", &"x\n".repeat(999))],
    );
}

#[test]
fn the_list_of_long_files_only_shrinks() {
    let tree = Tree::of(&[("a.rs", &"//! x\n".repeat(500)), ("b.rs", "//! x\n")]);
    assert!(files::are_short_but(&tree, &[("a.rs", 500)]).is_empty());
    assert_eq!(files::are_short_but(&tree, &[("a.rs", 499)]).len(), 1, "it grew");
    assert_eq!(files::are_short_but(&tree, &[("a.rs", 500), ("b.rs", 500)]).len(), 1, "it is short by now");
    assert_eq!(files::are_short_but(&tree, &[("a.rs", 500), ("c.rs", 500)]).len(), 1, "it is gone");
}

#[test]
fn the_top_level_is_a_table_of_contents() {
    check(
        files::keep_the_top_level_small,
        &[("scratch.txt", ""), ("scripts/setup.sh", ""), ("package.json", "")],
        &[(".ci/run", ""), ("Cargo.toml", ""), ("docs/runbook.md", ""), ("LICENSE", "")],
    );
}

#[test]
fn nothing_is_left_for_later() {
    check(
        files::are_finished,
        &[
            ("crates/intake/src/state.rs", concat!("// TO", "DO: more")),
            ("proto/docket/intake/v1/intake.proto", concat!("// FIX", "ME")),
            ("crates/intake/src/state.rs", concat!("    to", "do!()")),
            ("crates/intake/src/state.rs", concat!("    unim", "plemented!()")),
            ("docs/ARCHITECTURE.md", concat!("TO", "DO")),
            ("Makefile", concat!("# FIX", "ME")),
        ],
        &[("crates/intake/src/state.rs", "let todos = method();"), ("data.csv", concat!("TO", "DO"))],
    );
}

#[test]
fn no_test_is_switched_off() {
    check(
        files::run_every_test,
        &[
            ("crates/intake/src/state.rs", concat!("    #[ig", "nore]")),
            ("tests/it/main.rs", concat!("#[ig", "nore = \"slow\"]")),
        ],
        &[("crates/intake/src/state.rs", "    #[test]")],
    );
}

#[test]
fn proto_packages_are_their_directories() {
    check(
        documents::proto_packages_match,
        &[
            ("proto/docket/intake/v1/intake.proto", "syntax = \"proto3\";\npackage docket.intake.v2;"),
            ("proto/docket/intake/v1/intake.proto", "syntax = \"proto3\";"),
        ],
        &[("proto/docket/sla_monitor/v1/clock.proto", "syntax = \"proto3\";\n\npackage docket.sla_monitor.v1;")],
    );
}

#[test]
fn the_architecture_is_read_in_one_sitting() {
    check(
        documents::architecture_is_short,
        &[("docs/ARCHITECTURE.md", &"x\n".repeat(151))],
        &[("docs/ARCHITECTURE.md", &"x\n".repeat(150))],
    );
}

#[test]
fn links_between_documents_resolve() {
    check(
        documents::links_resolve,
        &[
            ("README.md", "see [the map](docs/MAP.md)"),
            ("docs/README.zh-CN.md", "[a](README.zh-CN.md) and [b](../../outside.md#part)"),
            ("docs/a.md", "![the flow](flow.svg \"flow\")"),
        ],
        &[
            (
                "README.md",
                "[a](docs/a.md#part) [b](docs) [c](https://example.org/x) [d](#here)\n```\n[e](nowhere)\n```",
            ),
            ("docs/a.md", "[back](../README.md) [self](./a.md) `[f](nowhere)`"),
        ],
    );
}

#[test]
fn what_tests_prove_is_a_capability() {
    check(
        status::marks_hold,
        &[
            ("crates/intake/tests/it/a.rs", concat!("/// Pro", "ves: I99\n#[test]\nfn a() {}")),
            ("crates/intake/tests/it/a.rs", concat!("/// Pro", "ves: I4, \n#[test]\nfn a() {}")),
            ("crates/intake/tests/it/a.rs", concat!("/// Pro", "ves part of: I4\nfn a() {}")),
            ("crates/intake/tests/it/a.rs", concat!("/// Pro", "ves: I4\n#[test]\nconst A: u8 = 1;")),
        ],
        &[
            ("crates/intake/tests/it/a.rs", concat!("/// Pro", "ves: I4, I5\n#[test]\nfn a() {}")),
            ("crates/intake/tests/it/a.rs", concat!("/// Pro", "ves part of: L1\n#[tokio::test]\nasync fn a() {}")),
            ("crates/eventlog/tests/it/a.rs", concat!("/// Pro", "ves: X5\nasync fn a(place: &Place) {}")),
            ("crates/intake/src/a.rs", "/// Proves nothing by itself.\nfn a() {}"),
        ],
    );
}

#[test]
fn the_status_table_counts_the_tests() {
    let tree = Tree::of(&[
        ("a.rs", concat!("/// Pro", "ves: I4\n#[test]\nfn a() {}\n/// Pro", "ves part of: I4, I5\n#[test]\nfn b() {}")),
        ("b.rs", concat!("/// Pro", "ves part of: I5\n#[test]\nfn a() {}")),
    ]);
    let table = status::table(&tree, Language::English);
    let status =
        |id: &str| table.lines().find(|line| line.starts_with(&format!("| {id} |"))).unwrap().rsplit("| ").next();
    assert_eq!(["I4", "I5", "I6"].map(status), [Some("proved by 2 tests |"), Some("in part: 2 tests |"), Some("– |")]);
    let workspace = Tree::of_workspace();
    tests::keep_section("README.md", "status", &status::table(&workspace, Language::English));
    tests::keep_section("docs/README.zh-CN.md", "status", &status::table(&workspace, Language::Chinese));
}
