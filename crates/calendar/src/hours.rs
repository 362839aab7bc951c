//! The open hours as a table of instants.

use crate::{HORIZON_END, HORIZON_START, Micros};

/// Open spans in order, none touching the next, all within the horizon.
#[derive(Default)]
pub(crate) struct Hours {
    spans: Vec<Span>,
    total_us: i64,
}

/// An open span. Its length is the working time up to the next one less its own, so its end needs no field.
struct Span {
    opens: Micros,
    worked_before_us: i64,
}

impl Hours {
    /// Adds a span that starts at or after the end of all before it. What lies outside the horizon is cut off; one
    /// that touches the last lengthens it.
    pub(crate) fn push(&mut self, opens: Micros, closes: Micros) {
        let (opens, closes) = (opens.max(HORIZON_START), closes.min(HORIZON_END));
        if opens >= closes {
            return;
        }
        if self.spans.is_empty() || self.closes(self.spans.len() - 1) < opens {
            self.spans.push(Span { opens, worked_before_us: self.total_us });
        }
        self.total_us += closes - opens;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The working time before `at`, in microseconds since the horizon's start.
    pub(crate) fn worked_before(&self, at: Micros) -> i64 {
        self.last_opened(at).map_or(0, |k| {
            let span = &self.spans[k];
            (span.worked_before_us + (at - span.opens)).min(self.worked_through(k))
        })
    }

    /// The earliest instant before which exactly `worked_us` (more than none) have been worked.
    pub(crate) fn earliest(&self, worked_us: i64) -> Option<Micros> {
        if worked_us > self.total_us {
            return None;
        }
        let k = self.spans.partition_point(|span| span.worked_before_us < worked_us).checked_sub(1)?;
        Some(self.spans[k].opens + (worked_us - self.spans[k].worked_before_us))
    }

    /// The end of the span that `at` lies in, if it lies in one.
    pub(crate) fn open_until(&self, at: Micros) -> Option<Micros> {
        self.last_opened(at).map(|k| self.closes(k)).filter(|&closes| at < closes)
    }

    /// The start of the first span after `at`.
    pub(crate) fn opens_after(&self, at: Micros) -> Option<Micros> {
        self.spans.get(self.spans.partition_point(|span| span.opens <= at)).map(|span| span.opens)
    }

    fn last_opened(&self, at: Micros) -> Option<usize> {
        self.spans.partition_point(|span| span.opens <= at).checked_sub(1)
    }

    fn worked_through(&self, k: usize) -> i64 {
        self.spans.get(k + 1).map_or(self.total_us, |next| next.worked_before_us)
    }

    fn closes(&self, k: usize) -> Micros {
        self.spans[k].opens + (self.worked_through(k) - self.spans[k].worked_before_us)
    }
}
