//! The form of every event as JSON Schema, read off the very types that are stored; their comments are its descriptions.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::dispatch::DispatchEvent;
use crate::intake::IntakeEvent;
use crate::notifier::NotifierEvent;
use crate::sla::SlaEvent;

/// The forms of what outsiders may be told of: every family's but the house's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Schemas {
    /// The schema of each kind's body, with the kind's meaning as its description.
    pub kinds: BTreeMap<String, Value>,
    /// What they refer to as `#/$defs/<name>`.
    pub definitions: Map<String, Value>,
}

/// Reads them off the types.
pub fn schemas() -> Schemas {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut kinds = BTreeMap::new();
    family::<IntakeEvent>(&mut generator, &mut kinds);
    family::<DispatchEvent>(&mut generator, &mut kinds);
    family::<SlaEvent>(&mut generator, &mut kinds);
    family::<NotifierEvent>(&mut generator, &mut kinds);
    Schemas { kinds, definitions: generator.take_definitions(true) }
}

/// An enum's schema is a choice of `{"Kind": body}`: takes it apart by kind.
fn family<E: JsonSchema>(generator: &mut SchemaGenerator, kinds: &mut BTreeMap<String, Value>) {
    let choice = E::json_schema(generator);
    for variant in choice.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        let body = variant.get("properties").and_then(Value::as_object).and_then(|bodies| bodies.iter().next());
        let Some((kind, body)) = body else { continue };
        let mut body = body.clone();
        if let (Some(fields), Some(meaning)) = (body.as_object_mut(), variant.get("description")) {
            fields.insert("description".to_owned(), meaning.clone());
        }
        kinds.insert(kind.clone(), body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Family, KINDS};

    #[test]
    fn every_kind_has_a_form_and_a_meaning() {
        let schemas = schemas();
        let shown: Vec<_> = schemas.kinds.keys().map(String::as_str).collect();
        let known: Vec<_> = KINDS.iter().filter(|(_, of)| **of != Family::House).map(|(kind, _)| *kind).collect();
        assert_eq!(shown, known);
        for (kind, schema) in &schemas.kinds {
            assert!(schema["description"].as_str().is_some_and(|text| text.ends_with('.')), "{kind}: {schema}");
        }
        let received = &schemas.kinds["Received"];
        assert_eq!(received["required"], serde_json::json!(["request", "next"]));
        assert!(
            schemas.definitions["Request"]["required"].as_array().is_some_and(|all| !all.contains(&"contact".into()))
        );
    }
}
