//! What was measured: the figures of each case in each round, their medians, their ratios.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Events (or messages) a second.
    PerSec,
    /// Milliseconds half of them took at most.
    P50Ms,
    /// Milliseconds all but one in a hundred took at most.
    P99Ms,
    /// Times the server waited for its disk, per event.
    Fsyncs,
    /// Microseconds of the server's processor, per event.
    ServerUs,
    /// Microseconds of the client's processor, per event.
    ClientUs,
    /// Nanoseconds each took.
    Ns,
    /// Bytes of memory each takes.
    Bytes,
}

impl Figure {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 8] =
        [Self::PerSec, Self::P50Ms, Self::P99Ms, Self::Fsyncs, Self::ServerUs, Self::ClientUs, Self::Ns, Self::Bytes];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PerSec => "events/s",
            Self::P50Ms => "p50 ms",
            Self::P99Ms => "p99 ms",
            Self::Fsyncs => "fsync/event",
            Self::ServerUs => "server µs/event",
            Self::ClientUs => "client µs/event",
            Self::Ns => "ns each",
            Self::Bytes => "bytes each",
        }
    }
}

/// The figures of one round.
pub(crate) type Measure = BTreeMap<Figure, f64>;

/// What was done, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Case {
    /// `append, 16 writers`.
    pub(crate) what: String,
    /// `docket`, or the peer's name.
    pub(crate) who: String,
}

impl Case {
    pub(crate) fn new(what: impl Into<String>, who: impl Into<String>) -> Self {
        Self { what: what.into(), who: who.into() }
    }

    /// Ours, in the same discipline.
    pub(crate) fn ours(what: impl Into<String>) -> Self {
        Self::new(what, OURS)
    }
}

/// Our name in every discipline.
pub(crate) const OURS: &str = "docket";

/// A case and its rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) case: Case,
    pub(crate) rounds: Vec<Measure>,
}

/// All that was measured, in the order in which it was first seen.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Book {
    pub(crate) entries: Vec<Entry>,
    /// What could not be measured, and why.
    pub(crate) remarks: Vec<String>,
}

impl Book {
    /// Adds a round.
    pub(crate) fn note(&mut self, case: Case, measure: Measure) {
        match self.entries.iter_mut().find(|entry| entry.case == case) {
            Some(entry) => entry.rounds.push(measure),
            None => self.entries.push(Entry { case, rounds: vec![measure] }),
        }
    }

    /// Adds a remark, once.
    pub(crate) fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// The median over the rounds.
    pub(crate) fn median(&self, case: &Case, figure: Figure) -> Option<f64> {
        median(self.column(case, figure))
    }

    /// The median over the rounds of how many times the second the first is, each round by itself.
    pub(crate) fn ratio(&self, of: (&Case, Figure), to: (&Case, Figure)) -> Option<f64> {
        let pairs = self.column(of.0, of.1).into_iter().zip(self.column(to.0, to.1));
        median(pairs.map(|(of, to)| of / to).collect())
    }

    fn column(&self, case: &Case, figure: Figure) -> Vec<f64> {
        let entry = self.entries.iter().find(|entry| entry.case == *case);
        entry.map_or_else(Vec::new, |entry| {
            entry.rounds.iter().filter_map(|measure| measure.get(&figure).copied()).collect()
        })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_ratios() {
        let mut book = Book::default();
        let (ours, peer) = (Case::ours("append"), Case::new("append", "peer"));
        for (a, b) in [(10.0, 1.0), (30.0, 10.0), (8.0, 4.0)] {
            book.note(ours.clone(), Measure::from([(Figure::PerSec, a)]));
            book.note(peer.clone(), Measure::from([(Figure::PerSec, b)]));
        }
        assert_eq!(book.ratio((&ours, Figure::PerSec), (&peer, Figure::PerSec)), Some(3.0));
        assert_eq!(book.median(&ours, Figure::PerSec), Some(10.0));
        assert_eq!(book.median(&ours, Figure::P50Ms), None);
    }
}
