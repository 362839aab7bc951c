//! The page with every public event: its meaning, its subject, an example.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;
use eventlog::bus::envelope::family;
use eventlog::outside::kinds::{PUBLIC, WITHHELD, withhold};
use eventlog::outside::{HEADERS, SUBJECTS};
use serde_json::Value;

use super::asyncapi::FAMILIES;
use super::schemas;

/// The page; `examples` is the directory of the golden events.
pub(super) fn page(examples: &Path) -> anyhow::Result<String> {
    let schemas = schemas::bundle();
    let mut page = include_str!("intro.txt").to_owned();
    page.push_str("| Header | | Meaning |\n|---|---|---|\n");
    for (name, always, meaning) in HEADERS {
        writeln!(page, "| `{name}` | {} | {meaning} |", if *always { "always" } else { "" })?;
    }
    for (name, about) in FAMILIES {
        writeln!(page, "\n## {name}\n\n{about}")?;
        for kind in PUBLIC.iter().filter(|kind| family(kind) == name) {
            let meaning = schemas["$defs"][kind]["description"].as_str().unwrap_or_default();
            writeln!(page, "\n### {kind}\n\n{meaning}\n\n`{SUBJECTS}.<tenant>.{name}.{kind}`\n")?;
            writeln!(page, "```json\n{}\n```", example(examples, kind)?)?;
        }
    }
    page.push_str("\n## What stays in the house\n\n| Kind | Why |\n|---|---|\n");
    for (kind, why) in WITHHELD {
        writeln!(page, "| `{kind}` | {why} |")?;
    }
    Ok(page)
}

/// The golden event of this kind, as it is seen with a grant.
fn example(examples: &Path, kind: &str) -> anyhow::Result<Value> {
    let file = examples.join(format!("{kind}.json"));
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut event: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let mut body = event["body"].take();
    withhold(kind, &mut body);
    Ok(body)
}
