//! Configuration documents in all their versions, and what can be wrong with those of notifier's own kinds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::batch::{Library, on_shelf};
use ticket::document::{Fault, Kept};

use crate::rule::Rule;
use crate::state::House;
use crate::text::Text;

/// The kind of texts.
pub const MESSAGE_TEXT: &str = "MessageText";
/// The kind of rules.
pub const REMINDER_RULE: &str = "ReminderRule";

/// A document in one version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Edition<T> {
    /// The position in the log at which it came in force, or ended the version before.
    pub(crate) position: u64,
    /// Nothing if it was taken out of force.
    pub(crate) kept: Option<Kept<T>>,
}

impl Edition<Rule> {
    pub(crate) fn read(&self) -> Option<(u64, &Rule)> {
        let kept = self.kept.as_ref()?;
        Some((kept.version, kept.get(Rule::read)?))
    }
}

impl Edition<Text> {
    pub(crate) fn read(&self) -> Option<(u64, &Text)> {
        let kept = self.kept.as_ref()?;
        Some((kept.version, kept.get(Text::read)?))
    }
}

/// A kind's documents: every version of each, oldest first.
pub(crate) type Shelf<T> = BTreeMap<String, Vec<Edition<T>>>;

/// The version in force now.
pub(crate) fn in_force<'a, T>(shelf: &'a Shelf<T>, name: &str) -> Option<&'a Kept<T>> {
    shelf.get(name)?.last()?.kept.as_ref()
}

/// The version that was in force when the log ended at this position.
pub(crate) fn in_force_at<T>(editions: &[Edition<T>], position: u64) -> Option<&Edition<T>> {
    editions[..editions.partition_point(|edition| edition.position <= position)].last()
}

/// One version.
pub(crate) fn pinned<'a, T>(shelf: &'a Shelf<T>, name: &str, version: u64) -> Option<&'a Edition<T>> {
    shelf.get(name)?.iter().find(|edition| edition.kept.as_ref().is_some_and(|kept| kept.version == version))
}

impl Library for House {
    const SERVICE: &'static str = "notifier";

    fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
        fn found<'a, T>(shelf: &'a Shelf<T>, name: &str) -> Option<(u64, &'a str)> {
            in_force(shelf, name).map(|kept| (kept.version, kept.spec.as_str()))
        }
        match kind {
            MESSAGE_TEXT => found(&self.texts, name),
            REMINDER_RULE => found(&self.rules, name),
            "Queue" => self.staff.queues.get(name).map(|_| (0, "")),
            _ => None,
        }
    }

    fn own(&self) -> Vec<(&'static str, &str)> {
        on_shelf(MESSAGE_TEXT, &self.texts).chain(on_shelf(REMINDER_RULE, &self.rules)).collect()
    }

    fn faults(kind: &str, spec: &Value) -> Vec<Fault> {
        if kind == MESSAGE_TEXT {
            return Text::read(spec).err().unwrap_or_default();
        }
        Rule::read(spec).err().unwrap_or_default()
    }
}
