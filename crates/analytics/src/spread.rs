//! Distributions: integers in, figures for people out.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A figure only shown, never kept.
pub type Shown = f64; // tidy: float at the edge

/// How many microseconds make an hour and a second, and how many counts a count.
pub(crate) const HOUR: Shown = 3_600_000_000.0;
pub(crate) const SECOND: Shown = 1_000_000.0;
pub(crate) const ONE: Shown = 1.0;

/// A distribution; percentiles by linear interpolation between the two nearest ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Distribution {
    /// How many.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: Shown,
    /// 50th percentile.
    pub median: Shown,
    /// 90th percentile.
    pub p90: Shown,
    /// 99th percentile.
    pub p99: Shown,
    /// The largest.
    pub max: Shown,
}

impl Distribution {
    /// The distribution of these quantities, shown in a unit of so many.
    pub(crate) fn of(quantities: impl Iterator<Item = i64>, unit: Shown) -> Self {
        let mut sorted: Vec<_> = quantities.collect();
        sorted.sort_unstable();
        let Some(max) = sorted.last() else { return Self::default() };
        let sum = sorted.iter().map(|quantity| i128::from(*quantity)).sum::<i128>();
        Self {
            n: sorted.len(),
            mean: shown(sum) / shown(sorted.len() as i128) / unit,
            median: percentile(&sorted, 50, unit),
            p90: percentile(&sorted, 90, unit),
            p99: percentile(&sorted, 99, unit),
            max: shown(i128::from(*max)) / unit,
        }
    }
}

/// A part of a whole; 0 of nothing.
pub(crate) fn share(part: usize, whole: usize) -> Shown {
    if whole == 0 { 0.0 } else { shown(part as i128) / shown(whole as i128) }
}

/// The value at rank `percent` × (n − 1) / 100, between two ranks in proportion.
fn percentile(sorted: &[i64], percent: usize, unit: Shown) -> Shown {
    let hundredths = percent * (sorted.len() - 1);
    let (rank, rest) = (hundredths / 100, hundredths % 100);
    let low = shown(i128::from(sorted[rank])) / unit;
    let high = shown(i128::from(sorted[(rank + 1).min(sorted.len() - 1)])) / unit;
    low + (high - low) * (shown(rest as i128) / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "shown to four decimals; exact below 2^53")]
fn shown(quantity: i128) -> Shown {
    quantity as Shown
}

/// Rounded to so many decimals, as figures are written.
pub(crate) fn rounded(value: Shown, decimals: usize) -> Shown {
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Distribution", 6)?;
        fields.serialize_field("n", &self.n)?;
        let values =
            [("mean", self.mean), ("median", self.median), ("p90", self.p90), ("p99", self.p99), ("max", self.max)];
        for (name, value) in values {
            fields.serialize_field(name, &(self.n > 0).then(|| rounded(value, 4)))?;
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_ranks_in_proportion() {
        let spread = Distribution::of([4, 1, 3, 2].into_iter(), ONE);
        let shown =
            [spread.mean, spread.median, spread.p90, spread.p99, spread.max].map(|value| rounded(value, 4).to_string());
        assert_eq!(shown, ["2.5", "2.5", "3.7", "3.97", "4"]);
        assert_eq!(Distribution::of([7].into_iter(), ONE).p99.to_string(), "7");
    }

    #[test]
    fn nothing_has_no_mean() {
        let json = serde_json::to_string(&Distribution::of(std::iter::empty(), HOUR)).unwrap();
        assert_eq!(json, r#"{"n":0,"mean":null,"median":null,"p90":null,"p99":null,"max":null}"#);
    }
}
