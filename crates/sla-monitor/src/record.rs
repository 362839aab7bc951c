//! A ticket as folded: its facts in the order in which they happened, and its clocks as the log records them.
//!
//! Open tickets are kept whole, a million of them; so names, priorities, scenes, terms and profiles are numbers, and an
//! instant takes eight bytes wherever it stands.

mod knowledge;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::sla::{Mark, SlaEvent};

use crate::attention::Attending;
use crate::clock::Phase;
use crate::escalation::Called;
use crate::moment::{Instant, Late, Moment};
use crate::policy::BREACH_BP;
use crate::state::Slot;

/// What stands for a number that was never said.
pub(crate) const UNSAID: u32 = u32::MAX;

/// A ticket: an open one with four clocks takes about half a kilobyte, everything included.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The position at which it became known: what was in force then holds for it.
    pub(crate) born: u64,
    /// Its first type or product.
    pub(crate) product: u32,
    /// What it was opened with.
    pub(crate) profile: u32,
    /// The queue or group it lies in.
    pub(crate) group: u32,
    /// What its clocks were last made from.
    pub(crate) terms: u32,
    /// Its first priority.
    pub(crate) priority: u32,
    /// Whether it came from another system.
    pub(crate) imported: bool,
    /// By when they happened, then by when they became known.
    pub(crate) facts: Vec<Moment>,
    clocks: Vec<Clock>,
    /// Of all clocks, each clock's together and in order of share.
    notches: Vec<Notch>,
    /// Only while somebody owes its next step.
    pub(crate) attending: Option<Attending>,
    seldom: Option<Box<Seldom>>,
}

/// What few tickets have.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Seldom {
    /// Of clocks whose round did not begin with the ticket: their place, and when it did.
    began: Vec<(u8, Micros)>,
    /// Of clocks whose target is in working days: their place, and the seconds those came to.
    budgets: Vec<(u8, i64)>,
    /// Breaches of rounds that are over: the clock's place, when the round began, the instant.
    over: Vec<(u8, Option<Micros>, Micros)>,
    /// Breached clocks for which somebody is called, by name.
    called: Vec<(u32, Called)>,
    /// Warnings of rounds that are over: the clock's place, the share, the instant.
    warned: Vec<(u8, u16, Micros)>,
    /// Facts that became known late, in that order.
    late: Vec<Late>,
}

/// A share of a budget with its instant, in twelve bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notch {
    at: Instant,
    /// Whose: the clock's place.
    clock: u8,
    reached: bool,
    share_bp: u16,
}

/// A share of a budget with its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The share, basis points.
    pub share_bp: u32,
    /// Whether it was used up.
    pub reached: bool,
    /// When it was, or will be if the clock runs on.
    pub at: Micros,
}

impl Notch {
    fn new(clock: u8, reached: bool, mark: &Mark) -> Self {
        let share_bp = u16::try_from(mark.share_bp).unwrap_or(u16::MAX);
        Self { at: mark.at.into(), clock, reached, share_bp }
    }

    fn share(self) -> Share {
        Share { share_bp: self.share_bp.into(), reached: self.reached, at: self.at.get() }
    }
}

/// A clock as the log records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) name: u32,
    /// What it was made from.
    pub(crate) terms: u32,
    pub(crate) generation: u32,
    pub(crate) phase: Phase,
    pub(crate) since: Micros,
    pub(crate) elapsed_us: i64,
}

/// A clock with what the ticket keeps for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial<'a> {
    pub(crate) clock: &'a Clock,
    ticket: &'a Ticket,
    place: u8,
}

impl std::ops::Deref for Dial<'_> {
    type Target = Clock;

    fn deref(&self) -> &Clock {
        self.clock
    }
}

impl<'a> Dial<'a> {
    /// Reached and to come, in order of share.
    pub(crate) fn shares(self) -> impl Iterator<Item = Share> + 'a {
        self.ticket.notches.iter().filter(move |notch| notch.clock == self.place).map(|notch| notch.share())
    }

    /// When a share was reached in the round that is recorded, if that was not taken back.
    pub(crate) fn reached(self, share_bp: u32) -> Option<Micros> {
        self.shares().find(|share| share.share_bp == share_bp && share.reached).map(|share| share.at)
    }

    /// The marks that have not fired.
    pub(crate) fn pending(self) -> impl Iterator<Item = Mark> + 'a {
        self.shares().filter(|share| !share.reached).map(|share| Mark { share_bp: share.share_bp, at: share.at })
    }

    /// When its round began, if not with the ticket.
    pub(crate) fn began(self) -> Option<Micros> {
        let began = self.ticket.seldom.iter().flat_map(|seldom| &seldom.began);
        began.filter(|(place, _)| *place == self.place).map(|(_, at)| *at).next()
    }

    /// The working seconds its working days came to, if its target is given in them.
    pub(crate) fn of_working_days(self) -> Option<i64> {
        let budgets = self.ticket.seldom.iter().flat_map(|seldom| &seldom.budgets);
        budgets.filter(|(place, _)| *place == self.place).map(|(_, secs)| *secs).next()
    }

    /// The breaches that stand, each with the beginning of its round: the recorded round's last.
    pub(crate) fn breaches(self) -> impl Iterator<Item = (Option<Micros>, Micros)> + 'a {
        let over = self.ticket.seldom.iter().flat_map(|seldom| &seldom.over);
        let over = over.filter(move |(place, ..)| *place == self.place).map(|(_, began, at)| (*began, *at));
        over.chain(self.reached(BREACH_BP).map(|at| (self.began(), at)))
    }

    /// The breach of a round, if it stands.
    pub(crate) fn breach_of(self, began: Option<Micros>) -> Option<Micros> {
        self.breaches().find(|(round, _)| *round == began).map(|(_, at)| at)
    }

    /// The last breach that stands.
    pub(crate) fn breach(self) -> Option<Micros> {
        self.breaches().map(|(_, at)| at).last()
    }
}

