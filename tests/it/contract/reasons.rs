//! Every reason of a refusal is listed in `docs/errors.md`, with its code and what it means.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// Reason, code by its gRPC name, meaning.
type Reasons = Vec<(&'static str, String, &'static str)>;

fn table(of_each: Vec<(&'static str, Reasons)>) -> String {
    let mut rows: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (owner, reasons) in of_each {
        for (reason, code, meaning) in reasons {
            rows.entry((reason, code, meaning)).or_default().push(owner);
        }
    }
    let rows = rows.into_iter().map(|((reason, code, meaning), owners)| {
        format!("| `{reason}` | {code} | {} | {meaning} |\n", owners.join(", "))
    });
    let head = "| Reason | Code | Of | Meaning |\n|---|---|---|---|\n".to_owned();
    head + &rows.collect::<String>()
}

/// `UPPER_SNAKE`, as callers in other languages write it.
fn code_name(code: impl Debug) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

macro_rules! listed {
    ($reasons:expr) => {
        $reasons.iter().map(|(reason, code, meaning)| (*reason, code_name(code), *meaning)).collect()
    };
}

/// Proves part of: X5
#[test]
fn every_reason_is_documented() {
    let of_each = vec![
        ("every service", listed!(chassis::refuse::REASONS)),
        ("intake", listed!(intake::REASONS)),
        ("dispatch", listed!(dispatch::REASONS)),
        ("sla-monitor", listed!(sla_monitor::REASONS)),
        ("notifier", listed!(notifier::REASONS)),
        ("analytics", listed!(analytics::grpc::REASONS)),
    ];
    tests::keep_section("docs/errors.md", "reasons", &table(of_each));
}
