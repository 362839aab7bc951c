//! A ticket run again under other documents: what its clocks would have raised, given what happened to it and when that
//! became known.
//!
//! It is the code that runs live: a ticket that learned everything in order and stayed under one policy is one run of each
//! clock over its facts; any other goes through the same comparisons and records, one after another, beside its own.

use decider::Micros;
use ticket::sla::{SlaEvent, Terms};

use crate::clock;
use crate::in_force::InForce;
use crate::lens::{Beside, Lens, Trial};
use crate::moment::{Late, Moment};
use crate::policy::{BREACH_BP, Zone};
use crate::record::{Ticket, UNSAID};
use crate::scene::Situation;
use crate::state::{Desk, clock_name};

/// Something a clock raised: the clock's number, the share, the instant.
pub(crate) type Raised = (u32, u32, Micros);

/// What tickets are run again under.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) trial: Trial,
    /// Names of clocks that no ticket ever had.
    pub(crate) clocks: Vec<String>,
    /// When open tickets were taken over, or would have been: in order.
    pub(crate) turns: Vec<Micros>,
    /// Whether which policy holds may depend on where a ticket stands.
    pub(crate) conditional: bool,
}

/// What comes next in the life of a ticket. Of one instant, a fact comes before what takes the ticket over then, and that
/// before a late fact.
enum Step {
    /// A fact becomes known as it happens.
    Fact(Moment),
    /// A fact becomes known late.
    Late(Late),
    /// Open tickets are looked at again.
    Turn(Micros),
}

impl Course {
    /// What of documents in force, and of these, makes a difference to the way a ticket is run.
    pub(crate) fn of(desk: &Desk, trial: Trial) -> Self {
        let editions = || desk.policies.values().flatten().chain(trial.policies.values());
        let policies = || editions().filter_map(|edition| Some((edition.at, edition.read()?)));
        let major = desk.majors.iter().next().is_some();
        let taking = policies().filter(|(_, policy)| policy.retroactive).map(|(at, _)| at);
        let mut turns: Vec<_> = taking.collect();
        if major || !turns.is_empty() {
            let calendars = desk.calendars.values().flatten().chain(trial.calendars.values());
            turns.extend(calendars.map(|edition| edition.at));
        }
        let ends = desk.majors.iter().filter_map(|(_, major)| major.ended.as_ref().map(|(at, _)| *at));
        turns.extend(desk.majors.iter().map(|(_, major)| major.declared_at).chain(ends));
        turns.sort_unstable();
        let conditional = major || policies().any(|(_, policy)| policy.matching.when.is_some());
        let names = policies().flat_map(|(_, policy)| &policy.clocks).map(|clock| &clock.name);
        let mut clocks: Vec<_> = names.filter(|name| desk.names.find(name.as_str()).is_none()).cloned().collect();
        clocks.sort_unstable();
        clocks.dedup();
        Self { trial, clocks, turns, conditional }
    }

    /// The lens a ticket is looked through that knows these terms beside its record.
    pub(crate) fn lens<'a>(&'a self, as_of: Micros, terms: &'a [Terms], recorded: u32) -> Lens<'a> {
        Lens { trial: Some(&self.trial), as_of, beside: Beside { clocks: &self.clocks, terms, recorded } }
    }

    /// What a ticket's clocks would have raised before an instant, in no order.
    pub(crate) fn raised(&self, desk: &Desk, ticket: &Ticket, end: Micros) -> Vec<Raised> {
        let mut raised = self.straight(desk, ticket).unwrap_or_else(|| self.step_by_step(desk, ticket, end));
        raised.retain(|(.., at)| *at < end);
        raised
    }

    /// In one go, if it learned everything in order under one policy.
    fn straight(&self, desk: &Desk, ticket: &Ticket) -> Option<Vec<Raised>> {
        let (first, last) = (ticket.facts.first()?.at(), ticket.facts.last()?.at());
        let next = self.turns.get(self.turns.partition_point(|turn| *turn < first));
        let taken_over = next.is_some_and(|turn| *turn < last || desk.open(ticket));
        if taken_over || !ticket.late().is_empty() {
            return None;
        }
        let lens = self.lens(first - 1, &[], UNSAID);
        let Some(in_force) = self.one_policy(desk, ticket, lens)? else { return Some(Vec::new()) };
        let mut raised = Vec::new();
        for spec in &in_force.policy.clocks {
            let number = desk.clock_number(&spec.name, lens)?;
            let course = desk.course(ticket, spec, &in_force.calendar);
            raised.extend(course.iter().flat_map(clock::Course::raised).map(|(share_bp, at)| (number, share_bp, at)));
        }
        Some(raised)
    }

