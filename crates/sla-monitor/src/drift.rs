//! How far a ticket's recorded clocks are from what its facts say, as the events that bring the record to the facts.
//!
//! Whatever happened (a fact in time or late, another priority, another policy), it is this one comparison.

use decider::Micros;
use ticket::sla::{Mark, SlaEvent, Terms};

use crate::clock::{Course, Phase};
use crate::lens::Lens;
use crate::policy::BREACH_BP;
use crate::record::{Dial, Ticket};
use crate::state::Desk;

impl Desk {
    /// The events that bring the record of a ticket's clocks to its facts, as of `now`; `fact_at` is when the fact
    /// happened that gave rise to it.
    pub(crate) fn drift(&self, ticket: &Ticket, now: Micros, fact_at: Micros) -> Vec<SlaEvent> {
        self.drift_with(ticket, (now, fact_at), Lens::NOW)
    }

    /// As [`Desk::drift`], as it is seen through a lens.
    pub(crate) fn drift_with(&self, ticket: &Ticket, at: (Micros, Micros), lens: Lens<'_>) -> Vec<SlaEvent> {
        let Some(in_force) = self.in_force_with(ticket, lens) else { return Vec::new() };
        let (now, fact_at) = at;
        let mut events = Vec::new();
        for spec in &in_force.policy.clocks {
            let record = self.clock_number(&spec.name, lens).and_then(|name| ticket.clock(name));
            let course = self.course(ticket, spec, &in_force.calendar);
            match course.and_then(|course| Some((course.budget?, course))) {
                Some((budget, course)) => {
                    let terms = || in_force.terms(budget, course.budget_us);
                    let fresh = record.is_none_or(|record| !self.made_from(record, terms(), lens));
                    let changed = Correction { record, course: &course, name: &spec.name, now, fact_at };
                    changed.events(fresh, terms, &mut events);
                }
                None => events.extend(record.into_iter().flat_map(|record| never(record, &spec.name, fact_at))),
            }
        }
        for record in ticket.clocks() {
            // The policy gives it no longer; one that had ended stays as it ended.
            let name = self.clock_name(record.name, lens);
            let going = matches!(record.phase, Phase::Running | Phase::Paused);
            if going && in_force.policy.clocks.iter().all(|spec| spec.name != name) {
                events.push(cancelled(record, name, fact_at));
            }
        }
        events
    }
}

/// What is recorded of a clock that, by the facts as known now, never had a target.
fn never(record: Dial<'_>, name: &str, fact_at: Micros) -> Vec<SlaEvent> {
    let generation = record.generation;
    let revoked = record.breaches().map(|(began, at)| {
        let clock = name.to_owned();
        SlaEvent::BreachRevoked { clock, generation, at, fact_at, began }
    });
    let started = (record.phase != Phase::Cancelled).then(|| cancelled(record, name, fact_at));
    revoked.chain(started).collect()
}

/// A clock that no longer applies, as the record has it.
fn cancelled(record: Dial<'_>, name: &str, since: Micros) -> SlaEvent {
    let (clock, generation, elapsed_us) = (name.to_owned(), record.generation, record.elapsed_us);
    SlaEvent::ClockCancelled { clock, generation, since, elapsed_us, because: None }
}

/// One clock's record beside its course.
struct Correction<'a> {
    record: Option<Dial<'a>>,
    course: &'a Course,
    name: &'a str,
    now: Micros,
    fact_at: Micros,
}

