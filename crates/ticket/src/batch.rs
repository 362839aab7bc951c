//! A batch of documents to be put in force: all of them or none, and every fault of every one named at once.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Decided, Read, Stream};
use serde_json::Value;

use crate::document::{Fault, Reference, owner, references};
use crate::house::HouseEvent;
use crate::{Event, Recorded, stream};

/// Most documents a request may hold, those of other services among them.
pub const MAX_BATCH: usize = 500;
/// Most documents of its own kinds that a service puts in force at once: one append holds no more events.
pub const MAX_DOCUMENTS: usize = 64;
/// Most letters of the reason for which a document is put in force.
pub const MAX_REASON: usize = 1_000;
const MAX_NAME_BYTES: usize = 63;

/// A document somebody wants in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The kind.
    pub kind: String,
    /// The name, unique with the kind.
    pub name: String,
    /// The spec.
    pub spec: Value,
    /// Why it is put in force though it opens a hole, if it is.
    pub reason: Option<String>,
}

/// A fault in one document of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentFault {
    /// The document's kind.
    pub kind: String,
    /// The document's name.
    pub name: String,
    /// What is wrong, and where in its spec.
    pub fault: Fault,
}

/// A document as callers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The spec as JSON text.
    pub spec: String,
    /// The version in force, 0 if there is none.
    pub version: u64,
}

/// What a service knows of one tenant's documents.
pub trait Library {
    /// The service.
    const SERVICE: &'static str;
    /// Version and spec (as JSON text) of a document in force: of the service's own kinds and those they name.
    fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)>;
    /// Kind and name of every document of the service's own kinds that it ever knew, in order.
    fn own(&self) -> Vec<(&'static str, &str)>;
    /// Everything that is wrong with a spec of one of the service's own kinds; that what it names is there, is not its
    /// matter.
    fn faults(kind: &str, spec: &Value) -> Vec<Fault>;

    /// The documents of the service's own kinds in force, in order of kind and name: only of `kind`, unless it is empty.
    fn listed(&self, kind: &str) -> Vec<Listed> {
        let wanted = self.own().into_iter().filter(|(own, _)| kind.is_empty() || *own == kind);
        let listed = wanted.filter_map(|(kind, name)| {
            let (version, spec) = self.in_force(kind, name)?;
            Some(Listed { kind: kind.to_owned(), name: name.to_owned(), spec: spec.to_owned(), version })
        });
        listed.collect()
    }
}

/// Kind and name of every document on a shelf of one kind.
pub fn on_shelf<'a, T>(
    kind: &'static str,
    shelf: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    shelf.keys().map(move |name| (kind, name.as_str()))
}

impl Listed {
    /// The document that an event put in force.
    pub fn applied(event: &Recorded) -> Option<Self> {
        let Event::House(HouseEvent::ConfigApplied { kind, name, spec, .. }) = &event.event else { return None };
        let (kind, name, spec) = (kind.clone(), name.clone(), spec.to_string());
        Some(Self { kind, name, spec, version: event.version })
    }
}

/// What a caller gives (kind, name, spec as JSON text) as drafts, and a fault for each whose spec is no JSON; other
/// services find those of their own documents.
pub fn parse<'a>(
    service: &str,
    given: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
) -> (Vec<Draft>, Vec<DocumentFault>) {
    let (mut drafts, mut faults) = (Vec::new(), Vec::new());
    for (kind, name, spec) in given {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        match serde_json::from_str(spec) {
            Ok(spec) => drafts.push(Draft { kind, name, spec, reason: None }),
            Err(_) if foreign(service, &kind) => {}
            Err(error) => faults.push(DocumentFault { kind, name, fault: whole(format!("is no JSON: {error}")) }),
        }
    }
    (drafts, faults)
}

/// The drafts of a service's own kinds that differ from what is in force, or every fault of every one of them. Drafts of
/// other kinds are only looked at: they count as in force.
pub fn changes<'a, L: Library>(library: &L, batch: &'a [Draft]) -> Result<Vec<&'a Draft>, Vec<DocumentFault>> {
    judge(library, batch, |_| {})
}

