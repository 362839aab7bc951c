//! What is to be reached, and whether it was.

use serde::Serialize;

use crate::figure::{Book, Case, Figure, OURS};

/// A figure of ours held against another's, or against a number.
#[derive(Debug)]
pub(crate) struct Target {
    of: (Case, Figure),
    to: Option<(Case, Figure)>,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// How it went.
#[derive(Debug, Serialize)]
pub(crate) struct Reached {
    /// What of ours.
    pub(crate) ours: String,
    /// Beside what.
    pub(crate) beside: String,
    /// The ratio, or the figure itself.
    pub(crate) measured: f64,
    /// `≥ 2.5`.
    pub(crate) target: String,
    /// Whether it is.
    pub(crate) met: bool,
}

impl Target {
    /// Ours is at least so many times the other's.
    pub(crate) fn at_least(times: f64, of: (Case, Figure), to: (Case, Figure)) -> Self {
        Self { of, to: Some(to), bound: Bound::AtLeast(times) }
    }

    /// Ours is at most so many times the other's.
    pub(crate) fn at_most(times: f64, of: (Case, Figure), to: (Case, Figure)) -> Self {
        Self { of, to: Some(to), bound: Bound::AtMost(times) }
    }

    /// Ours is at most this.
    pub(crate) fn bound(most: f64, of: (Case, Figure)) -> Self {
        Self { of, to: None, bound: Bound::AtMost(most) }
    }

    /// How it went; none if one of the cases was not run.
    pub(crate) fn reached(&self, book: &Book) -> Option<Reached> {
        let (case, figure) = &self.of;
        let measured = match &self.to {
            Some((to, per)) => book.ratio((case, *figure), (to, *per))?,
            None => book.median(case, *figure)?,
        };
        let (target, met) = match self.bound {
            Bound::AtLeast(times) => (format!("≥ {times}"), measured >= times),
            Bound::AtMost(times) => (format!("≤ {times}"), measured <= times),
        };
        let beside = self.to.as_ref().map(|(to, per)| beside((case, *figure), (to, *per))).unwrap_or_default();
        let who = if case.who == OURS { String::new() } else { format!("{}, ", case.who) };
        let ours = format!("{}: {who}{}", case.what, figure.name());
        Some(Reached { ours, beside, measured, target, met })
    }
}

/// The other's name, and whatever else of it differs from ours.
fn beside(ours: (&Case, Figure), other: (&Case, Figure)) -> String {
    let mut name = other.0.who.clone();
    if other.0.what != ours.0.what {
        name = format!("{name} ({})", other.0.what);
    }
    if other.1 != ours.1 {
        name = format!("{name}, {}", other.1.name());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Measure;

    #[test]
    fn a_target_is_met_from_its_bound_on_and_unknown_without_its_peer() {
        let (ours, peer) = (Case::ours("append"), Case::new("append", "peer"));
        let mut book = Book::default();
        book.note(ours.clone(), Measure::from([(Figure::PerSec, 50.0), (Figure::P50Ms, 3.0)]));
        let target = |times| Target::at_least(times, (ours.clone(), Figure::PerSec), (peer.clone(), Figure::PerSec));
        assert!(target(2.5).reached(&book).is_none());
        book.note(peer.clone(), Measure::from([(Figure::PerSec, 20.0)]));
        assert!(target(2.5).reached(&book).is_some_and(|reached| reached.met));
        assert!(target(2.6).reached(&book).is_some_and(|reached| !reached.met));
        assert!(Target::bound(2.9, (ours, Figure::P50Ms)).reached(&book).is_some_and(|reached| !reached.met));
    }
}
