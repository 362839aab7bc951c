//! Configuration documents: which service owns a kind, and reading a spec so that every fault is named at once.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The kinds of documents with the service that owns each, in the order in which they are applied.
pub const KINDS: [(&str, &str); 15] = [
    ("Calendar", "sla-monitor"),
    ("Queue", "intake"),
    ("Engineer", "dispatch"),
    ("Rota", "sla-monitor"),
    ("Escalation", "sla-monitor"),
    ("BacklogAlert", "sla-monitor"),
    ("SlaPolicy", "sla-monitor"),
    ("ShadowPolicy", "sla-monitor"),
    ("DispatchPolicy", "dispatch"),
    ("TicketType", "intake"),
    ("JobType", "dispatch"),
    ("MessageText", "notifier"),
    ("Routing", "dispatch"),
    ("ReminderRule", "notifier"),
    ("Report", "analytics"),
];

/// What documents name of each other: the kind, where in its spec (`*` stands for every item of a list), the kind named.
pub const REFERENCES: [(&str, &str, &str); 23] = [
    ("Queue", "/calendar", "Calendar"),
    ("Queue", "/fallback", "Queue"),
    ("Engineer", "/shift", "Calendar"),
    ("Escalation", "/steps/*/queue", "Queue"),
    ("Escalation", "/steps/*/rota", "Rota"),
    ("Escalation", "/fallback", "Queue"),
    ("BacklogAlert", "/queue", "Queue"),
    ("SlaPolicy", "/calendar", "Calendar"),
    ("SlaPolicy", "/escalation", "Escalation"),
    ("ShadowPolicy", "/calendar", "Calendar"),
    ("ShadowPolicy", "/escalation", "Escalation"),
    ("TicketType", "/calendar", "Calendar"),
    ("TicketType", "/queue", "Queue"),
    ("JobType", "/ticket_type", "TicketType"),
    ("JobType", "/policy", "DispatchPolicy"),
    ("Routing", "/rules/*/queue", "Queue"),
    ("Routing", "/rules/*/person", "Engineer"),
    ("ReminderRule", "/text", "MessageText"),
    ("ReminderRule", "/audience/queue", "Queue"),
    ("ReminderRule", "/escalate_to", "Queue"),
    ("ReminderRule", "/linked/*/queue", "Queue"),
    ("ReminderRule", "/acted", "MessageText"),
    ("Report", "/calendars/*/calendar", "Calendar"),
];

/// The service that owns a kind.
pub fn owner(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, owner)| *owner)
}

/// Another document that a spec names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// JSON pointer to where it is named.
    pub path: String,
    /// The kind of what is named.
    pub kind: &'static str,
    /// Its name.
    pub name: &'a str,
}

/// The documents a spec of this kind names; what else it says may be wrong.
pub fn references<'a>(kind: &str, spec: &'a Value) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    for (_, path, kind) in REFERENCES.into_iter().filter(|(of, ..)| *of == kind) {
        let mut add = |path: String| {
            let name = spec.pointer(&path).and_then(Value::as_str);
            found.extend(name.map(|name| Reference { path, kind, name }));
        };
        match path.split_once('*') {
            None => add(path.to_owned()),
            Some((list, below)) => {
                let items = spec.pointer(list.trim_end_matches('/')).and_then(Value::as_array).map_or(0, Vec::len);
                (0..items).for_each(|n| add(format!("{list}{n}{below}")));
            }
        }
    }
    found
}

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the spec, empty for the whole.
    pub path: String,
    /// In words.
    pub message: String,
}

/// A document as it came in force: kept as text, and read when first asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Kept<T> {
    /// The version of its stream.
    pub version: u64,
    /// Its spec as JSON text.
    pub spec: String,
    #[serde(skip)]
    read: OnceLock<Option<T>>,
}

impl<T> Kept<T> {
    /// A document as applied.
    pub fn new(version: u64, spec: &Value) -> Self {
        Self { version, spec: spec.to_string(), read: OnceLock::new() }
    }

    /// What it says; nothing if this program cannot read it. `read` is asked once.
    pub fn get<E>(&self, read: impl FnOnce(&Value) -> Result<T, E>) -> Option<&T> {
        let read = || serde_json::from_str(&self.spec).ok().and_then(|spec| read(&spec).ok());
        self.read.get_or_init(read).as_ref()
    }
}

/// A part of a spec while it is read; faults are gathered, and the reading goes on.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    value: &'a Value,
    path: String,
    faults: Rc<RefCell<Vec<Fault>>>,
}

