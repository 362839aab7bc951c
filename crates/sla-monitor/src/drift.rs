//! How far a ticket's recorded clocks are from what its facts say, as the events that bring the record to the facts.
//!
//! Whatever happened (a fact in time or late, another priority, another policy), it is this one comparison.

use calendar::Calendar;
use decider::Micros;
use ticket::sla::{Mark, Pinned, SlaEvent, Terms};

use crate::clock::{self, Course, Phase, Seen};
use crate::policy::{BREACH_BP, Budget, ClockSpec, Policy, Zone};
use crate::record::{Clock, Ticket};
use crate::state::{Desk, Lineage};

/// The versions that hold for a ticket.
pub(crate) struct InForce<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) policy_name: &'a str,
    pub(crate) policy_version: u64,
    pub(crate) calendar: Calendar,
    pub(crate) calendar_version: u64,
    /// The zone whose clocks the calendar is read off, where that is not its own.
    pub(crate) zone: Option<String>,
}

impl Desk {
    /// What holds for a ticket: what was in force when it became known and, while it is open, what came in force
    /// retroactively; once it has closed, what its clocks were made from.
    pub(crate) fn in_force(&self, ticket: &Ticket) -> Option<InForce<'_>> {
        if let Some(lineage) = self.lineage(ticket.lineage).filter(|_| !ticket.open()) {
            return self.of_versions(lineage);
        }
        let product = self.names.text(ticket.product);
        let priority = self.priority(ticket.priority).unwrap_or_default();
        let candidates = self.policies.iter().filter_map(|(name, versions)| {
            let known = |position| position <= ticket.born;
            let holds = versions
                .iter()
                .rev()
                .find(|one| known(one.position) || one.read().is_some_and(|policy| policy.retroactive))?;
            Some((name, holds, holds.read()?))
        });
        let (name, version, policy) = candidates
            .filter(|(_, _, policy)| policy.matching.fits(product, priority, ticket.imported))
            .min_by_key(|(_, _, policy)| std::cmp::Reverse((policy.rank, policy.matching.specificity())))?;
        let latest = if policy.retroactive { u64::MAX } else { ticket.born };
        let calendars = self.calendars.get(&policy.calendar)?.iter().rev();
        let calendar = calendars.filter(|one| one.position <= latest).find(|one| one.kept.is_some())?;
        let held = self.lineage(ticket.lineage).filter(|held| held.policy.is(name, version.version()));
        let zone = held.map_or_else(|| self.zone(ticket, policy.zone), |held| held.zone.as_deref());
        let (calendar_version, (calendar, zone)) = (calendar.version(), read_off(calendar.read()?, zone));
        let policy_version = version.version();
        Some(InForce { policy, policy_name: name, policy_version, calendar, calendar_version, zone })
    }

    fn of_versions(&self, lineage: &Lineage) -> Option<InForce<'_>> {
        let Lineage { policy, calendar, zone } = lineage;
        let (policy_name, policies) = self.policies.get_key_value(&policy.name)?;
        let policy = policies.iter().find(|one| one.version() == policy.version)?;
        let calendar = self.calendars.get(&calendar.name)?.iter().find(|one| one.version() == calendar.version)?;
        let (policy_version, calendar_version) = (policy.version(), calendar.version());
        let (calendar, zone) = read_off(calendar.read()?, zone.as_deref());
        Some(InForce { policy: policy.read()?, policy_name, policy_version, calendar, calendar_version, zone })
    }

    /// Whose clocks are read when a ticket's own clocks start. From then on their events say it: who is given the ticket
    /// later does not change how the time before counted.
    fn zone(&self, ticket: &Ticket, whose: Zone) -> Option<&str> {
        match whose {
            Zone::Calendar => None,
            Zone::Customer => ticket.zone.map(|zone| self.names.text(zone)),
            Zone::Queue => self.queues.get(self.names.text(ticket.group))?.zone.as_deref(),
        }
    }

    fn lineage(&self, number: Option<u32>) -> Option<&Lineage> {
        self.lineages.get(usize::try_from(number?).ok()?)
    }

    /// The name behind a priority as a fact keeps it.
    fn priority(&self, number: u16) -> Option<&str> {
        Some(self.priorities.text(u32::from(number).checked_sub(1)?))
    }

    /// A clock as the ticket's facts have it.
    pub(crate) fn course(&self, ticket: &Ticket, spec: &ClockSpec, calendar: &Calendar) -> Option<Course> {
        let facts = ticket.facts.iter().map(|fact| Seen {
            at: fact.at,
            activity: self.names.text(fact.activity),
            status: fact.status,
            priority: self.priority(fact.priority),
        });
        clock::run(spec, calendar, facts)
    }

    /// The events that bring the record of a ticket's clocks to its facts, as of `now`; `fact_at` is when the fact
    /// happened that gave rise to it.
    pub(crate) fn drift(&self, ticket: &Ticket, now: Micros, fact_at: Micros) -> Vec<SlaEvent> {
        let Some(in_force) = self.in_force(ticket) else { return Vec::new() };
        let mut events = Vec::new();
        for spec in &in_force.policy.clocks {
            let record = self.names.find(spec.name.as_str()).and_then(|name| ticket.clock(name));
            let Some(course) = self.course(ticket, spec, &in_force.calendar) else { continue };
            match course.budget {
                Some(budget) => {
                    let budget_secs = course.budget_us / 1_000_000;
                    let terms = || in_force.terms(budget_secs, budget);
                    let fresh = record.is_none_or(|record| !self.made_from(record, &in_force, budget_secs));
                    let changed = Correction { record, course: &course, name: &spec.name, now, fact_at };
                    events.extend(changed.events(fresh.then(terms)));
                }
                None => events.extend(record.into_iter().flat_map(|record| never(record, &spec.name, fact_at))),
            }
        }
        for record in &ticket.clocks {
            // The policy gives it no longer; one that had ended stays as it ended.
            let name = self.names.text(record.name);
            let going = matches!(record.phase, Phase::Running | Phase::Paused);
            if going && in_force.policy.clocks.iter().all(|spec| spec.name != name) {
                events.push(cancelled(record, name, fact_at));
            }
        }
        events
    }

    fn made_from(&self, record: &Clock, in_force: &InForce<'_>, budget_secs: i64) -> bool {
        record.budget_secs == budget_secs
            && self.lineage(Some(record.lineage)).is_some_and(|made_from| {
                made_from.policy.is(in_force.policy_name, in_force.policy_version)
                    && made_from.calendar.is(&in_force.policy.calendar, in_force.calendar_version)
            })
    }
}

