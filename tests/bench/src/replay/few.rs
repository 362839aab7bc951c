//! A fold that wants one kind of ten: how much an undecoded event costs a rebuild.

use std::convert::Infallible;

use decider::{At, Core, Decided, Micros, Reaction, Read};
use ticket::{Event, Recorded};

/// Counts closed tickets.
#[derive(Debug)]
pub(crate) struct Few;

impl Core for Few {
    const NAME: &'static str = "a count";
    const FOLD: u32 = 1;
    type Event = Event;
    type State = u64;
    type Command = Infallible;
    type Refusal = Infallible;

    fn wants(kind: &str) -> bool {
        kind == "Closed"
    }

    fn evolve(closed: &mut u64, _: &Recorded) {
        *closed += 1;
    }

    fn decide(command: &Infallible, _: &Read<'_, u64>, _: &At) -> Result<Decided<Event>, Infallible> {
        match *command {}
    }

    fn react(_: &u64, _: &Recorded) -> Vec<Reaction<Infallible>> {
        Vec::new()
    }

    fn due(_: &u64, _: Micros, _: usize) -> Vec<Reaction<Infallible>> {
        Vec::new()
    }

    fn next_due(_: &u64) -> Option<Micros> {
        None
    }
}
