//! Breaking what must hold, in words.

use std::fmt;

use super::Invariant;

/// An invariant that does not hold, before it is known in which run and step.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) invariant: Invariant,
    pub(crate) what: String,
}

/// What a check comes to.
pub(crate) type Holds = Result<(), Broken>;

impl Invariant {
    /// This invariant does not hold.
    pub(crate) fn broken(self, what: impl fmt::Display) -> Broken {
        Broken { invariant: self, what: what.to_string() }
    }

    /// Holds if `it_does`.
    pub(crate) fn holds(self, it_does: bool, else_what: impl FnOnce() -> String) -> Holds {
        if it_does { Ok(()) } else { Err(self.broken(else_what())) }
    }
}
