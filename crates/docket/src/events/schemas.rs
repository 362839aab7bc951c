//! One JSON Schema document with the form of every public event under `$defs`.

use std::collections::BTreeSet;

use eventlog::outside::kinds::{PUBLIC, withhold};
use serde_json::{Map, Value, json};
use ticket::schema::schemas;

/// The document: `$defs` holds each kind's body by the kind's name, and whatever they refer to.
pub(super) fn bundle() -> Value {
    let known = schemas();
    let mut definitions: Map<String, Value> = PUBLIC
        .iter()
        .filter_map(|kind| Some(((*kind).to_owned(), shown(kind, known.kinds.get(*kind)?.clone()))))
        .collect();
    let mut wanted: Vec<String> = definitions.values().flat_map(references).collect();
    while let Some(name) = wanted.pop() {
        if let Some(definition) = known.definitions.get(&name).filter(|_| !definitions.contains_key(&name)) {
            wanted.extend(references(definition));
            definitions.insert(name, definition.clone());
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Docket's public events",
        "description": "Each kind's body under $defs, by the name its ce-dataschema ends in: urn:docket:<family>:<kind>:<schema>.",
        "$defs": definitions,
    })
}

/// Without the members that stay in the house; those deeper than the first level are optional and just never come.
fn shown(kind: &str, mut schema: Value) -> Value {
    withhold(kind, &mut schema["properties"]);
    let properties = schema["properties"].take();
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name.as_str().is_some_and(|name| properties.get(name).is_some()));
    }
    schema["properties"] = properties;
    schema
}

/// The names a schema refers to.
fn references(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
            own.map(str::to_owned).into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}
