//! A calendar as it is written down, and what can be wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Calendar;

/// Working hours in local time: the `spec` of a `kind: Calendar` document.
///
/// An interval is `HH:MM-HH:MM`, at most sixteen a day, none overlapping another; `24:00` may end one, and one that
/// ends at or before its start runs into the following day. A date is `YYYY-MM-DD`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The IANA name of the time zone, such as `Europe/Rome`.
    pub zone: String,
    /// The intervals of each day of the week, `mon` to `sun`; a day that is absent is closed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weekly: BTreeMap<String, Vec<String>>,
    /// Dates without working hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Dates with hours of their own, whatever week and holidays say: make-up days, short days, none for a closed one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, Vec<String>>,
    /// Weeks that take the place of `weekly`, each from its date on until the next begins; at most sixty-four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// A week in force from a date on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The first date on which this week holds; a night that starts the day before is the week's before.
    pub from: String,
    /// As [`Spec::weekly`]; empty for a season without hours, but not for good.
    pub weekly: BTreeMap<String, Vec<String>>,
}

/// A date without working hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "expected a date, or a date and a name")]
pub enum Holiday {
    /// The date alone.
    Date(String),
    /// The date and what is celebrated, for people to read.
    Named {
        /// The date.
        date: String,
        /// What is celebrated.
        name: String,
    },
}

impl Holiday {
    /// The date as written.
    pub fn date(&self) -> &str {
        match self {
            Self::Date(date) | Self::Named { date, .. } => date,
        }
    }
}

/// One thing wrong with a [`Spec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Fault {
    /// Where in the spec, as a JSON pointer such as `/weekly/mon/0`.
    pub path: String,
    /// What is wrong, in one clause.
    pub message: String,
}

impl Calendar {
    /// Reads a spec as it is written down and resolves it, or names **everything** that is wrong with it; what is no
    /// [`Spec`] at all is one fault of the whole.
    pub fn read<'de>(written: impl Deserializer<'de>) -> Result<Self, Vec<Fault>> {
        let spec = Spec::deserialize(written)
            .map_err(|error| vec![Fault { path: String::new(), message: error.to_string() }])?;
        Self::compile(&spec)
    }
}
