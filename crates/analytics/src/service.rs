//! What the house did in a span of time: tickets, visits, clocks and reminders counted, and the figures made of them.
//!
//! Everything counts at the instant it happened, so that the counts of adjoining spans add up; a later fact that takes
//! something back (a ticket reopened, a breach revoked) takes it out of the span it was counted in.

use std::collections::BTreeMap;
use std::sync::Arc;

use decider::{Micros, Tenant};
use ticket::dispatch::{Release, StopReason, VisitEnd};

use crate::spread::Distribution;
use crate::state::State;

mod count;
mod course;

use count::Count;

/// Most engineers, and most clocks, a report names, in order of name; the totals hold the others too.
pub const MAX_ROWS: usize = 1_000;

/// A span of time; everything, if nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// What happened at or after.
    pub start: Option<Micros>,
    /// What happened before.
    pub end: Option<Micros>,
}

impl Between {
    fn holds(&self, at: Micros) -> bool {
        self.start.is_none_or(|start| at >= start) && self.end.is_none_or(|end| at < end)
    }
}

/// A part of a whole, and what belongs to neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    /// The part.
    pub numerator: u64,
    /// The whole.
    pub denominator: u64,
    /// Left out of both.
    pub excluded: u64,
}

/// The quantities of a service report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceReport {
    /// Tickets.
    pub tickets: Tickets,
    /// Visits.
    pub visits: Visits,
    /// Seconds from a ticket's first fact to the first acceptance of a visit of it; counted at the acceptance.
    pub time_to_dispatch_secs: Distribution,
    /// Arrivals not after the job's `arrive_by` / arrivals.
    pub on_time_arrival: Ratio,
    /// Visits completed / visits completed or stopped.
    pub completion: Ratio,
    /// Tickets resolved for good by the only visit made and never returned / tickets resolved with visits; without
    /// those resolved without one.
    pub first_time_fix: Ratio,
    /// Of the numerator, those resolved less than 30 days before the last event known: they may still return.
    pub first_time_fix_immature: u64,
    /// Offers against a hard rule / offers.
    pub override_share: Ratio,
    /// Visits completed / engineers who completed any.
    pub jobs_per_engineer: Ratio,
    /// Visits completed / pairs of an engineer and a UTC day on which they completed any.
    pub jobs_per_engineer_day: Ratio,
    /// By name of the clock.
    pub clocks: Vec<(Arc<str>, Clocks)>,
    /// Reminders.
    pub reminders: Reminders,
    /// By name of the engineer.
    pub engineers: Vec<(Arc<str>, Engineer)>,
}

/// Tickets, each at most once in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tickets {
    /// By their first fact.
    pub opened: u64,
    /// Closed and not back since; without those called off.
    pub closed: u64,
    /// Called off.
    pub cancelled: u64,
}

/// What happened to visits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visits {
    /// Became necessary.
    pub planned: u64,
    /// Decisions that found no engineer.
    pub nobody_found: u64,
    /// Offers made.
    pub offered: u64,
    /// Offers accepted.
    pub accepted: u64,
    /// Offers declined.
    pub declined: u64,
    /// Offers nobody answered.
    pub expired: u64,
    /// Taken from an engineer, by why.
    pub released: BTreeMap<Release, u64>,
    /// Passed to another engineer.
    pub handed_over: u64,
    /// Arrivals on site.
    pub arrived: u64,
    /// Ended, the work done.
    pub completed: u64,
    /// Ended, the work not done, by why.
    pub stopped: BTreeMap<StopReason, u64>,
    /// Never took place, by why.
    pub cancelled: BTreeMap<VisitEnd, u64>,
}

/// How the clocks of one name ended, each ticket's at most once in `met`, `breached` and `cancelled` together.
///
/// The share kept is met / (met + breached). What was breached as it was known then is breached + revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Stopped in time and not running again; counted at the stop.
    pub met: u64,
    /// Ran out; counted at that instant.
    pub breached: u64,
    /// Breaches a late fact took back; counted at the instant of the breach.
    pub revoked: u64,
    /// Ended without a result.
    pub cancelled: u64,
}

/// What became of reminders, each at most once in each but the attempts, and in one of the four ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reminders {
    /// Wanted.
    pub planned: u64,
    /// Put off at least once.
    pub deferred: u64,
    /// Tries by any medium.
    pub attempts: u64,
    /// Arrived by some medium: taken by a mail server or a webhook, or shown in the inbox.
    pub delivered: u64,
    /// End: acknowledged, or recalled because somebody took the step.
    pub acted_on: u64,
    /// End: arrived, and nobody answered in time.
    pub unanswered: u64,
    /// End: did not arrive.
    pub undelivered: u64,
    /// End: recalled for another reason.
    pub recalled: u64,
}

/// One engineer's visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Engineer {
    /// Offers made to them.
    pub offered: u64,
    /// Offers they accepted.
    pub accepted: u64,
    /// Offers they declined.
    pub declined: u64,
    /// Offers they did not answer.
    pub expired: u64,
    /// Visits taken from them.
    pub released: u64,
    /// Their arrivals.
    pub arrived: u64,
    /// Those not after the job's `arrive_by`.
    pub on_time: u64,
    /// Visits they completed.
    pub completed: u64,
    /// Visits they ended with the work not done.
    pub stopped: u64,
}

/// What happened in a span; of tickets that last lay in `queue` alone, if it is not empty.
pub fn service_report(state: &State, tenant: &Tenant, between: &Between, queue: &str) -> ServiceReport {
    let Some(ledger) = state.ledger(tenant) else { return ServiceReport::default() };
    let mut count = Count::new(ledger, between);
    for ticket in ledger.tickets().filter(|ticket| queue.is_empty() || ledger.queue(ticket) == Some(queue)) {
        count.ticket(ticket);
    }
    count.finish()
}