impl Ticket {
    pub(crate) fn new(born: u64, product: u32, profile: u32, imported: bool) -> Self {
        let (facts, clocks, notches) = (Vec::new(), Vec::new(), Vec::new());
        let (group, terms, priority) = (UNSAID, UNSAID, UNSAID);
        let (attending, seldom) = (None, None);
        Self { born, product, profile, group, terms, priority, imported, facts, clocks, notches, attending, seldom }
    }

    /// Its clocks that were ever started.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = Dial<'_>> {
        self.clocks.iter().zip(0..).map(|(clock, place)| Dial { clock, ticket: self, place })
    }

    /// A clock of this name, if it was ever started.
    pub(crate) fn clock(&self, name: u32) -> Option<Dial<'_>> {
        self.clocks().find(|dial| dial.name == name)
    }

    /// What falls due, in no order.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = (Micros, Slot)> {
        let marks = self.clocks().flat_map(|dial| {
            let clock = dial.name;
            dial.pending().map(move |mark| (mark.at, Slot::Mark { clock, share_bp: mark.share_bp }))
        });
        let calls = self.calls().filter_map(|(clock, called)| Some((called.next_at?, Slot::Call { clock: *clock })));
        let attention = self.attending.as_ref().and_then(Attending::falls_due);
        marks.chain(calls).chain(attention.map(|at| (at, Slot::Attention)))
    }

    /// The clocks for which somebody is called, by name.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &(u32, Called)> {
        self.seldom.iter().flat_map(|seldom| &seldom.called)
    }

    /// The calls for a clock, if there are any.
    pub(crate) fn called(&self, clock: u32) -> Option<&Called> {
        self.calls().find(|(name, _)| *name == clock).map(|(_, called)| called)
    }

    /// Sets the calls for a clock, or ends them.
    pub(crate) fn call(&mut self, clock: u32, called: Option<Called>) {
        if called.is_some() || self.called(clock).is_some() {
            let seldom = self.seldom.get_or_insert_default();
            seldom.called.retain(|(name, _)| *name != clock);
            seldom.called.extend(called.map(|called| (clock, called)));
        }
    }

    /// Takes one event about a clock in; `terms` is the number of those it was started on.
    pub(crate) fn evolve(&mut self, name: u32, event: &SlaEvent, terms: u32) {
        let place = self.place(name);
        match event {
            SlaEvent::ClockStarted { generation, terms: made_from, since, elapsed_us, marks, began, .. } => {
                self.terms = terms;
                self.clocks[usize::from(place)].terms = terms;
                self.allow(place, made_from.working_days.map(|_| made_from.budget_secs));
                self.begin(place, *began);
                self.run(place, (*generation, *since, *elapsed_us), marks);
            }
            SlaEvent::ClockResumed { generation, since, elapsed_us, marks, .. } => {
                self.run(place, (*generation, *since, *elapsed_us), marks);
            }
            SlaEvent::ClockPaused { since, elapsed_us, .. } => self.halt(place, Phase::Paused, (*since, *elapsed_us)),
            SlaEvent::ClockStopped { since, elapsed_us, met, .. } => {
                self.halt(place, Phase::Stopped { met: *met }, (*since, *elapsed_us));
            }
            SlaEvent::ClockCancelled { since, elapsed_us, .. } => {
                self.halt(place, Phase::Cancelled, (*since, *elapsed_us));
            }
            SlaEvent::WarningRaised { share_bp, at, .. } => self.reach(place, &Mark { share_bp: *share_bp, at: *at }),
            SlaEvent::Breached { at, began, .. } => self.breach(place, *began, *at),
            SlaEvent::BreachRevoked { at, began, .. } => self.revoke(place, *began, *at),
            SlaEvent::BreachExplained { .. }
            | SlaEvent::AttentionMissed { .. }
            | SlaEvent::EscalationRaised { .. }
            | SlaEvent::EscalationAcknowledged { .. }
            | SlaEvent::BacklogRaised { .. }
            | SlaEvent::BacklogCleared { .. }
            | SlaEvent::MajorEventDeclared { .. }
            | SlaEvent::MajorEventEnded { .. } => {}
        }
    }

    /// The place of a clock, a new one if it has none: a policy has few, and 256 policies' worth are all a ticket gets.
    fn place(&mut self, name: u32) -> u8 {
        let known = self.clocks.iter().position(|clock| clock.name == name);
        let place = known.unwrap_or_else(|| {
            let (terms, generation, phase) = (UNSAID, 0, Phase::Cancelled);
            let clock = Clock { name, terms, generation, phase, since: 0, elapsed_us: 0 };
            if self.clocks.len() == self.clocks.capacity() {
                self.clocks.reserve_exact(4);
            }
            self.clocks.push(clock);
            self.clocks.len() - 1
        });
        u8::try_from(place).unwrap_or(u8::MAX)
    }

    fn dial(&self, place: u8) -> Dial<'_> {
        Dial { clock: &self.clocks[usize::from(place)], ticket: self, place }
    }

    /// Sets what the working days of a clock's target came to, if it is given in them.
    fn allow(&mut self, place: u8, budget_secs: Option<i64>) {
        if budget_secs.is_some() || self.dial(place).of_working_days().is_some() {
            let seldom = self.seldom.get_or_insert_default();
            seldom.budgets.retain(|(clock, _)| *clock != place);
            seldom.budgets.extend(budget_secs.map(|secs| (place, secs)));
        }
    }

    /// A round begins: what the one before had passed no longer counts, but for its breach.
    fn begin(&mut self, place: u8, began: Option<Micros>) {
        let (before, breach) = (self.dial(place).began(), self.dial(place).reached(BREACH_BP));
        if began == before {
            return;
        }
        let warned = |notch: &&Notch| notch.clock == place && notch.reached && u32::from(notch.share_bp) != BREACH_BP;
        let seldom = self.seldom.get_or_insert_default();
        let passed = self.notches.iter().filter(warned).map(|notch| (place, notch.share_bp, notch.at.get()));
        seldom.warned.extend(passed);
        self.notches.retain(|notch| notch.clock != place);
        seldom.over.extend(breach.map(|at| (place, before, at)));
        seldom.began.retain(|(clock, _)| *clock != place);
        seldom.began.extend(began.map(|at| (place, at)));
        // A round may come back, when another turns out not to have begun after it.
        let back = seldom.over.iter().position(|(clock, round, _)| (*clock, *round) == (place, began));
        if let Some((.., at)) = back.map(|index| seldom.over.remove(index)) {
            self.reach(place, &Mark { share_bp: BREACH_BP, at });
        }
    }

    fn run(&mut self, place: u8, (generation, since, elapsed_us): (u32, Micros, i64), marks: &[Mark]) {
        let clock = &mut self.clocks[usize::from(place)];
        (clock.phase, clock.generation, clock.since, clock.elapsed_us) =
            (Phase::Running, generation, since, elapsed_us);
        self.notches.retain(|notch| notch.clock != place || notch.reached);
        self.notches.reserve_exact(marks.len());
        self.notches.extend(marks.iter().map(|mark| Notch::new(place, false, mark)));
        self.notches.sort_by_key(|notch| (notch.clock, notch.share_bp));
    }

    /// A mark passed before the halt still fires; the others no longer lie ahead.
    fn halt(&mut self, place: u8, phase: Phase, (since, elapsed_us): (Micros, i64)) {
        let clock = &mut self.clocks[usize::from(place)];
        (clock.phase, clock.since, clock.elapsed_us) = (phase, since, elapsed_us);
        self.notches.retain(|notch| notch.clock != place || notch.reached || notch.at.get() < since);
        self.notches.shrink_to_fit();
        if self.clocks.iter().all(|clock| matches!(clock.phase, Phase::Stopped { .. } | Phase::Cancelled)) {
            self.facts.shrink_to_fit();
        }
    }

    fn reach(&mut self, place: u8, mark: &Mark) {
        let reached = Notch::new(place, true, mark);
        let key = |notch: &Notch| (notch.clock, notch.share_bp);
        self.notches.retain(|notch| key(notch) != key(&reached));
        let at = self.notches.partition_point(|notch| key(notch) < key(&reached));
        self.notches.insert(at, reached);
    }

    /// A breach of the round on record, or of one that was over when it became known.
    fn breach(&mut self, place: u8, began: Option<Micros>, at: Micros) {
        if began == self.dial(place).began() {
            self.reach(place, &Mark { share_bp: BREACH_BP, at });
        } else {
            self.seldom.get_or_insert_default().over.push((place, began, at));
        }
    }

    fn revoke(&mut self, place: u8, began: Option<Micros>, at: Micros) {
        if began == self.dial(place).began() {
            let other = |notch: &Notch| notch.clock != place || u32::from(notch.share_bp) != BREACH_BP;
            self.notches.retain(other);
        } else if let Some(seldom) = &mut self.seldom {
            seldom.over.retain(|over| *over != (place, began, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_marks_take_twelve_bytes_a_clock_thirty_two() {
        assert_eq!((size_of::<Moment>(), size_of::<Notch>(), size_of::<Clock>()), (12, 12, 32));
        for at in [0, -1, 1, Micros::MAX, Micros::MIN, 1_709_550_000_123_456] {
            assert_eq!(Instant::from(at).get(), at);
        }
    }
}
