//! Fault simulation: the services' own cores and loop over one log, with users, bad lines, crashes and second holders of
//! the lease, all from one seed, under a clock moved by hand; and what must hold at every step.
//!
//! A run is a function of its [`Options`]: a failure names them, and so repeats itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use decider::Core;
use eventlog::{Service, StoreError};
use ticket::Event;

mod book;
mod checks;
mod cluster;
mod config;
mod dice;
mod faulty;
mod fieldwork;
mod inbox;
mod interleave;
mod law;
mod oracle;
mod outside;
mod people;
mod truth;
mod wishes;
mod world;

pub use outside::Outside;

/// How long a run is, and where its chance comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What all chance derives from.
    pub seed: u64,
    /// Tickets opened or imported at most, over both tenants.
    pub tickets: usize,
    /// Steps; in each, some things happen at once.
    pub steps: usize,
}

/// A core that takes and gives what another does: that one itself, or for a test of the test one that is broken.
pub trait Like<C: Core>: Core<Event = Event, State = C::State, Command = C::Command, Refusal = C::Refusal> {}

impl<T, C: Core> Like<C> for T where T: Core<Event = Event, State = C::State, Command = C::Command, Refusal = C::Refusal>
{}

/// Those who take part.
pub trait Cast: 'static {
    /// Who takes tickets in.
    type Intake: Like<intake::Intake>;
    /// Who watches the clocks.
    type Monitor: Like<sla_monitor::SlaMonitor>;
    /// Who decides who is sent.
    type Dispatch: Like<dispatch::Dispatch>;
    /// Who decides who is told.
    type Notifier: Like<notifier::Notifier>;
    /// Who tells them.
    type Carrier: Carrier<Self::Notifier>;
    /// Whether the log's database now and then forgets what it said it had written.
    const LOSES_APPENDS: bool = false;
}

/// Whoever does in the world what a notifier intends.
pub trait Carrier<N: Core<Event = Event>>: Sized + 'static {
    /// Begins, knowing nothing but what the notifier has folded.
    fn begin(notifier: &Arc<Service<N>>, outside: &Arc<Outside>) -> Self;
    /// Does everything that is owed now.
    fn step(&self) -> impl Future<Output = Result<(), StoreError>>;
}

/// The cores as they are.
#[derive(Debug)]
pub struct Ours;

impl Cast for Ours {
    type Intake = intake::Intake;
    type Monitor = sla_monitor::SlaMonitor;
    type Dispatch = dispatch::Dispatch;
    type Notifier = notifier::Notifier;
    type Carrier = notifier::sender::Sender;
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Every open ticket has somebody accountable and a deadline within the horizon whose wake reaches a person; one
    /// that has passed was followed up.
    NoDrop,
    /// What was acknowledged is in the log, once; what was refused is not; a request sent twice is answered the same.
    Requests,
    /// Positions and versions are dense, times never decrease, the chain holds.
    Log,
    /// Tickets only move as their lifecycle allows, and the service knows where each stands.
    Lifecycle,
    /// No engineer is in two places, nobody is asked against the rules or for a ticket that ended, visits only move along
    /// their course, and time is held for exactly those that somebody has.
    Booking,
    /// Every visit that nobody has is looked at again, every offer is followed up, no ticket lacks a visit it needs.
    DispatchNoDrop,
    /// What people are to be told reaches them or somebody in their stead, once unless nobody knows; nothing reaches
    /// anybody that was not begun.
    Effects,
    /// A mark fires once, after its instant, and only where the facts bear it out; a breach fires, and stands or is
    /// taken back as the facts have it.
    Clocks,
    /// A service built anew from the log, or from a snapshot, is the one that ran, and writes nothing.
    Rebuild,
    /// Nobody sees another tenant's tickets.
    Tenants,
    /// Personal data is never stored in plain, and nobody reads what was erased.
    Privacy,
    /// No request hangs, no reaction is refused, no service fails for good.
    Progress,
}

