//! Where events hold personal data: the places in the golden examples are the places in the document.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use ticket::codec;

use super::examples;

const DOCUMENT: &str = "docs/personal-data.md";

/// JSON pointers of the personal values; the name of a template's field is `*`.
fn places(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("personal") => {
            found.insert(path.to_owned());
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if path.ends_with("/fields") { "*" } else { name };
                places(value, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| places(item, &format!("{path}/*"), found)),
        _ => {}
    }
}

/// The first two cells of every row of the document's table that names a kind.
fn documented() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(tests::path(DOCUMENT)).unwrap();
    let table = tests::section(&text, "places").expect("a table between the marks `places`");
    let cell = |cell: &str| cell.trim().strip_prefix('`')?.strip_suffix('`').map(str::to_owned);
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1);
        Some((cell(cells.next()?)?, cell(cells.next()?)?))
    };
    table.lines().filter_map(row).collect()
}

/// Proves part of: X6
#[test]
fn every_place_of_personal_data_is_documented() {
    let mut held = BTreeSet::new();
    for event in examples::full() {
        let (kind, body) = codec::encode(&event).unwrap();
        let mut found = BTreeSet::new();
        places(&serde_json::from_slice(&body).unwrap(), "", &mut found);
        held.extend(found.into_iter().map(|path| (kind.clone(), path)));
    }
    assert!(held.contains(&("Received".into(), "/request/fields/*/private".into())), "{held:?}");
    assert_eq!(documented(), held, "left: {DOCUMENT}, right: the examples");
}
