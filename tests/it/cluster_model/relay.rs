//! Two relays between one log and one stream: what the server takes, forgets and loses, in every order.
//!
//! A message names its log position; its sequence is its place in the stream. What a relay has put on the wire may arrive
//! long after that relay was stopped, dropped its window or saw the connection break.

use std::collections::BTreeSet;

use stateright::{Model, Property};

/// Positions the log grows to.
const LAST: u8 = 3;
/// Messages of one relay that are on the wire at once.
const WINDOW: usize = 2;
/// Times the stream loses its tail.
const LOSSES: u8 = 2;

/// The relay's rules.
#[derive(Clone, Debug)]
pub(crate) struct Relays {
    /// Whether each message carries the sequence it must follow, and the server refuses it otherwise.
    pub(crate) fenced: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct World {
    log: u8,
    stream: Vec<u8>,
    /// Messages the server has seen lately: it swallows them as repeated, even if it has lost them since.
    remembered: BTreeSet<u8>,
    relays: [Relay; 2],
    losses: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Relay {
    /// The position it publishes next; none while it is not open.
    next: Option<u8>,
    wire: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The log grows.
    Append,
    /// A relay reads the stream's last message and goes on behind it.
    Open(usize),
    /// It puts the next position on the wire.
    Publish(usize),
    /// It drops its window: refused, timed out, disconnected, killed. What is on the wire stays there.
    Drop(usize),
    /// The server takes what is first on the wire.
    Take(usize),
    /// The window in which the server knows repeated messages passes.
    Forget,
    /// The server loses the stream's last message.
    Lose,
}

impl World {
    fn mirrors(&self) -> bool {
        self.stream.len() <= usize::from(self.log) && (1..).zip(&self.stream).all(|(n, position)| n == *position)
    }

    fn take(&mut self, of: usize, fenced: bool) {
        if self.relays[of].wire.is_empty() {
            return;
        }
        let position = self.relays[of].wire.remove(0);
        let follows = self.stream.len() + 1 == usize::from(position);
        if self.remembered.contains(&position) {
            return;
        }
        if fenced && !follows {
            self.relays[of].next = None;
            return;
        }
        self.stream.push(position);
        self.remembered.insert(position);
    }

    /// What becomes of it if nothing goes wrong any more and one relay works on.
    fn settled(mut self, fenced: bool) -> Self {
        self.remembered.clear();
        for of in 0..self.relays.len() {
            while !self.relays[of].wire.is_empty() {
                self.take(of, fenced);
            }
        }
        self.remembered.clear();
        for position in self.stream.len() + 1..=usize::from(self.log) {
            self.relays[0].wire.push(u8::try_from(position).unwrap());
            self.take(0, fenced);
        }
        self
    }
}

impl Model for Relays {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.log < LAST {
            steps.push(Step::Append);
        }
        if world.losses < LOSSES && !world.stream.is_empty() {
            steps.push(Step::Lose);
        }
        if !world.remembered.is_empty() {
            steps.push(Step::Forget);
        }
        for (of, relay) in world.relays.iter().enumerate() {
            match relay.next {
                None => steps.push(Step::Open(of)),
                Some(next) => {
                    steps.push(Step::Drop(of));
                    if next <= world.log && relay.wire.len() < WINDOW {
                        steps.push(Step::Publish(of));
                    }
                }
            }
            if !relay.wire.is_empty() {
                steps.push(Step::Take(of));
            }
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut world = world.clone();
        match step {
            Step::Append => world.log += 1,
            Step::Open(of) => world.relays[of].next = Some(u8::try_from(world.stream.len()).ok()? + 1),
            Step::Publish(of) => {
                let next = world.relays[of].next?;
                world.relays[of].wire.push(next);
                world.relays[of].next = Some(next + 1);
            }
            Step::Drop(of) => world.relays[of].next = None,
            Step::Take(of) => world.take(of, self.fenced),
            Step::Forget => world.remembered.clear(),
            Step::Lose => {
                world.stream.pop();
                world.losses += 1;
            }
        }
        // What repeats without end is no other story.
        (world.stream.len() <= usize::from(LAST) + 1).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("the stream mirrors the log", |_, world: &World| world.mirrors()),
            Property::always("whatever was lost is filled again", |model: &Self, world: &World| {
                let settled = world.clone().settled(model.fenced);
                settled.mirrors() && settled.stream.len() == usize::from(world.log)
            }),
            Property::sometimes("both relays have messages on the wire", |_, world: &World| {
                world.relays.iter().all(|relay| !relay.wire.is_empty())
            }),
            Property::sometimes("everything has arrived after every loss", |_, world: &World| {
                world.losses == LOSSES && world.stream.len() == usize::from(LAST)
            }),
        ]
    }
}