/// Reads a spec; the faults gathered on the way, or what was read.
pub fn read<T>(spec: &Value, read: impl FnOnce(&Part<'_>) -> Option<T>) -> Result<T, Vec<Fault>> {
    let faults = Rc::new(RefCell::new(Vec::new()));
    let part = Part { value: spec, path: String::new(), faults: Rc::clone(&faults) };
    let outcome = read(&part);
    let mut gathered = faults.take();
    match outcome {
        Some(value) if gathered.is_empty() => Ok(value),
        _ if gathered.is_empty() => Err(vec![Fault { path: String::new(), message: "is incomplete".into() }]),
        _ => {
            gathered.sort_by(|a, b| a.path.cmp(&b.path));
            Err(gathered)
        }
    }
}

impl<'a> Part<'a> {
    /// Names a fault of this part.
    pub fn fault(&self, message: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { path: self.path.clone(), message: message.into() });
    }

    /// Names a fault of something below this part.
    pub fn fault_at(&self, path: &str, message: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { path: format!("{}{path}", self.path), message: message.into() });
    }

    /// Names every field that is not one of these.
    pub fn only(&self, known: &[&str]) {
        for name in self.object().into_iter().flat_map(Map::keys).filter(|name| !known.contains(&name.as_str())) {
            self.fault_at(&format!("/{}", escaped(name)), format!("is not a field here; known: {}", known.join(", ")));
        }
    }

    /// A field, if it is there.
    pub fn maybe(&self, name: &str) -> Option<Part<'a>> {
        let value = self.object()?.get(name).filter(|value| !value.is_null())?;
        Some(self.below(name, value))
    }

    /// A field that must be there.
    pub fn field(&self, name: &str) -> Option<Part<'a>> {
        let found = self.maybe(name);
        if found.is_none() && self.value.is_object() {
            self.fault_at(&format!("/{}", escaped(name)), "is required");
        }
        found
    }

    /// This part as text.
    pub fn text(&self) -> Option<&'a str> {
        self.or_fault(self.value.as_str(), "must be text")
    }

    /// This part as a whole number.
    pub fn number(&self) -> Option<i64> {
        self.or_fault(self.value.as_i64(), "must be a whole number")
    }

    /// This part as yes or no.
    pub fn flag(&self) -> Option<bool> {
        self.or_fault(self.value.as_bool(), "must be true or false")
    }

    /// This part as one of these words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.or_fault(found, &format!("must be one of: {}", known.join(", ")))
    }

    /// This part as a duration in seconds: `90s`, `30m`, `8h`, or a sum of them such as `1h30m`.
    pub fn duration_secs(&self) -> Option<i64> {
        self.or_fault(duration_secs(self.text()?), "must be a duration such as 8h, 30m or 1h30m")
    }

    /// The items of this part, which must be a list.
    pub fn items(&self) -> Vec<Part<'a>> {
        let items = self.or_fault(self.value.as_array(), "must be a list");
        items.into_iter().flatten().enumerate().map(|(n, value)| self.below(&n.to_string(), value)).collect()
    }

    /// The texts of this part, which must be a list of them.
    pub fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(Part::text).map(str::to_owned).collect()
    }

    /// The fields of this part with their names, which must be a map.
    pub fn entries(&self) -> Vec<(&'a str, Part<'a>)> {
        let fields = self.object().into_iter().flatten();
        fields.map(|(name, value)| (name.as_str(), self.below(name, value))).collect()
    }

    /// The JSON of this part.
    pub fn json(&self) -> &'a Value {
        self.value
    }

    fn object(&self) -> Option<&'a Map<String, Value>> {
        self.or_fault(self.value.as_object(), "must be a map")
    }

    fn below(&self, name: &str, value: &'a Value) -> Part<'a> {
        Part { value, path: format!("{}/{}", self.path, escaped(name)), faults: Rc::clone(&self.faults) }
    }

    fn or_fault<T>(&self, found: Option<T>, message: &str) -> Option<T> {
        if found.is_none() {
            let known = Fault { path: self.path.clone(), message: message.to_owned() };
            let mut faults = self.faults.borrow_mut();
            if !faults.contains(&known) {
                faults.push(known);
            }
        }
        found
    }
}

/// RFC 6901.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn duration_secs(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = String::new();
    for letter in text.chars() {
        let unit = match letter {
            '0'..='9' => {
                number.push(letter);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Proves part of: X1
    #[test]
    fn names_every_fault_at_once() {
        let spec = json!({"target": "8 hours", "marks": [50, "x"], "colour": "red"});
        let faults = read(&spec, |part| {
            part.only(&["target", "marks", "calendar"]);
            part.field("target")?.duration_secs();
            let marks: Vec<_> = part.field("marks")?.items().iter().filter_map(Part::number).collect();
            assert_eq!(marks, [50], "what can be read is read");
            part.field("calendar")?.text().map(str::to_owned)
        })
        .unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["/calendar", "/colour", "/marks/1", "/target"]);
    }

    #[test]
    fn a_spec_names_other_documents_whatever_else_is_wrong_with_it() {
        let spec = json!({"calendars": [{"calendar": "office"}, {"calendar": 7}, {"calendar": "night"}], "robots": 1});
        let named: Vec<_> = references("Report", &spec).into_iter().map(|one| (one.path, one.kind, one.name)).collect();
        let at = |n: u8| format!("/calendars/{n}/calendar");
        assert_eq!(named, [(at(0), "Calendar", "office"), (at(2), "Calendar", "night")]);
        assert!(references("Report", &json!([])).is_empty());
        for (kind, _, named) in REFERENCES {
            assert!(owner(kind).is_some() && owner(named).is_some(), "{kind} {named}");
        }
    }

    #[test]
    fn reads_durations() {
        assert_eq!(duration_secs("8h"), Some(28_800));
        assert_eq!(duration_secs("1h30m5s"), Some(5_405));
        for bad in ["", "8", "h", "1d", "-1h", "99999999999999999999h"] {
            assert_eq!(duration_secs(bad), None, "{bad}");
        }
    }
}
