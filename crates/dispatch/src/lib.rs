//! dispatch: who is sent, when and why, and each visit to its end.
//!
//! One pure function chooses (`rank.rs`, over `slot.rs` and `distance.rs`); what it saw and what it found is in the event.
//! A visit lives in `work/<ticket>`, the time it takes in `engineer/<id>`; an offer is one append to both.

pub mod board;
pub mod command;
pub mod distance;
pub mod document;
pub mod duty;
pub mod grpc;
pub mod job;
mod manual;
pub mod person;
mod plan;
pub mod policy;
pub mod rank;
mod react;
pub mod record;
pub mod refusal;
pub mod roster;
pub mod routing;
pub mod slot;
pub mod state;
pub mod view;
pub mod visit;
pub mod work;

use decider::{At, Core, Decided, Micros, Reaction, Read, Recorded};
use ticket::Event;
use ticket::codec::{Family, KINDS};

pub use command::Command;
pub use grpc::{ACCESS, REASONS, service};
pub use refusal::Refusal;
pub use state::State;

/// The service's core.
#[derive(Debug)]
pub struct Dispatch;

impl Core for Dispatch {
    const NAME: &'static str = "dispatch";
    const FOLD: u32 = 3;
    type Event = Event;
    type State = State;
    type Command = Command;
    type Refusal = Refusal;

    fn wants(kind: &str) -> bool {
        matches!(KINDS.get(kind), Some(Family::Intake | Family::Dispatch))
            || ["ConfigApplied", "ConfigRetired", "OfferTaken"].contains(&kind)
    }

    fn evolve(state: &mut State, event: &Recorded<Event>) {
        state.evolve(event);
    }

    fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
        command::decide(command, read, at)
    }

    fn react(state: &State, cause: &Recorded<Event>) -> Vec<Reaction<Command>> {
        react::react(state, cause)
    }

    fn alone(_state: &State, reaction: &Reaction<Command>, _now: Micros) -> bool {
        // Who is best depends on what everybody has before them; of one engineer's visits each is in the other's way.
        matches!(reaction.command, Command::Choose(_) | Command::TakeBack { .. })
    }

    fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
        react::due(state, now, limit)
    }

    fn next_due(state: &State) -> Option<Micros> {
        react::next_due(state)
    }
}