/// Something that must hold did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The run.
    pub options: Options,
    /// The step after which it was found.
    pub step: usize,
    /// What does not hold.
    pub invariant: Invariant,
    /// In words.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { seed, tickets, steps } = self.options;
        write!(
            f,
            "{:?} broken at step {}: {}\nrepeat: DOCKET_SEED={seed} cargo nextest run -p tests simulation \
             ({tickets} tickets, {steps} steps)",
            self.invariant, self.step, self.what
        )
    }
}

impl std::error::Error for Violation {}

/// What runs came to: a test that never reached a state has not shown anything of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Tickets that came to be.
    pub tickets: usize,
    /// Events in the log.
    pub events: u64,
    /// By command: how often it was tried, and how often it changed something.
    pub tries: BTreeMap<&'static str, (u32, u32)>,
    /// Phases tickets were in.
    pub phases: BTreeSet<&'static str>,
    /// By kind of event: how often it happened.
    pub kinds: BTreeMap<String, u32>,
    /// By kind of fault: how often it struck.
    pub faults: BTreeMap<&'static str, u32>,
}

const PHASES: [&str; 8] =
    ["received", "triaged", "in_progress", "waiting", "work_done", "confirmed", "closed", "cancelled"];
/// Where clocks can come to, as the events that bring them there.
const CLOCKS: [&str; 9] = [
    "ClockStarted",
    "ClockPaused",
    "ClockResumed",
    "ClockStopped",
    "ClockCancelled",
    "WarningRaised",
    "Breached",
    "BreachRevoked",
    "AttentionMissed",
];
/// What else happens to visits and reminders beside what people do with them.
const TURNS: [&str; 19] = [
    "Routed",
    "VisitPlanned",
    "Offered",
    "Recommended",
    "NobodyFound",
    "OfferExpired",
    "VisitScheduled",
    "VisitFellThrough",
    "VisitBegun",
    "VisitCancelled",
    "ReminderPlanned",
    "ReminderDeferred",
    "DigestPlanned",
    "ReminderGathered",
    "ReminderRepeated",
    "AttemptSucceeded",
    "AttemptFailed",
    "ReminderRecalled",
    "ReminderUnanswered",
];
const FAULTS: [&str; 8] = [
    "crash",
    "second holder",
    "sender died",
    "nobody on duty",
    "request dropped",
    "unanswered",
    "repeated request",
    "reused request id",
];

impl Reached {
    /// Adds what another run came to.
    pub fn merge(&mut self, other: Self) {
        self.tickets += other.tickets;
        self.events += other.events;
        self.phases.extend(other.phases);
        for (command, (tried, accepted)) in other.tries {
            let sum = self.tries.entry(command).or_default();
            *sum = (sum.0 + tried, sum.1 + accepted);
        }
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
    }

    /// What was not reached: commands accepted in less than 5 % of tries or never tried, phases, clocks and faults that
    /// did not occur.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for command in wishes::commands() {
            let (tried, accepted) = self.tries.get(command).copied().unwrap_or_default();
            if accepted * 20 < tried || accepted == 0 {
                gaps.push(format!("{command} was accepted {accepted} times in {tried} tries"));
            }
        }
        let never = |what: &str| format!("{what} never occurred");
        gaps.extend(PHASES.iter().filter(|phase| !self.phases.contains(*phase)).map(|phase| never(phase)));
        let kinds = CLOCKS.iter().chain(&TURNS);
        gaps.extend(kinds.filter(|kind| !self.kinds.contains_key(**kind)).map(|kind| never(kind)));
        gaps.extend(FAULTS.iter().filter(|fault| !self.faults.contains_key(*fault)).map(|fault| never(fault)));
        gaps
    }

    fn struck(&mut self, fault: &'static str) {
        *self.faults.entry(fault).or_default() += 1;
    }
}

/// Runs our cores.
pub fn run(options: Options) -> Result<Reached, Violation> {
    run_cast::<Ours>(options)
}

/// Runs any cores. On the calling thread alone, which must not be one that drives other tasks.
pub fn run_cast<C: Cast>(options: Options) -> Result<Reached, Violation> {
    let broken = |what: String| Violation { options, step: 0, invariant: Invariant::Progress, what };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| broken(error.to_string()))?;
    runtime.block_on(world::World::<C>::run(options))
}
