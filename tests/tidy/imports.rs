//! Which crate may import which: the table of the design, read off the manifests.

use crate::tree::{Tree, Violation, numbered};

const SERVICE: &[&str] = &["decider", "calendar", "ticket", "proto", "eventlog", "chassis"];

/// What each crate may import of ours.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("decider", &[]),
    ("calendar", &[]),
    ("calendar-import", &["calendar"]),
    ("ticket", &["decider"]),
    ("proto", &[]),
    ("eventlog", &["decider", "ticket"]),
    ("chassis", &["proto"]),
    ("intake", SERVICE),
    ("dispatch", SERVICE),
    ("sla-monitor", SERVICE),
    ("notifier", SERVICE),
    ("analytics", SERVICE),
];

/// These put the parts together and may import anything.
const ASSEMBLERS: &[&str] = &["simulator", "docket"];

/// Foreign crates reached only through ours that wraps them.
const WRAPPED: &[(&str, &[&str])] = &[
    ("sqlx", &["eventlog"]),
    ("async-nats", &["eventlog"]),
    ("opentelemetry", &["chassis"]),
    ("opentelemetry-otlp", &["chassis"]),
    ("opentelemetry-prometheus", &["chassis"]),
    ("opentelemetry-sdk", &["chassis"]),
    ("tracing-opentelemetry", &["chassis"]),
    ("prometheus", &["chassis"]),
    // chassis' tests call methods that are in no contract: they need the codec itself.
    ("tonic-prost", &["proto", "chassis"]),
    ("tonic-prost-build", &["proto"]),
    ("protox", &["proto"]),
    ("prost", &["proto", "chassis"]),
    ("prost-types", &["proto", "chassis"]),
];

/// Normal dependencies keep to the table; tests may import more.
pub(crate) fn keep_to_the_table(tree: &Tree) -> Vec<Violation> {
    let ours = |name: &str| ASSEMBLERS.contains(&name) || MAY_IMPORT.iter().any(|(of, _)| *of == name);
    let mut found = Vec::new();
    for (path, importer, manifest) in manifests(tree) {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == importer) else {
            found.push(Violation::new(
                path,
                1,
                format!("give `{importer}` its row in the design's table and in this one"),
            ));
            continue;
        };
        for dependency in dependencies(manifest) {
            let name = dependency.name.as_str();
            if dependency.normal && ours(name) && !allowed.contains(&name) {
                let advice =
                    format!("`{importer}` may not import `{name}`: let an event or an argument carry what it needs");
                found.push(Violation::new(path, dependency.line, advice));
            }
        }
    }
    found
}

/// Wrapped crates appear in no manifest but their owner's, not even for tests.
pub(crate) fn leave_wrapped_crates_to_their_owner(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, importer, manifest) in manifests(tree) {
        for dependency in dependencies(manifest) {
            let owners = WRAPPED.iter().find(|(name, _)| *name == dependency.name).map(|(_, owners)| *owners);
            if let Some(owners) = owners.filter(|owners| !owners.contains(&importer)) {
                let advice = format!("only {} may hold `{}`: go through it", owners.join(" and "), dependency.name);
                found.push(Violation::new(path, dependency.line, advice));
            }
        }
    }
    found
}

/// The manifests of the bound crates: path, name of the crate, text.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str, &str)> {
    tree.with_extension("toml").filter_map(|(path, text)| {
        let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
        (!ASSEMBLERS.contains(&name)).then_some((path, name, text))
    })
}

struct Dependency {
    line: usize,
    name: String,
    normal: bool,
}

/// Reads the dependency tables in every form cargo knows: `x = …`, `x.workspace = …`, `[dependencies.x]`, per target.
fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut table = "";
    for (line, text) in numbered(manifest) {
        let text = text.trim();
        let name = if let Some(header) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let (parent, last) = header.rsplit_once('.').unwrap_or(("", header));
            let names_one = parent.ends_with("dependencies");
            table = if names_one { parent } else { header };
            names_one.then_some(last)
        } else if table.ends_with("dependencies") && !text.starts_with('#') {
            text.split_once("package = \"")
                .and_then(|(_, rest)| rest.split('"').next())
                .or_else(|| text.split(['.', '=', ' ']).next())
        } else {
            None
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let normal = !table.ends_with("dev-dependencies") && !table.ends_with("build-dependencies");
            found.push(Dependency { line, name: name.replace('_', "-"), normal });
        }
    }
    found
}
