//! How a ticket stands: what its deeds, in the order of the log, come to.

use std::collections::BTreeMap;

use decider::Micros;

use crate::deed::What;

/// How a ticket stands after the deeds walked so far.
#[derive(Default)]
pub(super) struct Course {
    pub(super) cancelled: Option<Micros>,
    pub(super) accepted: Option<Micros>,
    /// Visits completed or stopped.
    pub(super) made: u64,
    /// When it was resolved, and by how many visits.
    pub(super) resolved: Option<(Micros, u64)>,
    pub(super) returned: bool,
    pub(super) clocks: BTreeMap<u32, End>,
}

/// How a clock ended; a breach stands until it is revoked.
pub(super) enum End {
    Met(Micros),
    Breached(Micros),
    Cancelled(Micros),
}

impl Course {
    /// Takes the next deed in.
    pub(super) fn follow(&mut self, what: What, at: Micros) {
        match what {
            What::Resolved => self.resolved = Some((at, self.made)),
            What::Returned => (self.resolved, self.returned, self.cancelled) = (None, true, None),
            What::Cancelled => self.cancelled = Some(at),
            What::Accepted { .. } => self.accepted = Some(self.accepted.map_or(at, |first| first.min(at))),
            What::Completed { .. } | What::Stopped { .. } => self.made += 1,
            What::ClockRan { clock } => self.end(clock, None),
            What::ClockMet { clock } => self.end(clock, Some(End::Met(at))),
            What::ClockCancelled { clock } => self.end(clock, Some(End::Cancelled(at))),
            What::Breached { clock } => {
                self.clocks.insert(clock, End::Breached(at));
            }
            What::Revoked { clock } => {
                self.clocks.remove(&clock);
            }
            _ => {}
        }
    }

    fn end(&mut self, clock: u32, end: Option<End>) {
        if matches!(self.clocks.get(&clock), Some(End::Breached(_))) {
            return;
        }
        match end {
            Some(end) => self.clocks.insert(clock, end),
            None => self.clocks.remove(&clock),
        };
    }
}
