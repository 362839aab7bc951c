//! What is recorded next of a ticket of which nobody does anything: marks of its clocks, calls for a breach step by step,
//! calls for attention; in the order in which they fall due, decided by what decides them live.

use decider::Micros;
use ticket::intake::Accountable;
use ticket::sla::{Mark, Pinned, SlaEvent};
use uuid::Uuid;

use super::house::House;
use crate::attention::missed;
use crate::clock::Phase;
use crate::escalation::{self, Call};
use crate::policy::{ATTENTION_EVERY_US, BREACH_BP};
use crate::record::{Dial, Ticket};

/// Something recorded of a ticket because nobody did anything.
#[derive(Debug)]
pub(crate) struct Wake {
    /// When it is recorded: the clock stands past what fell due.
    pub(crate) at: Micros,
    /// When it fell due.
    pub(crate) due_at: Micros,
    pub(crate) event: SlaEvent,
    /// From when on it would come too late to speak of it.
    pub(crate) too_late: Option<Micros>,
}

/// What lies ahead of a ticket, soonest first.
pub(crate) struct Chain<'a> {
    house: &'a House<'a>,
    pub(crate) lies_in: &'a str,
    pub(crate) owed: Accountable,
    /// Who comes, if somebody took a visit on.
    pub(crate) engineer: Option<&'a str>,
    /// How often the next step was missed, and when it is missed next.
    attention: (u32, Micros),
    every_us: Micros,
    hands: Vec<Hand>,
    now: Micros,
    end: Micros,
}

/// A clock that still has something ahead.
#[derive(Debug)]
struct Hand {
    clock: String,
    generation: u32,
    /// Of which nothing fired yet.
    marks: Vec<Mark>,
    began: Option<Micros>,
    /// Whether somebody is called when it breaches.
    going: bool,
    escalation: Option<Pinned>,
    major: Option<String>,
    /// Calls so far for its breach, and when the next is due.
    call: Option<(u32, Micros)>,
}

/// What falls due of a ticket, in the order in which it is done of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Attention,
    Mark(usize, u32),
    Call(usize),
}

impl Hand {
    fn of(house: &House<'_>, ticket: &Ticket, dial: Dial<'_>) -> Self {
        let terms = house.desk.terms_of(dial.terms);
        let called = ticket.called(dial.name);
        Self {
            clock: house.desk.names.text(dial.name).to_owned(),
            generation: dial.generation,
            marks: dial.pending().collect(),
            began: dial.began(),
            going: matches!(dial.phase, Phase::Running | Phase::Paused),
            escalation: terms.and_then(|terms| terms.escalation.clone()),
            major: terms.and_then(|terms| terms.major.clone()),
            call: called.and_then(|called| Some((called.step, called.next_at?))),
        }
    }

    /// A clock that nothing is known of yet.
    fn new(clock: &str) -> Self {
        let (clock, generation, marks, began) = (clock.to_owned(), 0, Vec::new(), None);
        Self { clock, generation, marks, began, going: false, escalation: None, major: None, call: None }
    }

    /// Takes in what would be recorded of it, were other documents in force.
    fn evolve(&mut self, event: &SlaEvent) {
        match event {
            SlaEvent::ClockStarted { generation, terms, marks, began, .. } => {
                self.call = self.call.filter(|_| self.began == *began);
                (self.generation, self.marks, self.began, self.going) = (*generation, marks.clone(), *began, true);
                (self.escalation, self.major) = (terms.escalation.clone(), terms.major.clone());
            }
            SlaEvent::ClockResumed { generation, marks, .. } => {
                (self.generation, self.marks, self.going) = (*generation, marks.clone(), true);
            }
            SlaEvent::ClockPaused { since, .. } => self.marks.retain(|mark| mark.at < *since),
            SlaEvent::ClockStopped { since, .. } | SlaEvent::ClockCancelled { since, .. } => {
                self.marks.retain(|mark| mark.at < *since);
                (self.going, self.call) = (false, None);
            }
            SlaEvent::BreachRevoked { .. } => self.call = None,
            _ => {}
        }
    }
}

