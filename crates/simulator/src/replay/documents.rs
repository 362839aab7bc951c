//! What a log is measured by: a policy, its calendars and the report that follows from them, out of the pack or of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use ticket::yaml::{self, Document};

use super::{Options, ReplayError};

/// The documents that hold unless others are named.
const PACK: &str = include_str!("../../../../deploy/pack/replay.yaml");
const PACK_NAME: &str = "work-order-log";
const PACK_CALENDAR: &str = "it";
/// What the report is called: the name the public API takes if none is given.
const REPORT: &str = "default";

/// The documents of a replay, ready to be applied.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    /// The calendars, the base first.
    pub(crate) calendars: Vec<(String, Value)>,
    /// The policy.
    pub(crate) policy: (String, Value),
    /// The report.
    pub(crate) report: (String, Value),
}

impl Documents {
    pub(super) fn of(options: &Options) -> Result<Self, ReplayError> {
        let mut known = Known(BTreeMap::new());
        known.add("the pack", PACK)?;
        let (_, pack) = known.find("Report", PACK_NAME)?;
        let (name, mut policy) = known.find("SlaPolicy", options.policy.as_deref().unwrap_or(PACK_NAME))?;
        let mut called = options.calendars.clone();
        if called.is_empty() {
            called.extend([policy["calendar"].as_str().unwrap_or_default().to_owned(), PACK_CALENDAR.to_owned()]);
            called.dedup();
        }
        let calendars = called.iter().map(|called| known.find("Calendar", called)).collect::<Result<Vec<_>, _>>()?;
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = calendars.iter().find(|(name, _)| !names.insert(name)) {
            return Err(ReplayError::Documents(vec![format!("two calendars are named {twice}")]));
        }
        if let Some(policy) = policy.as_object_mut() {
            policy.insert("calendar".into(), calendars[0].0.clone().into());
        }
        if let (Some(Value::Object(response)), false) =
            (policy.pointer_mut("/clocks/first_response"), options.reactions.is_empty())
        {
            response.insert("stop".into(), options.reactions.clone().into());
        }
        let report = report(options, &policy, &calendars, &pack);
        Ok(Self { calendars, report: (REPORT.to_owned(), report), policy: (name, policy) })
    }
}

/// The report that counts what the policy's clocks watch.
fn report(options: &Options, policy: &Value, calendars: &[(String, Value)], pack: &Value) -> Value {
    let suffixed = calendars.iter().enumerate().map(|(n, (name, _))| {
        let suffix = if n == 0 { String::new() } else { format!("_{name}") };
        json!({"suffix": suffix, "calendar": name})
    });
    let clock = |name: &str, field: &str| policy["clocks"][name][field].clone();
    let stated = |given: &[String], otherwise: Value| if given.is_empty() { otherwise } else { json!(given) };
    let stop = Some(clock("first_response", "stop")).filter(|stop| !stop.is_null());
    json!({
        "calendars": suffixed.collect::<Vec<_>>(),
        "response_target": clock("first_response", "target"),
        "resolution_target": clock("resolution", "target"),
        "reactions": stated(&options.reactions, stop.unwrap_or_else(|| pack["reactions"].clone())),
        "robots": stated(&options.robots, pack["robots"].clone()),
    })
}

/// Documents by kind and name.
struct Known(BTreeMap<(String, String), Value>);

impl Known {
    /// The document called for: a file's only one of the kind, or by its name in the pack or in a file read before.
    fn find(&mut self, kind: &str, called: &str) -> Result<(String, Value), ReplayError> {
        let named = |known: &Self| known.0.get(&(kind.to_owned(), called.to_owned())).cloned();
        if let Some(spec) = named(self) {
            return Ok((called.to_owned(), spec));
        }
        let wrong = |message: String| ReplayError::Documents(vec![message]);
        let text = fs::read_to_string(Path::new(called))
            .map_err(|error| wrong(format!("{called} is neither a {kind} of the pack nor a file: {error}")))?;
        let mut found: Vec<_> = self.add(called, &text)?.into_iter().filter(|document| document.kind == kind).collect();
        match (found.pop(), found.is_empty()) {
            (Some(document), true) => Ok((document.name, document.spec)),
            (None, _) => Err(wrong(format!("{called} holds no {kind}"))),
            (Some(_), false) => Err(wrong(format!("{called} holds more than one {kind}"))),
        }
    }

    fn add(&mut self, file: &str, text: &str) -> Result<Vec<Document>, ReplayError> {
        let documents = yaml::parse(text).map_err(|faults| {
            let placed = |fault: yaml::PlacedFault| {
                format!("{file}:{}:{}: {}", fault.place.line, fault.place.column, fault.message)
            };
            ReplayError::Documents(faults.into_iter().map(placed).collect())
        })?;
        for document in &documents {
            self.0.insert((document.kind.clone(), document.name.clone()), document.spec.clone());
        }
        Ok(documents)
    }
}