impl InForce<'_> {
    fn terms(&self, budget_secs: i64, budget: Budget) -> Terms {
        Terms {
            policy: Pinned { name: self.policy_name.to_owned(), version: self.policy_version },
            calendar: Pinned { name: self.policy.calendar.clone(), version: self.calendar_version },
            tzdb: calendar::tzdb_version().to_owned(),
            budget_secs,
            working_days: budget.working_days(),
            zone: self.zone.clone(),
        }
    }
}

/// A calendar read off a zone's clocks, and that zone: its own, if it has no working time in another.
fn read_off(calendar: &Calendar, zone: Option<&str>) -> (Calendar, Option<String>) {
    match zone.and_then(|zone| Some((calendar.in_zone(zone)?, zone))) {
        Some((calendar, zone)) => (calendar, Some(zone.to_owned())),
        None => (calendar.clone(), None),
    }
}

/// What is recorded of a clock that, by the facts as known now, never had a target.
fn never(record: &Clock, name: &str, fact_at: Micros) -> Vec<SlaEvent> {
    let (clock, generation) = (name.to_owned(), record.generation);
    let breach = record.reached(BREACH_BP);
    let revoked = breach.map(|at| SlaEvent::BreachRevoked { clock, generation, at, fact_at });
    let started = (record.phase != Phase::Cancelled).then(|| cancelled(record, name, fact_at));
    revoked.into_iter().chain(started).collect()
}

/// A clock that no longer applies, as the record has it.
fn cancelled(record: &Clock, name: &str, since: Micros) -> SlaEvent {
    let (generation, elapsed_us) = (record.generation, record.elapsed_us);
    SlaEvent::ClockCancelled { clock: name.to_owned(), generation, since, elapsed_us }
}

/// One clock's record beside its course.
struct Correction<'a> {
    record: Option<&'a Clock>,
    course: &'a Course,
    name: &'a str,
    now: Micros,
    fact_at: Micros,
}

impl Correction<'_> {
    /// The events; `terms` only where the clock is to be made anew.
    fn events(&self, terms: Option<Terms>) -> Vec<SlaEvent> {
        let generation = self.record.map_or(0, |record| record.generation);
        let revoked_at = self.revoked_at();
        let mut events = Vec::new();
        if let Some(at) = revoked_at {
            let (clock, fact_at) = (self.name.to_owned(), self.fact_at);
            events.push(SlaEvent::BreachRevoked { clock, generation, at, fact_at });
        }
        let unreached = |mark: &&Mark| {
            let reached = self.record.is_some_and(|record| record.reached(mark.share_bp).is_some());
            !reached || (mark.share_bp == BREACH_BP && revoked_at.is_some())
        };
        let marks: Vec<Mark> = self.course.marks.iter().filter(unreached).cloned().collect();
        if terms.is_none() && self.holds(&marks) {
            return events;
        }
        let running = self.course.phase == Phase::Running;
        let clock = self.name.to_owned();
        let run = self.course.run;
        let (since, elapsed_us) = (run.since, run.elapsed_us);
        let mut latest = generation;
        if let Some(terms) = terms {
            latest += 1;
            events.push(SlaEvent::ClockStarted { clock, generation: latest, terms, since, elapsed_us, marks });
        } else if running || !self.keeps(&marks) {
            latest += 1;
            events.push(SlaEvent::ClockResumed { clock, generation: latest, since, elapsed_us, marks });
        }
        events.extend(self.halt(latest));
        events
    }

    /// The breach on record that the facts do not bear out.
    fn revoked_at(&self) -> Option<Micros> {
        let breached = self.course.marks.iter().any(|mark| mark.share_bp == BREACH_BP && mark.at < self.now);
        self.record.and_then(|record| record.reached(BREACH_BP)).filter(|_| !breached)
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
        match self.course.phase {
            Phase::Running => None,
            Phase::Paused => Some(SlaEvent::ClockPaused { clock, generation, since, elapsed_us }),
            Phase::Stopped { met } => Some(SlaEvent::ClockStopped { clock, generation, since, elapsed_us, met }),
            Phase::Cancelled => Some(SlaEvent::ClockCancelled { clock, generation, since, elapsed_us }),
        }
    }
}