impl Correction<'_> {
    /// The events; `fresh` where the clock is to be made anew, on those terms.
    fn events(&self, fresh: bool, terms: impl FnOnce() -> Terms, events: &mut Vec<SlaEvent>) {
        let generation = self.record.map_or(0, |record| record.generation);
        let revoked = self.revoked();
        for (began, at) in &revoked {
            let (clock, fact_at, began, at) = (self.name.to_owned(), self.fact_at, *began, *at);
            events.push(SlaEvent::BreachRevoked { clock, generation, at, fact_at, began });
        }
        events.extend(self.overdue(generation));
        let same_round = self.record.is_some_and(|record| record.began() == self.course.began);
        let unreached = |mark: &&Mark| {
            let reached = match self.record {
                Some(record) if same_round => record.reached(mark.share_bp),
                // A round that comes back, since another turned out not to have begun after it.
                Some(record) if mark.share_bp == BREACH_BP => record.breach_of(self.course.began),
                _ => None,
            };
            reached.is_none_or(|at| mark.share_bp == BREACH_BP && revoked.contains(&(self.course.began, at)))
        };
        let marks: Vec<Mark> = self.course.marks.iter().filter(unreached).cloned().collect();
        let fresh = fresh || !same_round;
        if !fresh && self.holds(&marks) {
            return;
        }
        let running = self.course.phase == Phase::Running;
        let clock = self.name.to_owned();
        let run = self.course.run;
        let (since, elapsed_us) = (run.since, run.elapsed_us);
        let because = Some(self.course.because.clone()).filter(|_| running);
        let mut latest = generation;
        if fresh {
            latest += 1;
            let (generation, began) = (latest, self.course.began);
            let terms = terms();
            events.push(SlaEvent::ClockStarted { clock, generation, terms, since, elapsed_us, marks, began, because });
        } else if running || !self.keeps(&marks) {
            latest += 1;
            events.push(SlaEvent::ClockResumed { clock, generation: latest, since, elapsed_us, marks, because });
        }
        events.extend(self.halt(latest));
    }

    /// When a round was breached by the facts, if it was.
    fn breached(&self, began: Option<Micros>) -> Option<Micros> {
        let last = || {
            let mut marks = self.course.marks.iter().filter(|mark| mark.share_bp == BREACH_BP && mark.at < self.now);
            marks.next().filter(|_| self.course.began == began).map(|mark| mark.at)
        };
        self.course.over.iter().find(|(round, _)| *round == began).map(|(_, at)| *at).or_else(last)
    }

    /// The breaches on record that the facts do not bear out.
    fn revoked(&self) -> Vec<(Option<Micros>, Micros)> {
        let standing = self.record.into_iter().flat_map(Dial::breaches);
        standing.filter(|(began, _)| self.breached(*began).is_none()).collect()
    }

    /// The breaches of rounds that were over before they could fire.
    fn overdue(&self, generation: u32) -> Vec<SlaEvent> {
        let known = |began| self.record.is_some_and(|record| record.breach_of(began).is_some());
        let unknown = self.course.over.iter().filter(|(began, _)| !known(*began));
        let breach = |&(began, at): &(Option<Micros>, Micros)| {
            let (clock, accountable, escalates_at, major) = (self.name.to_owned(), None, None, None);
            SlaEvent::Breached { clock, generation, at, accountable, began, escalates_at, major }
        };
        unknown.map(breach).collect()
    }

    /// Whether the record says what the facts say, these marks being all that has not fired.
    fn holds(&self, marks: &[Mark]) -> bool {
        self.record.is_some_and(|record| {
            (record.phase, record.since, record.elapsed_us)
                == (self.course.phase, self.course.since, self.course.elapsed_us)
                && record.pending().eq(marks.iter().cloned())
        })
    }

    /// Whether the record, halted when the course halts, keeps these marks.
    fn keeps(&self, marks: &[Mark]) -> bool {
        let since = self.course.since;
        self.record.is_some_and(|record| record.pending().filter(|mark| mark.at < since).eq(marks.iter().cloned()))
    }

    fn halt(&self, generation: u32) -> Option<SlaEvent> {
        let clock = self.name.to_owned();
        let (since, elapsed_us) = (self.course.since, self.course.elapsed_us);
        let because = Some(self.course.because.clone());
        match self.course.phase {
            Phase::Running => None,
            Phase::Paused => Some(SlaEvent::ClockPaused { clock, generation, since, elapsed_us, because }),
            Phase::Stopped { met } => {
                Some(SlaEvent::ClockStopped { clock, generation, since, elapsed_us, met, because })
            }
            Phase::Cancelled => Some(SlaEvent::ClockCancelled { clock, generation, since, elapsed_us, because }),
        }
    }
}
