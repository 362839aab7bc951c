//! What the tests across services share: files of the tree that a test renders and keeps true.

use std::path::PathBuf;
use std::{env, fs};

/// A file of the workspace, by its path from the root.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name)
}

/// Whether files are to be written as they should be, instead of held against it: `UPDATE_EXPECT=1`.
pub fn updating() -> bool {
    env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

/// The part of a text between `<!-- name:begin -->` and `<!-- name:end -->`.
pub fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<!-- {name}:begin -->\n"))?;
    rest.split_once(&format!("<!-- {name}:end -->")).map(|(part, _)| part)
}

/// Holds a section of a document against what it should be, or writes it so.
///
/// Panics if the document cannot be read, has no such section, or says something else.
pub fn keep_section(document: &str, name: &str, expected: &str) {
    let file = path(document);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{document}: {error}"));
    let Some(found) = section(&text, name) else { panic!("{document} has no section `{name}`") };
    let expected = format!("\n{expected}\n");
    if found == expected {
        return;
    }
    assert!(
        updating(),
        "section `{name}` of {document} is out of date; write it with UPDATE_EXPECT=1. It should be:\n{expected}"
    );
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let written = text.replace(&format!("{begin}{found}{end}"), &format!("{begin}{expected}{end}"));
    fs::write(&file, written).unwrap_or_else(|error| panic!("{document}: {error}"));
}