    /// What holds for a ticket all along, if that is one thing (which may be nothing).
    #[expect(clippy::option_option, reason = "nothing may hold, and that all along")]
    fn one_policy<'a>(&self, desk: &'a Desk, ticket: &Ticket, lens: Lens<'a>) -> Option<Option<InForce<'a>>> {
        let mut now = Situation::new(desk.about(ticket));
        let mut found = None;
        for fact in desk.seen(ticket).take(if self.conditional { usize::MAX } else { 1 }) {
            now.learn(&fact);
            let choice = desk.choice(ticket, &now, lens);
            match (&found, &choice) {
                (None, _) => found = Some(choice),
                (Some(None), None) => {}
                (Some(Some(one)), Some(other)) if one.is(other) => {}
                _ => return None,
            }
        }
        match found.flatten() {
            Some(choice) if choice.policy.zone == Zone::Queue => None,
            Some(choice) => Some(desk.assembled(ticket, choice, lens)),
            None => Some(None),
        }
    }

    fn step_by_step(&self, desk: &Desk, ticket: &Ticket, end: Micros) -> Vec<Raised> {
        let beside = Ticket::new(ticket.born, ticket.product, ticket.profile, ticket.imported);
        let mut run = Run { course: self, desk, ticket: beside, terms: Vec::new(), recorded: ticket.terms };
        for step in self.steps(ticket) {
            match step {
                Step::Fact(fact) => {
                    run.fire(fact.at());
                    run.learn(fact, fact.at(), fact.at() - 1);
                }
                Step::Late(late) => {
                    run.fire(late.fired());
                    run.learn(late.fact, late.known(), late.known());
                }
                Step::Turn(at) if !run.ticket.facts.is_empty() => {
                    run.fire(at);
                    if desk.open(&run.ticket) {
                        run.assess(at, at, at);
                    }
                }
                Step::Turn(_) => {}
            }
        }
        run.fire(end);
        run.ticket.raised().collect()
    }

    /// Facts in the order in which they became known, and turns between them.
    fn steps(&self, ticket: &Ticket) -> Vec<Step> {
        let mut late: Vec<_> = ticket.late().iter().map(|late| late.fact).collect();
        let mut steps = Vec::new();
        for fact in &ticket.facts {
            match late.iter().position(|late| late == fact) {
                Some(place) => drop(late.swap_remove(place)),
                None => steps.push(((fact.at(), 0), Step::Fact(*fact))),
            }
        }
        steps.extend(ticket.late().iter().map(|late| ((late.known(), 2), Step::Late(*late))));
        steps.extend(self.turns.iter().map(|at| ((*at, 1), Step::Turn(*at))));
        steps.sort_by_key(|(order, _)| *order);
        steps.into_iter().map(|(_, step)| step).collect()
    }
}

/// A ticket under way beside its record.
struct Run<'a> {
    course: &'a Course,
    desk: &'a Desk,
    ticket: Ticket,
    terms: Vec<Terms>,
    recorded: u32,
}

impl Run<'_> {
    /// Takes a fact in, by what had come in force by an instant.
    fn learn(&mut self, fact: Moment, now: Micros, as_of: Micros) {
        if let Some(scene) = self.desk.said(fact) {
            self.ticket.take(fact, scene);
            self.assess(now, fact.at(), as_of);
        }
    }

    /// Brings the clocks to the facts.
    fn assess(&mut self, now: Micros, fact_at: Micros, as_of: Micros) {
        let lens = self.course.lens(as_of, &self.terms, self.recorded);
        let events = self.desk.drift_with(&self.ticket, (now, fact_at), lens);
        for event in events {
            let lens = self.course.lens(as_of, &self.terms, self.recorded);
            let Some(number) = clock_name(&event).and_then(|name| self.desk.clock_number(name, lens)) else { continue };
            let mut of_terms = UNSAID;
            if let SlaEvent::ClockStarted { terms, .. } = &event {
                of_terms = u32::try_from(self.desk.terms.len() + self.terms.len()).unwrap_or(UNSAID);
                self.terms.push(terms.clone());
            }
            self.ticket.evolve(number, &event, of_terms);
        }
    }

    /// Fires what falls due before an instant.
    fn fire(&mut self, end: Micros) {
        loop {
            let ahead = self
                .ticket
                .clocks()
                .flat_map(|dial| dial.pending().map(move |mark| (mark.at, dial.name, mark.share_bp, dial.began())));
            let Some((at, number, share_bp, began)) = ahead.min().filter(|(at, ..)| *at < end) else { return };
            let (clock, generation) = (String::new(), 0);
            let event = if share_bp == BREACH_BP {
                let (accountable, escalates_at, major) = (None, None, None);
                SlaEvent::Breached { clock, generation, at, accountable, began, escalates_at, major }
            } else {
                SlaEvent::WarningRaised { clock, generation, share_bp, at }
            };
            self.ticket.evolve(number, &event, UNSAID);
        }
    }
}
