//! A help-desk day as a seeded plan: what each ticket will go through, when, and who does it.

use decider::Micros;
use proto::intake::v1::{Impact, Urgency, WaitReason};

/// Microseconds in a minute.
pub(crate) const MINUTE_US: Micros = 60_000_000;
/// Minutes from the day's start until everybody goes home.
pub(crate) const DAY_MINUTES: i64 = 10 * 60;

const AGENTS: [&str; 3] = ["ann", "bob", "chen"];
const ENGINEERS: [&str; 2] = ["dora", "emil"];
const SERVICES: [&str; 5] = ["mail", "network", "printing", "erp", "other"];
const TROUBLES: [&str; 6] = [
    "does not start",
    "is slow since this morning",
    "shows an error",
    "lost its settings",
    "refuses the password",
    "is offline",
];

/// One thing somebody does.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// When it is sent, business time.
    pub(crate) at: Micros,
    /// When it happened, if earlier: a fact that comes late.
    pub(crate) occurred_at: Option<Micros>,
    /// Who does it.
    pub(crate) by: &'static str,
    /// What.
    pub(crate) what: What,
}

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Opens the ticket.
    Open(Opening),
    /// Takes it in charge.
    Take,
    /// Answers the customer.
    Reply,
    /// The customer writes.
    CustomerWrites,
    /// Calls the customer.
    Call,
    /// Waits.
    Hold(WaitReason),
    /// Goes on.
    Resume,
    /// Is done.
    Resolve,
    /// The customer agrees.
    Confirm,
    /// The customer does not.
    Reject,
    /// The supervisor closes.
    Close,
    /// It comes back.
    Reopen,
    /// It is called off.
    Cancel,
    /// It is more urgent than it looked.
    Raise,
}

/// What a ticket is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) repair: bool,
    pub(crate) title: String,
    pub(crate) customer: String,
    pub(crate) service: &'static str,
    pub(crate) impact: Impact,
    pub(crate) urgency: Urgency,
}

/// What one ticket goes through, in order of time.
pub(crate) type Story = Vec<Step>;

/// The day of this seed: `tickets` stories from `start` on.
pub(crate) fn day(seed: u64, start: Micros, tickets: usize) -> Vec<Story> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut stories: Vec<_> = (0..tickets).map(|n| Teller::new(&mut chance, start, n).story(n)).collect();
    stories.sort_by_key(|story| story.first().map(|step| step.at));
    stories
}

/// Tells one story minute by minute.
struct Teller<'a> {
    chance: &'a mut fastrand::Rng,
    start: Micros,
    minute: i64,
    agent: &'static str,
    /// Critical from the start: it cannot be raised.
    critical: bool,
    steps: Story,
}

impl<'a> Teller<'a> {
    fn new(chance: &'a mut fastrand::Rng, start: Micros, n: usize) -> Self {
        let repair = n % 16 == 7;
        let minute = chance.i64(0..DAY_MINUTES - 30);
        let agent = if repair { ENGINEERS[n % 2] } else { AGENTS[chance.usize(0..AGENTS.len())] };
        let mut teller = Self { chance, start, minute, agent, critical: false, steps: Vec::new() };
        let opening = teller.opening(repair, n);
        teller.critical = opening.urgency == Urgency::Critical;
        teller.now("operator", What::Open(opening));
        teller
    }

    fn opening(&mut self, repair: bool, n: usize) -> Opening {
        let service = SERVICES[self.chance.usize(0..SERVICES.len())];
        let trouble = TROUBLES[self.chance.usize(0..TROUBLES.len())];
        let what = if repair { "device" } else { service };
        let (impact, urgency) = match self.chance.u32(0..20) {
            0 => (Impact::Service, Urgency::Critical),
            1..=4 => (Impact::Service, Urgency::High),
            5..=14 => (Impact::Person, Urgency::Medium),
            _ => (Impact::Person, Urgency::Low),
        };
        let customer = format!("C-{:04}", 1_000 + self.chance.usize(0..60));
        Opening { repair, title: format!("{what} {trouble} (no. {n})"), customer, service, impact, urgency }
    }

