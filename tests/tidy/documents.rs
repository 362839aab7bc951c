//! The contract and the documents: packages, lengths, links.

use crate::tree::{Tree, Violation, numbered};

/// A package is named as its directory, so that an import says where to look.
pub(crate) fn proto_packages_match(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("proto") {
        let Some((directory, _)) = path.strip_prefix("proto/").and_then(|rest| rest.rsplit_once('/')) else {
            found.push(Violation::new(path, 1, "move it to proto/docket/<service>/v1"));
            continue;
        };
        let wanted = format!("package {};", directory.replace('/', "."));
        if !text.lines().any(|line| line.trim() == wanted) {
            found.push(Violation::new(path, 1, format!("write `{wanted}`, as the directory says")));
        }
    }
    found
}

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const ARCHITECTURE_MAX_LINES: usize = 150;

/// The map stays one that is read, not looked things up in.
pub(crate) fn architecture_is_short(tree: &Tree) -> Vec<Violation> {
    let lines = tree.files.get(ARCHITECTURE).map_or(0, |text| text.lines().count());
    let advice = format!("{lines} lines, at most {ARCHITECTURE_MAX_LINES}: leave out what the code says");
    if lines > ARCHITECTURE_MAX_LINES { vec![Violation::new(ARCHITECTURE, lines, advice)] } else { Vec::new() }
}

/// Every relative link of a document leads to a file or directory of the tree.
pub(crate) fn links_resolve(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("md") {
        let mut in_code = false;
        for (line, content) in numbered(text) {
            in_code ^= content.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            for target in links(content).filter(|target| !leads_somewhere(tree, path, target)) {
                found.push(Violation::new(path, line, format!("`{target}` does not exist: mend the link")));
            }
        }
    }
    found
}

/// Targets of the relative links in a line, without title and fragment; text between backticks is none.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').step_by(2).flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| {
        let target = rest.split([')', ' ', '#']).next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." if parts.pop().is_none() => return false,
            "" | "." | ".." => {}
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    tree.files.contains_key(&path)
        || tree.files.keys().any(|file| path.is_empty() || file.starts_with(&format!("{path}/")))
}
