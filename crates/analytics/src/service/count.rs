//! The counting: a ticket's deeds are walked once in the order of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use decider::Micros;
use ticket::intake::Status;

use crate::backlog::Day;
use crate::deed::What;
use crate::service::course::{Course, End};
use crate::service::{Between, Clocks, Engineer, MAX_ROWS, Ratio, Reminders, ServiceReport, Tickets, Visits};
use crate::spread::{Distribution, SECOND};
use crate::state::{Ledger, Ticket};

/// How long a repair may still turn out to be none.
const MATURE_US: Micros = 30 * 24 * 3_600_000_000;

/// What was counted so far.
pub(super) struct Count<'a> {
    ledger: &'a Ledger,
    between: &'a Between,
    tickets: Tickets,
    visits: Visits,
    on_time: u64,
    overridden: u64,
    first_time_fix: Ratio,
    immature: u64,
    dispatch_us: Vec<i64>,
    clocks: BTreeMap<u32, Clocks>,
    reminders: Reminders,
    engineers: BTreeMap<u32, Engineer>,
    engineer_days: BTreeSet<(u32, Day)>,
}

impl<'a> Count<'a> {
    pub(super) fn new(ledger: &'a Ledger, between: &'a Between) -> Self {
        Self {
            ledger,
            between,
            tickets: Tickets::default(),
            visits: Visits::default(),
            on_time: 0,
            overridden: 0,
            first_time_fix: Ratio::default(),
            immature: 0,
            dispatch_us: Vec::new(),
            clocks: BTreeMap::new(),
            reminders: Reminders::default(),
            engineers: BTreeMap::new(),
            engineer_days: BTreeSet::new(),
        }
    }

    /// Counts one ticket.
    pub(super) fn ticket(&mut self, ticket: &Ticket) {
        let mut course = Course::default();
        for deed in &ticket.deeds.done {
            let what = self.ledger.whats()[deed.what as usize];
            course.follow(what, deed.at);
            if self.between.holds(deed.at) {
                self.take(what, deed.at);
            }
        }
        let within = |at: Option<Micros>| at.filter(|at| self.between.holds(*at));
        let opened = ticket.marks.first().map(|mark| mark.at);
        self.tickets.opened += u64::from(within(opened).is_some());
        self.tickets.cancelled += u64::from(within(course.cancelled).is_some());
        let closed = self.closed(ticket).filter(|_| course.cancelled.is_none());
        self.tickets.closed += u64::from(within(closed).is_some());
        if let (Some(accepted), Some(opened)) = (within(course.accepted), opened) {
            self.dispatch_us.push(accepted - opened);
        }
        self.fix(&course);
        for (clock, end) in course.clocks {
            self.end(clock, &end);
        }
    }

    /// When a ticket that stands closed was closed.
    fn closed(&self, ticket: &Ticket) -> Option<Micros> {
        let states = ticket.marks.iter().map(|mark| (mark.at, self.ledger.said()[mark.said as usize].state));
        states.fold(None, |closed, (at, state)| match state {
            Some(Status::Closed) => closed.or(Some(at)),
            Some(_) => None,
            None => closed,
        })
    }

    fn fix(&mut self, course: &Course) {
        let Some((at, made)) = course.resolved.filter(|(at, _)| self.between.holds(*at)) else { return };
        if made == 0 {
            self.first_time_fix.excluded += 1;
            return;
        }
        let fixed = made == 1 && !course.returned;
        self.first_time_fix.denominator += 1;
        self.first_time_fix.numerator += u64::from(fixed);
        self.immature += u64::from(fixed && self.ledger.latest() - at < MATURE_US);
    }

    fn end(&mut self, clock: u32, end: &End) {
        let (End::Met(at) | End::Breached(at) | End::Cancelled(at)) = end;
        if self.between.holds(*at) {
            let clocks = self.clocks.entry(clock).or_default();
            match end {
                End::Met(_) => clocks.met += 1,
                End::Breached(_) => clocks.breached += 1,
                End::Cancelled(_) => clocks.cancelled += 1,
            }
        }
    }

