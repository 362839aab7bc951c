//! Intake: takes tickets in and moves them, from the first call to the reviewed close. It alone writes `ticket/*` and
//! `customer/*`.
//!
//! A command goes through `grpc.rs` (the wire), [`command`] and what it calls (the rules), the log, and back through
//! [`state`] (what the rules know) and [`view`] (what callers see).

pub mod attention;
pub mod command;
pub mod document;
pub mod field;
pub mod filter;
pub mod grpc;
pub mod import;
pub mod opening;
pub mod priority;
pub mod queue;
pub mod react;
pub mod refusal;
pub mod state;
pub mod template;
pub mod text;
mod verb;
pub mod view;
pub mod visit;

use decider::{At, Core, Decided, Micros, Reaction, Read, Recorded};
use ticket::Event;
use ticket::codec::{Family, KINDS};

pub use command::Command;
pub use grpc::{ACCESS, REASONS, service};
pub use refusal::Refusal;
pub use state::State;

/// The service's core.
#[derive(Debug)]
pub struct Intake;

impl Core for Intake {
    const NAME: &'static str = "intake";
    const FOLD: u32 = 4;
    type Event = Event;
    type State = State;
    type Command = Command;
    type Refusal = Refusal;

    fn wants(kind: &str) -> bool {
        KINDS.get(kind) == Some(&Family::Intake)
            || field::KINDS.contains(&kind)
            || ["ConfigApplied", "ConfigRetired"].contains(&kind)
    }

    fn evolve(state: &mut State, event: &Recorded<Event>) {
        state.evolve(event);
    }

    fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
        command::decide(command, read, at)
    }

    fn react(state: &State, cause: &Recorded<Event>) -> Vec<Reaction<Command>> {
        react::react(state, cause).into_iter().collect()
    }

    fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
        react::due(state, now, limit)
    }

    fn next_due(state: &State) -> Option<Micros> {
        react::next_due(state)
    }
}
