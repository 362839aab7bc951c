//! YAML files of documents, with the line and column of every part, so that every fault can name its place.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Number, Value};

use crate::document::{Fault, owner};

/// Line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// A YAML document as JSON, with the place of every part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// What it says.
    pub value: Value,
    places: BTreeMap<String, Place>,
}

impl Marked {
    /// The place of the part with this JSON pointer, or of the nearest part that holds it.
    pub fn place(&self, pointer: &str) -> Place {
        let mut path = pointer;
        loop {
            if let Some(place) = self.places.get(path) {
                return *place;
            }
            match path.rfind('/') {
                Some(at) => path = &path[..at],
                None => return Place { line: 1, column: 1 },
            }
        }
    }
}

/// A document as a file holds it: `kind`, `name`, `spec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The kind.
    pub kind: String,
    /// The name, unique with the kind.
    pub name: String,
    /// The spec.
    pub spec: Value,
    marked: Marked,
}

/// A fault with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedFault {
    /// Where.
    pub place: Place,
    /// What.
    pub message: String,
}

impl Document {
    /// A fault of this document's spec with its place.
    pub fn place(&self, fault: &Fault) -> PlacedFault {
        let place = self.marked.place(&format!("/spec{}", fault.path));
        let message = format!("{} {}: {} {}", self.kind, self.name, fault.path, fault.message);
        PlacedFault { place, message }
    }
}

/// Reads every YAML document of a text.
pub fn load(text: &str) -> Result<Vec<Marked>, Vec<PlacedFault>> {
    let nodes = MarkedYaml::load_from_str(text).map_err(|error| {
        let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
        vec![PlacedFault { place, message: error.info().to_owned() }]
    })?;
    let mut faults = Vec::new();
    let mut marked = Vec::new();
    for node in &nodes {
        let mut places = BTreeMap::new();
        let value = json(node, String::new(), &mut places, &mut faults);
        marked.push(Marked { value, places });
    }
    if faults.is_empty() { Ok(marked) } else { Err(faults) }
}

/// Reads every configuration document of a file; every one that is none is a fault.
pub fn parse(text: &str) -> Result<Vec<Document>, Vec<PlacedFault>> {
    let mut documents = Vec::new();
    let mut faults = Vec::new();
    for marked in load(text)? {
        if !marked.value.is_null() {
            document(marked, &mut documents, &mut faults);
        }
    }
    if faults.is_empty() { Ok(documents) } else { Err(faults) }
}

fn document(marked: Marked, documents: &mut Vec<Document>, faults: &mut Vec<PlacedFault>) {
    let value = &marked.value;
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut fault = |path: &str, message: String| faults.push(PlacedFault { place: marked.place(path), message });
    for name in value.as_object().into_iter().flat_map(Map::keys) {
        if !["kind", "name", "spec"].contains(&name.as_str()) {
            fault(&format!("/{name}"), format!("{name} is not a field of a document; known: kind, name, spec"));
        }
    }
    match (text("kind"), text("name"), value.get("spec")) {
        (Some(kind), Some(_), Some(_)) if owner(kind).is_none() => fault("/kind", format!("no kind {kind}")),
        (Some(kind), Some(name), Some(spec)) => {
            let (kind, name, spec) = (kind.to_owned(), name.to_owned(), spec.clone());
            documents.push(Document { kind, name, spec, marked });
        }
        _ => fault("", "a document needs kind, name and spec".into()),
    }
}

fn at(node: &MarkedYaml<'_>) -> Place {
    Place { line: node.span.start.line(), column: node.span.start.col() + 1 }
}

fn json(
    node: &MarkedYaml<'_>,
    path: String,
    places: &mut BTreeMap<String, Place>,
    faults: &mut Vec<PlacedFault>,
) -> Value {
    let mut bad = |message: &str| {
        faults.push(PlacedFault { place: at(node), message: message.to_owned() });
        Value::Null
    };
    let value = match &node.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(flag)) => Value::Bool(*flag),
        YamlData::Value(Scalar::Integer(number)) => Value::Number(Number::from(*number)),
        YamlData::Value(Scalar::String(text)) => Value::String(text.to_string()),
        YamlData::Value(Scalar::FloatingPoint(_)) => bad("fractions are not used in documents"),
        YamlData::Sequence(items) => {
            let items = items.iter().enumerate();
            Value::Array(items.map(|(n, item)| json(item, format!("{path}/{n}"), places, faults)).collect())
        }
        YamlData::Mapping(entries) => {
            let mut map = Map::new();
            for (key, item) in entries {
                let name = match &key.data {
                    YamlData::Value(Scalar::String(text)) => text.to_string(),
                    YamlData::Value(Scalar::Integer(number)) => number.to_string(),
                    _ => {
                        faults.push(PlacedFault { place: at(key), message: "a key must be text".into() });
                        continue;
                    }
                };
                let below = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                let value = json(item, below.clone(), places, faults);
                places.insert(below, at(key));
                map.insert(name, value);
            }
            Value::Object(map)
        }
        YamlData::Tagged(..) | YamlData::Alias(_) | YamlData::Representation(..) | YamlData::BadValue => {
            bad("tags and aliases are not used in documents")
        }
    };
    places.entry(path).or_insert(at(node));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "kind: Queue\nname: desk\nspec:\n  members: [ann]\n  attend_within: soon\n---\nkind: Queu\nname: x\nspec: {}\n";

    /// Proves part of: X1
    #[test]
    fn a_fault_names_line_and_column() {
        let faults = parse(FILE).unwrap_err();
        assert_eq!(faults, [PlacedFault { place: Place { line: 7, column: 1 }, message: "no kind Queu".into() }]);
        let good = parse(FILE.split("---").next().unwrap()).unwrap();
        let fault = Fault { path: "/attend_within".into(), message: "must be a duration".into() };
        assert_eq!(good[0].place(&fault).place, Place { line: 5, column: 3 });
        let missing = Fault { path: "/calendar".into(), message: "is required".into() };
        assert_eq!(good[0].place(&missing).place, Place { line: 3, column: 1 });
    }

    #[test]
    fn broken_yaml_is_a_fault_with_its_place() {
        let faults = parse("kind: Queue\nname: [\n").unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].place.line >= 2, "{faults:?}");
    }
}