impl<'a> Chain<'a> {
    /// What a ticket has ahead from `now` up to `end`; nothing where nobody owes anything.
    pub(crate) fn of(
        house: &'a House<'a>,
        (id, ticket): (Uuid, &'a Ticket),
        (now, end): (Micros, Micros),
    ) -> Option<Self> {
        let desk = house.desk;
        let attending = ticket.attending.as_ref()?;
        let attention = (attending.step, attending.falls_due()?);
        let owed = attending.owed(&desk.names)?;
        let in_force = desk.in_force_with(ticket, house.lens());
        let every_us = in_force.map_or(ATTENTION_EVERY_US, |in_force| in_force.policy.attention_every_us);
        let mut hands: Vec<_> = ticket.clocks().map(|dial| Hand::of(house, ticket, dial)).collect();
        if !house.trial.is_empty() {
            for event in desk.drift_with(ticket, (now, now), house.lens()) {
                let Some(name) = crate::state::clock_name(&event) else { continue };
                let known = hands.iter().position(|hand| hand.clock == name).unwrap_or_else(|| {
                    hands.push(Hand::new(name));
                    hands.len() - 1
                });
                hands[known].evolve(&event);
            }
        }
        let (lies_in, engineer) = (desk.names.text(ticket.group), desk.reach.roster.comes(id));
        Some(Self { house, lies_in, owed, engineer, attention, every_us, hands, now, end })
    }

    /// What falls due first.
    fn first(&self) -> Option<(Micros, What)> {
        let hands = || self.hands.iter().enumerate();
        let marks =
            hands().flat_map(|(n, hand)| hand.marks.iter().map(move |mark| (mark.at, What::Mark(n, mark.share_bp))));
        let calls = hands().filter_map(|(n, hand)| Some((hand.call?.1, What::Call(n))));
        let attention = (self.attention.1, What::Attention);
        marks.chain(calls).chain([attention]).min().filter(|(at, _)| *at < self.end)
    }

    fn miss(&mut self, at: Micros) -> SlaEvent {
        let (step, due_at) = self.attention;
        let event = missed(self.owed.clone(), (step + 1, due_at), &self.house.staff(self.lies_in, at), self.every_us);
        if let SlaEvent::AttentionMissed { step, next_at, .. } = &event {
            self.attention = (*step, *next_at);
        }
        event
    }

    fn mark(&mut self, n: usize, share_bp: u32, due_at: Micros) -> SlaEvent {
        let hand = &mut self.hands[n];
        hand.marks.retain(|mark| (mark.at, mark.share_bp) != (due_at, share_bp));
        let (clock, generation) = (hand.clock.clone(), hand.generation);
        if share_bp != BREACH_BP {
            return SlaEvent::WarningRaised { clock, generation, share_bp, at: due_at };
        }
        let escalation =
            hand.escalation.as_ref().filter(|_| hand.going).and_then(|pinned| self.house.escalation(pinned));
        let escalates_at = escalation.map(|escalation| due_at.saturating_add(escalation.after_us));
        hand.call = escalates_at.map(|at| (0, at)).or(hand.call);
        let (accountable, began, major) = (Some(self.owed.clone()), hand.began, hand.major.clone());
        SlaEvent::Breached { clock, generation, at: due_at, accountable, began, escalates_at, major }
    }

    fn call(&mut self, n: usize, due_at: Micros, at: Micros) -> SlaEvent {
        let staff = self.house.staff(self.lies_in, at);
        let hand = &self.hands[n];
        let step = hand.call.map_or(0, |(step, _)| step) + 1;
        let (clock, generation, major) = (hand.clock.clone(), hand.generation, hand.major.clone());
        let escalation = hand.escalation.as_ref().and_then(|pinned| self.house.escalation(pinned));
        let call = Call { clock, generation, step, due_at, major };
        let event = escalation::raised(call, escalation, |who| self.house.audience(&staff, &self.owed, who), at);
        if let SlaEvent::EscalationRaised { next_at, .. } = &event {
            self.hands[n].call = next_at.map(|at| (step, at));
        }
        event
    }

    /// When the clock of what is told breaches, if that still lies ahead.
    fn too_late(&self, what: What) -> Option<Micros> {
        let What::Mark(n, _) = what else { return None };
        self.hands[n].marks.iter().find(|mark| mark.share_bp == BREACH_BP).map(|mark| mark.at)
    }
}

impl Iterator for Chain<'_> {
    type Item = Wake;

    fn next(&mut self) -> Option<Wake> {
        let (due_at, what) = self.first()?;
        let at = self.now.max(due_at.saturating_add(1));
        self.now = at;
        let event = match what {
            What::Attention => self.miss(at),
            What::Mark(n, share_bp) => self.mark(n, share_bp, due_at),
            What::Call(n) => self.call(n, due_at, at),
        };
        Some(Wake { at, due_at, event, too_late: self.too_late(what) })
    }
}
