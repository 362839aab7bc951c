//! A condition of a clock: activities by name, or CEL over typed facts, compiled when its document is put in force.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use ticket::condition::Condition;
use ticket::document::Part;
use ticket::glob::Globs;

use crate::scene::{Situation, sampled};

/// Most situations a condition remembers; all are forgotten when one more comes.
const MAX_KNOWN: usize = 4_096;

/// When something is so.
#[derive(Clone, Debug)]
pub enum When {
    /// At an activity of these names, and only then.
    Activity(Globs),
    /// After every fact of which this holds.
    Holds(Arc<Rule>),
}

/// A condition over `ticket` and `event`, which remembers what it found: tickets are in few situations, again and again.
#[derive(Debug)]
pub struct Rule {
    condition: Condition,
    /// What it found, by situation; nothing if it reads what differs from ticket to ticket.
    known: Option<Mutex<BTreeMap<Vec<u8>, bool>>>,
}

impl Rule {
    fn new(condition: Condition) -> Self {
        let own = |fields: BTreeSet<&str>| fields.contains("customer") || fields.contains("fields");
        let shared = condition.reads("ticket").is_some_and(|fields| !own(fields));
        Self { condition, known: shared.then(Mutex::default) }
    }

    /// Whether it holds of a ticket as it stands.
    pub(crate) fn holds(&self, now: &Situation<'_>) -> bool {
        let Some(known) = &self.known else { return self.condition.holds(&now.known()) };
        let (key, mut known) = (now.key(), known.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(found) = known.get(&key) {
            return *found;
        }
        if known.len() == MAX_KNOWN {
            known.clear();
        }
        let found = self.condition.holds(&now.known());
        known.insert(key, found);
        found
    }
}

impl When {
    /// Never.
    pub fn never() -> Self {
        Self::Activity(Globs::default())
    }

    /// Whether it is so now, right after what happened last.
    pub fn holds(&self, now: &Situation<'_>) -> bool {
        match self {
            Self::Activity(globs) => globs.matches(now.activity),
            Self::Holds(rule) => rule.holds(now),
        }
    }

    /// Whether it may go on being so: an activity is over at once.
    pub(crate) fn lasts(&self) -> bool {
        matches!(self, Self::Holds(_))
    }

    /// Reads a list of activities, or a condition; names what is wrong with either.
    pub(crate) fn read(part: &Part<'_>) -> Option<Self> {
        if part.json().is_string() {
            return condition(part).map(Self::Holds);
        }
        let patterns = part.texts();
        let globs = Globs::new(&patterns);
        if !patterns.is_empty() && globs.matches_nothing() {
            part.fault("only excludes, so nothing would match");
        }
        Some(Self::Activity(globs))
    }
}

/// A condition over `ticket` and `event`.
pub(crate) fn condition(part: &Part<'_>) -> Option<Arc<Rule>> {
    match compiled(part.text()?) {
        Ok(condition) => Some(condition),
        Err(why) => {
            part.fault(why);
            None
        }
    }
}

/// Compiles a condition over `ticket` and `event`; says in words what is wrong with it.
pub(crate) fn compiled(text: &str) -> Result<Arc<Rule>, String> {
    sampled(|sample| Condition::compile(text, sample)).map(Rule::new).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use ticket::fact::Touch;
    use ticket::intake::Status;

    use super::*;
    use crate::clock::Seen;
    use crate::scene::{About, Profile};

    /// Every situation in which any two of these may differ.
    fn situations(profile: &Profile) -> Vec<Situation<'_>> {
        let mut found = Vec::new();
        for ticket_type in ["incident", "repair"] {
            for (priority, queue) in [("low", "desk"), ("lowdesk", ""), ("", "lowdesk"), ("low", "field")] {
                for (status, touch) in [
                    (Status::Open, None),
                    (Status::Waiting, Some(Touch::Inbound)),
                    (Status::Open, Some(Touch::Outbound)),
                ] {
                    for activity in ["Note", "Reply"] {
                        let mut now = Situation::new(About { ticket_type, imported: false, profile });
                        let said = Seen::of(0, activity);
                        now.learn(&Seen {
                            status: Some(status),
                            priority: Some(priority),
                            queue: Some(queue),
                            touch,
                            ..said
                        });
                        found.push(now);
                    }
                }
            }
        }
        found
    }

    #[test]
    fn what_is_remembered_is_what_would_be_found() {
        let profile = Profile::default();
        for (text, remembers) in [
            ("ticket.queue == 'desk' || event.activity == 'Reply'", true),
            ("ticket.unanswered && ticket.ticket_type == 'repair' && event.touch != ''", true),
            ("'customer' in ticket.waiting_for || ticket.priority == 'lowdesk'", true),
            ("!ticket.has_customer && ticket.status == 'open'", true),
            ("has(ticket.fields.floor) || ticket.status == 'open'", false),
            ("ticket.customer == '' && ticket.queue == 'field'", false),
        ] {
            let rule = compiled(text).unwrap();
            assert_eq!(rule.known.is_some(), remembers, "{text}");
            let mut held = BTreeSet::new();
            for _ in 0..2 {
                for now in situations(&profile) {
                    let holds = rule.holds(&now);
                    assert_eq!(holds, rule.condition.holds(&now.known()), "{text} {now:?}");
                    held.insert(holds);
                }
            }
            assert_eq!(held.len(), 2, "{text} holds and does not");
        }
    }
}
