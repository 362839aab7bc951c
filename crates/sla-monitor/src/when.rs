//! A condition of a clock: activities by name, or CEL over typed facts, compiled when its document is put in force.

use std::sync::Arc;

use ticket::condition::Condition;
use ticket::document::Part;
use ticket::glob::Globs;

use crate::scene::{Situation, sampled};

/// When something is so.
#[derive(Clone, Debug)]
pub enum When {
    /// At an activity of these names, and only then.
    Activity(Globs),
    /// After every fact of which this holds.
    Holds(Arc<Condition>),
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
            Self::Holds(condition) => condition.holds(&now.known()),
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
pub(crate) fn condition(part: &Part<'_>) -> Option<Arc<Condition>> {
    match compiled(part.text()?) {
        Ok(condition) => Some(condition),
        Err(why) => {
            part.fault(why);
            None
        }
    }
}

/// Compiles a condition over `ticket` and `event`; says in words what is wrong with it.
pub(crate) fn compiled(text: &str) -> Result<Arc<Condition>, String> {
    sampled(|sample| Condition::compile(text, sample)).map(Arc::new)
}