    /// Counts what counts by itself, whatever came after it.
    fn take(&mut self, what: What, at: Micros) {
        let visits = &mut self.visits;
        let reminders = &mut self.reminders;
        match what {
            What::Planned => visits.planned += 1,
            What::NobodyFound => visits.nobody_found += 1,
            What::HandedOver => visits.handed_over += 1,
            What::CalledOff { why } => *visits.cancelled.entry(why).or_default() += 1,
            What::Revoked { clock } => self.clocks.entry(clock).or_default().revoked += 1,
            What::ReminderPlanned { deferred, delivered } => {
                reminders.planned += 1;
                reminders.deferred += u64::from(deferred);
                reminders.delivered += u64::from(delivered);
            }
            What::ReminderDeferred => reminders.deferred += 1,
            What::Attempted => reminders.attempts += 1,
            What::Delivered => reminders.delivered += 1,
            What::ActedOn => reminders.acted_on += 1,
            What::Recalled => reminders.recalled += 1,
            What::Unanswered { delivered: true } => reminders.unanswered += 1,
            What::Unanswered { delivered: false } => reminders.undelivered += 1,
            What::Offered { engineer, .. }
            | What::Accepted { engineer }
            | What::Declined { engineer }
            | What::Expired { engineer }
            | What::Released { engineer, .. }
            | What::Arrived { engineer, .. }
            | What::Completed { engineer }
            | What::Stopped { engineer, .. } => self.of_engineer(engineer, what, at),
            What::Resolved
            | What::Returned
            | What::Cancelled
            | What::ClockRan { .. }
            | What::ClockMet { .. }
            | What::ClockCancelled { .. }
            | What::Breached { .. } => {}
        }
    }

    /// Counts an engineer's part in a visit.
    fn of_engineer(&mut self, engineer: u32, what: What, at: Micros) {
        let visits = &mut self.visits;
        let row = self.engineers.entry(engineer).or_default();
        let both = match what {
            What::Offered { overridden, .. } => {
                self.overridden += u64::from(overridden);
                [&mut visits.offered, &mut row.offered]
            }
            What::Accepted { .. } => [&mut visits.accepted, &mut row.accepted],
            What::Declined { .. } => [&mut visits.declined, &mut row.declined],
            What::Expired { .. } => [&mut visits.expired, &mut row.expired],
            What::Released { why, .. } => [visits.released.entry(why).or_default(), &mut row.released],
            What::Arrived { on_time, .. } => {
                self.on_time += u64::from(on_time);
                row.on_time += u64::from(on_time);
                [&mut visits.arrived, &mut row.arrived]
            }
            What::Completed { .. } => {
                self.engineer_days.insert((engineer, Day::of(at)));
                [&mut visits.completed, &mut row.completed]
            }
            What::Stopped { why, .. } => [visits.stopped.entry(why).or_default(), &mut row.stopped],
            _ => return,
        };
        for count in both {
            *count += 1;
        }
    }

    /// The report of what was counted.
    pub(super) fn finish(self) -> ServiceReport {
        let ratio = |numerator, denominator| Ratio { numerator, denominator, excluded: 0 };
        let completed = self.visits.completed;
        let busy = self.engineers.values().filter(|row| row.completed > 0).count() as u64;
        ServiceReport {
            tickets: self.tickets,
            time_to_dispatch_secs: Distribution::of(self.dispatch_us.into_iter(), SECOND),
            on_time_arrival: ratio(self.on_time, self.visits.arrived),
            completion: ratio(completed, completed + self.visits.stopped.values().sum::<u64>()),
            first_time_fix: self.first_time_fix,
            first_time_fix_immature: self.immature,
            override_share: ratio(self.overridden, self.visits.offered),
            jobs_per_engineer: ratio(completed, busy),
            jobs_per_engineer_day: ratio(completed, self.engineer_days.len() as u64),
            visits: self.visits,
            clocks: named(self.clocks, self.ledger),
            reminders: self.reminders,
            engineers: named(self.engineers, self.ledger),
        }
    }
}

/// The rows by name, in its order.
fn named<T>(rows: BTreeMap<u32, T>, ledger: &Ledger) -> Vec<(Arc<str>, T)> {
    let rows: BTreeMap<_, _> =
        rows.into_iter().map(|(name, row)| (ledger.names()[name as usize].clone(), row)).collect();
    rows.into_iter().take(MAX_ROWS).collect()
}
