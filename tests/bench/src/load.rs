//! Writers in closed loops: each writes again as soon as it was answered.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::figure::{Figure, Measure};

/// What is not counted at the beginning.
const WARM_UP: Duration = Duration::from_millis(500);
/// What is counted.
const SPAN: Duration = Duration::from_secs(2);

/// Somebody who writes.
pub(crate) trait Writer: Send + 'static {
    /// Writes something durably and says how many events it was.
    fn write(&mut self) -> impl Future<Output = anyhow::Result<u32>> + Send;
}

/// What the writers came to.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Events written in all.
    pub(crate) all: u32,
    /// Events whose answer came while it was counted.
    pub(crate) counted: u32,
    /// What those answers took, microseconds.
    pub(crate) took_us: Vec<u32>,
}

impl Load {
    /// Takes another's load in.
    pub(crate) fn add(&mut self, other: Self) {
        self.all += other.all;
        self.counted += other.counted;
        self.took_us.extend(other.took_us);
    }

    /// Rate and latencies.
    pub(crate) fn measure(mut self) -> Measure {
        self.took_us.sort_unstable();
        let mut measure = latencies(&self.took_us);
        measure.insert(Figure::PerSec, f64::from(self.counted) / SPAN.as_secs_f64());
        measure
    }
}

/// Both percentiles of sorted microseconds.
pub(crate) fn latencies(sorted_us: &[u32]) -> Measure {
    let at = |percent: usize| sorted_us.get(sorted_us.len() * percent / 100).map(|us| f64::from(*us) / 1_000.0);
    [(Figure::P50Ms, at(50)), (Figure::P99Ms, at(99))]
        .into_iter()
        .filter_map(|(figure, ms)| Some((figure, ms?)))
        .collect()
}

/// Lets them all write from `begin` on, until the span has passed.
pub(crate) async fn drive<W: Writer>(writers: Vec<W>, begin: Instant) -> anyhow::Result<Load> {
    let mut tasks = JoinSet::new();
    for writer in writers {
        tasks.spawn(repeat(writer, begin));
    }
    let mut load = Load::default();
    while let Some(done) = tasks.join_next().await {
        load.add(done??);
    }
    anyhow::ensure!(load.counted > 0, "nothing was written in {} s", SPAN.as_secs());
    Ok(load)
}

async fn repeat(mut writer: impl Writer, begin: Instant) -> anyhow::Result<Load> {
    let (from, to) = (begin + WARM_UP, begin + WARM_UP + SPAN);
    let mut load = Load::default();
    tokio::time::sleep_until(begin).await;
    loop {
        let asked = Instant::now();
        if asked >= to {
            return Ok(load);
        }
        let events = writer.write().await?;
        let answered = Instant::now();
        load.all += events;
        if (from..to).contains(&answered) {
            load.counted += events;
            load.took_us.push(u32::try_from((answered - asked).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_sorted() {
        let sorted: Vec<u32> = (0..1_000).map(|n| n * 1_000).collect();
        assert_eq!(latencies(&sorted), Measure::from([(Figure::P50Ms, 500.0), (Figure::P99Ms, 990.0)]));
        assert_eq!(latencies(&[]), Measure::new());
    }
}