/// What putting a batch in force would change, each with the version now in force, or every fault, behind those of what
/// could not even be parsed.
pub fn rehearse<L: Library>(
    library: &L,
    batch: &[Draft],
    mut unparsed: Vec<DocumentFault>,
) -> Result<Vec<Listed>, Vec<DocumentFault>> {
    let listed = |draft: &Draft| Listed {
        kind: draft.kind.clone(),
        name: draft.name.clone(),
        spec: draft.spec.to_string(),
        version: library.in_force(&draft.kind, &draft.name).map_or(0, |(version, _)| version),
    };
    match changes(library, batch) {
        Ok(changed) if unparsed.is_empty() => Ok(changed.into_iter().map(listed).collect()),
        Ok(_) => Err(unparsed),
        Err(found) => {
            unparsed.extend(found);
            Err(unparsed)
        }
    }
}

/// Decides that the drafts of a service's own kinds be in force; every one of them and everything they lean on is
/// guarded. Nothing may lean on what is not in force, so drafts of other kinds do not count.
pub fn decide<L: Library, S>(
    library: &L,
    batch: &[Draft],
    read: &Read<'_, S>,
) -> Result<Decided<Event>, Vec<DocumentFault>> {
    let own: Vec<_> = batch.iter().filter(|draft| !foreign(L::SERVICE, &draft.kind)).cloned().collect();
    let changed = judge(library, &own, |stream| {
        read.guard(stream);
    })?;
    let event = |draft: &Draft| {
        let Draft { kind, name, spec, reason } = draft.clone();
        (stream::config(L::SERVICE, &kind, &name), Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason }))
    };
    Ok(changed.into_iter().map(event).collect())
}

/// As [`changes`]; says which streams the judgement leans on.
fn judge<'a, L: Library>(
    library: &L,
    batch: &'a [Draft],
    leans_on: impl Fn(&Stream),
) -> Result<Vec<&'a Draft>, Vec<DocumentFault>> {
    let (mut seen, mut faults) = (BTreeSet::new(), Vec::new());
    let mut own: Vec<_> = batch.iter().filter(|draft| !foreign(L::SERVICE, &draft.kind)).collect();
    for (n, draft) in own.iter().enumerate() {
        leans_on(&stream::config(L::SERVICE, &draft.kind, &draft.name));
        let mut found = Vec::new();
        if n == MAX_DOCUMENTS {
            found.push(whole(format!("is one too many: {} takes at most {MAX_DOCUMENTS} at once", L::SERVICE)));
        }
        if !seen.insert((&draft.kind, &draft.name)) {
            found.push(whole("is given twice"));
        }
        found.extend(check(library, batch, draft, &leans_on));
        let of_draft = |fault| DocumentFault { kind: draft.kind.clone(), name: draft.name.clone(), fault };
        faults.extend(found.into_iter().map(of_draft));
    }
    own.retain(|draft| library.in_force(&draft.kind, &draft.name).is_none_or(|(_, spec)| !says(spec, &draft.spec)));
    if faults.is_empty() { Ok(own) } else { Err(faults) }
}

/// What is wrong with a draft of an own kind, or of none.
fn check<L: Library>(library: &L, batch: &[Draft], draft: &Draft, leans_on: &impl Fn(&Stream)) -> Vec<Fault> {
    let mut faults = Vec::new();
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=MAX_NAME_BYTES).contains(&draft.name.len()) || !draft.name.bytes().all(letter) {
        faults.push(whole("needs a name of at most 63 of a-z, 0-9 and -"));
    }
    if owner(&draft.kind).is_none() {
        faults.push(whole(format!("there is no kind {}", draft.kind)));
        return faults;
    }
    let mut found = L::faults(&draft.kind, &draft.spec);
    for Reference { path, kind, name } in references(&draft.kind, &draft.spec) {
        leans_on(&stream::config(owner(kind).unwrap_or_default(), kind, name));
        let given = batch.iter().any(|other| other.kind == kind && other.name == name);
        if !given && library.in_force(kind, name).is_none() {
            found.push(Fault { path, message: format!("there is no {kind} {name}") });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    faults.extend(found);
    faults
}

/// Whether another service owns a kind.
fn foreign(service: &str, kind: &str) -> bool {
    owner(kind).is_some_and(|owner| owner != service)
}

fn says(text: &str, spec: &Value) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|known| known == *spec)
}

