//! When something happened, and when it became known: instants and facts in few bytes.

use decider::Micros;
use serde::{Deserialize, Serialize};

/// An instant in eight bytes that ask for no more than four to be aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instant([u32; 2]);

impl Instant {
    pub(crate) fn get(self) -> Micros {
        let [high, low] = self.0;
        (Micros::from(high.cast_signed()) << 32) | Micros::from(low)
    }
}

impl From<Micros> for Instant {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of an instant")]
    fn from(at: Micros) -> Self {
        Self([((at >> 32) as i32).cast_unsigned(), at.cast_unsigned() as u32])
    }
}

/// A fact in twelve bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    at: Instant,
    /// The number of what it tells.
    pub(crate) scene: u32,
}

impl Moment {
    pub(crate) fn new(at: Micros, scene: u32) -> Self {
        Self { at: at.into(), scene }
    }

    pub(crate) fn at(self) -> Micros {
        self.at.get()
    }
}

/// A fact that became known so late that something may have fired without it, or before everything had fired that fell due
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Late {
    pub(crate) fact: Moment,
    known: Instant,
    fired: Instant,
}

impl Late {
    pub(crate) fn new(fact: Moment, known: Micros, fired: Micros) -> Self {
        Self { fact, known: known.into(), fired: fired.into() }
    }

    /// When it became known.
    pub(crate) fn known(self) -> Micros {
        self.known.get()
    }

    /// What fell due before this instant had fired by then.
    pub(crate) fn fired(self) -> Micros {
        self.fired.get()
    }
}
