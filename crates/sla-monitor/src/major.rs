//! Major events: a person says that something big is going on and which tickets it touches; until a person ends it,
//! another policy holds for them, with its own targets and its own people.

use std::collections::BTreeMap;
use std::sync::Arc;

use decider::{At, Decided, Micros, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::document::{Fault, Kept};
use ticket::sla::{Pinned, SlaEvent};
use ticket::{Event, Recorded, stream};

use crate::command::{Refusal, SlaMonitor};
use crate::documents::{SLA_POLICY, in_force};
use crate::scene::Situation;
use crate::state::State;
use crate::when::{Rule, compiled};

/// Most letters of a reason.
const MAX_REASON: usize = 1_000;
const MAX_NAME_BYTES: usize = 63;

/// A major event.
#[derive(Debug, Serialize, Deserialize)]
pub struct Major {
    /// Why it was declared.
    pub reason: String,
    scope: Kept<Arc<Rule>>,
    /// The policy that holds for its tickets.
    pub policy: Pinned,
    /// Where in the log it was declared.
    position: u64,
    /// When it was declared.
    pub declared_at: Micros,
    /// How and when it ended.
    pub ended: Option<(Micros, String)>,
}

impl Major {
    /// Which tickets it touches, as it was said.
    pub fn scope(&self) -> String {
        serde_json::from_str(&self.scope.spec).unwrap_or_default()
    }

    /// Whether it goes on at an instant, and touches a ticket as it stands then.
    fn touches(&self, ticket: &Situation<'_>, as_of: Micros) -> bool {
        let scope = self.scope.get(|text| compiled(text.as_str().unwrap_or_default()));
        let goes_on = self.declared_at <= as_of && self.ended.as_ref().is_none_or(|(at, _)| *at > as_of);
        goes_on && scope.is_some_and(|scope| scope.holds(ticket))
    }
}

/// Every major event there was, by name: one may be declared again once it has ended.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Majors(BTreeMap<String, Vec<Major>>);

impl Majors {
    /// The one that holds at an instant for a ticket as it stands then: the last declared of those that touch it.
    pub(crate) fn over(&self, ticket: &Situation<'_>, as_of: Micros) -> Option<(&str, &Major)> {
        let touching = self.iter().filter(|(_, major)| major.touches(ticket, as_of));
        touching.max_by_key(|(_, major)| major.position)
    }

    /// Every one there was, in order of name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Major)> {
        self.0.iter().flat_map(|(name, all)| all.iter().map(move |major| (name.as_str(), major)))
    }

    /// The last declared of this name.
    fn last(&self, name: &str) -> Option<&Major> {
        self.0.get(name)?.last()
    }

    /// Takes an event in.
    pub(crate) fn evolve(&mut self, event: &Recorded, sla: &SlaEvent) {
        match sla {
            SlaEvent::MajorEventDeclared { name, reason, scope, policy } => {
                let scope = Kept::new(event.version, &Value::from(scope.as_str()));
                let (reason, policy) = (reason.clone(), policy.clone());
                let (position, declared_at) = (event.position, event.occurred_at);
                let major = Major { reason, scope, policy, position, declared_at, ended: None };
                self.0.entry(name.clone()).or_default().push(major);
            }
            SlaEvent::MajorEventEnded { name, reason } => {
                if let Some(major) = self.0.get_mut(name).and_then(|all| all.last_mut()) {
                    major.ended = Some((event.occurred_at, reason.clone()));
                }
            }
            _ => {}
        }
    }
}

/// What a person says of a major event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Which tickets it touches: a condition.
    pub scope: String,
    /// The policy that is to hold for them.
    pub policy: String,
}

fn fault(path: &str, message: impl Into<String>) -> Fault {
    Fault { path: path.to_owned(), message: message.into() }
}

fn reason_fault(reason: &str) -> Option<Fault> {
    let letters = reason.chars().count();
    (letters == 0 || letters > MAX_REASON).then(|| fault("reason", format!("must have 1 to {MAX_REASON} letters")))
}

/// A person declares one.
pub(crate) fn declare(said: &Declaration, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let stream = stream::major(&said.name);
    let desk = read.guard(&stream).desk(&at.tenant);
    let known = desk.and_then(|desk| desk.majors.last(&said.name)).filter(|major| major.ended.is_none());
    if let Some(known) = known {
        let same = (known.reason == said.reason, known.scope() == said.scope, known.policy.name == said.policy);
        return if same == (true, true, true) { Ok(Vec::new()) } else { Err(Refusal::MajorOngoing(said.name.clone())) };
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut faults = Vec::new();
    if !(1..=MAX_NAME_BYTES).contains(&said.name.len()) || !said.name.bytes().all(letter) {
        faults.push(fault("name", "must be 1 to 63 of a-z, 0-9 and -"));
    }
    faults.extend(reason_fault(&said.reason));
    faults.extend(compiled(&said.scope).err().map(|why| fault("scope", why)));
    read.guard(&stream::config(<SlaMonitor as decider::Core>::NAME, SLA_POLICY, &said.policy));
    let policy = desk.and_then(|desk| in_force(&desk.policies, &said.policy));
    faults.extend(policy.is_none().then(|| fault("policy", format!("there is no SlaPolicy {}", said.policy))));
    let Some(policy) = policy.filter(|_| faults.is_empty()) else { return Err(Refusal::Fields(faults)) };
    let policy = Pinned { name: said.policy.clone(), version: policy.version };
    let (name, reason, scope) = (said.name.clone(), said.reason.clone(), said.scope.clone());
    Ok(vec![(stream, Event::Sla(SlaEvent::MajorEventDeclared { name, reason, scope, policy }))])
}

/// A person ends one.
pub(crate) fn end(name: &str, reason: &str, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let stream = stream::major(name);
    let known = read.guard(&stream).desk(&at.tenant).and_then(|desk| desk.majors.last(name));
    let known = known.ok_or_else(|| Refusal::MajorUnknown(name.to_owned()))?;
    if let Some(fault) = reason_fault(reason) {
        return Err(Refusal::Fields(vec![fault]));
    }
    if known.ended.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![(stream, Event::Sla(SlaEvent::MajorEventEnded { name: name.to_owned(), reason: reason.to_owned() }))])
}