fn whole(message: impl Into<String>) -> Fault {
    Fault { path: String::new(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use decider::{Tenant, Versions};
    use serde_json::json;

    use super::*;

    /// A service that owns queues alone, and knows one of them and one calendar.
    struct Known;

    impl Library for Known {
        const SERVICE: &'static str = "intake";

        fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
            match (kind, name) {
                ("Queue", "desk") => Some((3, r#"{"calendar":"office"}"#)),
                ("Calendar", "office") => Some((1, "{}")),
                _ => None,
            }
        }

        fn own(&self) -> Vec<(&'static str, &str)> {
            vec![("Queue", "desk"), ("Queue", "retired")]
        }

        fn faults(_: &str, spec: &Value) -> Vec<Fault> {
            if spec.is_object() { Vec::new() } else { vec![whole("must be a map")] }
        }
    }

    fn draft(kind: &str, name: &str, calendar: &str) -> Draft {
        Draft { kind: kind.into(), name: name.into(), spec: json!({ "calendar": calendar }), reason: None }
    }

    fn told(faults: Vec<DocumentFault>) -> Vec<String> {
        faults.into_iter().map(|at| format!("{} {}: {}", at.name, at.fault.path, at.fault.message)).collect()
    }

    /// Proves part of: X1
    #[test]
    fn every_fault_of_every_document_is_named() {
        let batch = [
            draft("Queue", "a_b", "moon"),
            draft("Queue", "c", "office"),
            draft("Queue", "c", "office"),
            draft("Fax", "d", "office"),
            Draft { kind: "Queue".into(), name: "e".into(), spec: json!([]), reason: None },
        ];
        let expected = [
            "a_b : needs a name of at most 63 of a-z, 0-9 and -",
            "a_b /calendar: there is no Calendar moon",
            "c : is given twice",
            "d : there is no kind Fax",
            "e : must be a map",
        ];
        assert_eq!(told(changes(&Known, &batch).unwrap_err()), expected);
    }

    #[test]
    fn what_says_the_same_is_no_change() {
        let batch = [draft("Queue", "desk", "office"), draft("Queue", "field", "office")];
        assert_eq!(changes(&Known, &batch).unwrap(), [&batch[1]]);
        let listed =
            rehearse(&Known, &[draft("Queue", "desk", "office"), draft("Queue", "new", "office")], Vec::new()).unwrap();
        assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].version), (1, "new", 0));
    }

    #[test]
    fn documents_in_force_are_listed_by_kind() {
        let names = |kind| Known.listed(kind).into_iter().map(|one| (one.name, one.version)).collect::<Vec<_>>();
        assert_eq!(names(""), [("desk".to_owned(), 3)]);
        assert_eq!(names("Queue"), names(""));
        assert!(names("Calendar").is_empty());
    }

    #[test]
    fn documents_of_other_services_are_only_looked_at() {
        let batch = [draft("Queue", "new", "moon"), draft("Calendar", "moon", "")];
        assert_eq!(changes(&Known, &batch).unwrap(), [&batch[0]]);
        let (versions, tenant) = (Versions::default(), Tenant::new("acme"));
        let decided = decide(&Known, &batch, &Read::new(&(), &versions, &tenant));
        assert_eq!(told(decided.unwrap_err()), ["new /calendar: there is no Calendar moon"]);
    }

    #[test]
    fn text_that_is_no_json_is_a_fault_of_its_document() {
        let (drafts, faults) = parse("intake", [("Queue", "a", "{"), ("Queue", "b", "[]"), ("Calendar", "c", "{")]);
        assert_eq!((drafts.len(), faults.len()), (1, 1));
        let told = told(rehearse(&Known, &drafts, faults).unwrap_err());
        assert!(told[0].starts_with("a : is no JSON: ") && told[1] == "b : must be a map", "{told:?}");
    }

    #[test]
    fn a_batch_holds_at_most_as_many_as_one_append() {
        let batch: Vec<_> = (0..=MAX_DOCUMENTS).map(|n| draft("Queue", &n.to_string(), "office")).collect();
        assert_eq!(changes(&Known, &batch[1..]).unwrap().len(), MAX_DOCUMENTS);
        assert_eq!(
            told(changes(&Known, &batch).unwrap_err()),
            ["64 : is one too many: intake takes at most 64 at once"]
        );
    }

    #[test]
    fn a_decision_guards_what_it_writes_and_what_it_leans_on() {
        let (versions, tenant) = (Versions::default(), Tenant::new("acme"));
        let read = Read::new(&(), &versions, &tenant);
        let decided = decide(&Known, &[draft("Queue", "field", "office")], &read).unwrap();
        assert_eq!(decided[0].0.as_str(), "config/intake/Queue/field");
        let guards: Vec<_> = read.into_guards().into_keys().map(|stream| stream.to_string()).collect();
        assert_eq!(guards, ["config/intake/Queue/field", "config/sla-monitor/Calendar/office"]);
    }
}
