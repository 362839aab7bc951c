//! Analytics: the figures of tickets, live and over any window, computed from the facts in the log alone.

pub mod backlog;
pub mod command;
pub mod csv;
mod deed;
pub mod definition;
pub mod figures;
pub mod grpc;
pub mod report;
pub mod select;
pub mod service;
pub mod spread;
pub mod state;

use decider::{At, Core, Decided, Micros, Reaction, Read};
use ticket::codec::{Family, KINDS};
use ticket::{Event, Recorded};

pub use command::{Command, Refusal};
pub use definition::Definition;
pub use report::{Report, json, report};
pub use select::{Drill, Window, tickets};
pub use service::{Between, ServiceReport, service_report};
pub use state::State;

/// The pure heart of the service.
#[derive(Debug)]
pub struct Analytics;

impl Core for Analytics {
    const NAME: &'static str = "analytics";
    const FOLD: u32 = 4;
    type Event = Event;
    type State = State;
    type Command = Command;
    type Refusal = Refusal;

    fn wants(kind: &str) -> bool {
        let of_tickets = KINDS.get(kind) == Some(&Family::Intake) && kind != "CustomerErased";
        of_tickets || deed::wanted(kind) || matches!(kind, "ConfigApplied" | "ConfigRetired")
    }

    fn evolve(state: &mut State, event: &Recorded) {
        state.evolve(event);
    }

    fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
        command::decide(command, read, at)
    }

    fn react(_: &State, _: &Recorded) -> Vec<Reaction<Command>> {
        Vec::new()
    }

    fn due(_: &State, _: Micros, _: usize) -> Vec<Reaction<Command>> {
        Vec::new()
    }

    fn next_due(_: &State) -> Option<Micros> {
        None
    }
}