    /// Which way it goes; by its number, so that every way is gone on every day.
    fn story(mut self, n: usize) -> Story {
        match n % 16 {
            0 | 8 => self.waits_for(WaitReason::Customer),
            1 => self.waits_for(WaitReason::Parts),
            2 | 10 => self.is_taken_too_late(),
            3 => self.is_recorded_late(),
            4 => self.is_rejected(),
            5 => self.comes_back(),
            6 => self.is_called_off(),
            9 => self.ends_in_silence(),
            _ => self.goes_well(),
        }
        self.steps.retain(|step| step.at < self.start + DAY_MINUTES * MINUTE_US);
        self.steps
    }

    fn goes_well(&mut self) {
        self.is_taken(5, 25);
        if !self.critical && self.chance.u32(0..4) == 0 {
            self.then(2, 10, self.agent, What::Raise);
        }
        self.is_done();
        self.is_closed();
    }

    fn waits_for(&mut self, reason: WaitReason) {
        self.is_taken(5, 25);
        self.then(5, 20, self.agent, What::Hold(reason));
        if reason == WaitReason::Customer {
            self.then(20, 90, "customer", What::CustomerWrites);
        } else {
            self.then(20, 90, self.agent, What::Call);
            self.then(1, 5, self.agent, What::Resume);
        }
        self.is_done();
        self.is_closed();
    }

    fn is_taken_too_late(&mut self) {
        self.is_taken(250, 300);
        self.is_done();
    }

    /// He took it after half an hour; his phone synchronised hours later, when the clock had long run out.
    fn is_recorded_late(&mut self) {
        let happened = self.start + (self.minute + 12) * MINUTE_US;
        self.then(245, 260, self.agent, What::Take);
        if let Some(step) = self.steps.last_mut() {
            step.occurred_at = Some(happened);
        }
        self.then(1, 3, self.agent, What::Reply);
        self.is_done();
    }

    fn is_rejected(&mut self) {
        self.is_taken(5, 25);
        self.is_done();
        self.then(5, 40, "customer", What::Reject);
        self.then(10, 40, self.agent, What::Resolve);
        self.is_closed();
    }

    fn comes_back(&mut self) {
        self.is_taken(2, 10);
        self.is_done();
        self.is_closed();
        self.then(10, 60, "customer", What::Reopen);
        self.then(10, 40, self.agent, What::Resolve);
        self.is_closed();
    }

    fn is_called_off(&mut self) {
        self.then(10, 60, "sue", What::Cancel);
    }

    fn ends_in_silence(&mut self) {
        self.is_taken(5, 25);
        self.is_done();
    }

    fn is_taken(&mut self, from: i64, to: i64) {
        self.then(from, to, self.agent, What::Take);
        self.then(1, 8, self.agent, What::Reply);
    }

    fn is_done(&mut self) {
        self.then(10, 60, self.agent, What::Resolve);
    }

    fn is_closed(&mut self) {
        self.then(5, 40, "customer", What::Confirm);
        self.then(5, 30, "sue", What::Close);
    }

    fn then(&mut self, from: i64, to: i64, by: &'static str, what: What) {
        self.minute += self.chance.i64(from..to);
        self.now(by, what);
    }

    fn now(&mut self, by: &'static str, what: What) {
        self.steps.push(Step { at: self.start + self.minute * MINUTE_US, occurred_at: None, by, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_day() {
        let told = |seed| format!("{:?}", day(seed, 0, 64));
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
    }

    #[test]
    fn steps_of_a_story_follow_each_other_and_begin_with_opening() {
        for story in day(3, 0, 200) {
            assert!(matches!(story[0].what, What::Open(_)));
            assert!(story.windows(2).all(|pair| pair[0].at < pair[1].at), "{story:?}");
        }
    }
}
