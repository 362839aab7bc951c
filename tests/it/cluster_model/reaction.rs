//! Two replicas of a service that react and send: claims, the fence of an attempt, the lease as a mere hint.
//!
//! Both replicas may believe at once that they hold the lease, and either may die between any two steps.

use stateright::{Model, Property};

/// Effects in one story; only rules that are broken make more.
const MAX_ARRIVED: usize = 4;

/// The rules of sending, and how long its stories are.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// Causes that happen.
    pub(crate) causes: u8,
    /// Attempts for one intent.
    pub(crate) attempts: u8,
    /// Times a replica dies.
    pub(crate) deaths: u8,
    /// Whether an attempt is in the log before the effect is begun.
    pub(crate) intent_first: bool,
}

/// What stands in the log, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Entry {
    Cause(u8),
    /// The reaction's append, under its claim: the intent to send.
    Intended(u8),
    /// Attempt `n` begins.
    Started(u8, u8),
    /// Attempt `n` arrived.
    Succeeded(u8, u8),
    /// Nobody knows what became of attempt `n`.
    Lost(u8, u8),
    /// Every cause up to this one is settled.
    ReactedThrough(u8),
}

impl Entry {
    fn cause(self) -> Option<u8> {
        match self {
            Self::Cause(_) | Self::ReactedThrough(_) => None,
            Self::Intended(cause) | Self::Started(cause, _) | Self::Succeeded(cause, _) | Self::Lost(cause, _) => {
                Some(cause)
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct World {
    log: Vec<Entry>,
    /// Effects the outside saw: cause and attempt.
    arrived: Vec<(u8, u8)>,
    replicas: [Replica; 2],
    deaths: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Replica {
    leads: bool,
    folded: usize,
    /// Causes before this one are settled.
    cursor: u8,
    /// The attempt in hand, and whether it is on its way.
    hand: Option<(u8, u8, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Happen,
    TakeLease(usize),
    Fold(usize),
    React(usize),
    Mark(usize),
    Begin(usize, u8),
    Send(usize),
    Record(usize),
    Settle(usize, u8),
    Die(usize),
}

/// How a reminder stands, as the entries say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    None,
    Owed(u8),
    Started(u8),
    Done,
}

fn standing(log: &[Entry], of: u8) -> Standing {
    log.iter().filter(|entry| entry.cause() == Some(of)).fold(Standing::None, |_, entry| match entry {
        Entry::Intended(_) => Standing::Owed(1),
        Entry::Started(_, n) => Standing::Started(*n),
        Entry::Lost(_, n) => Standing::Owed(n + 1),
        _ => Standing::Done,
    })
}

impl World {
    fn causes(&self, upto: usize) -> u8 {
        u8::try_from(self.log[..upto].iter().filter(|entry| matches!(entry, Entry::Cause(_))).count()).unwrap()
    }

    /// Appends about a reminder, unless its stream moved since the replica folded it.
    fn append(&mut self, by: usize, entry: Entry) -> bool {
        let since = &self.log[self.replicas[by].folded..];
        let moved = since.iter().any(|other| other.cause() == entry.cause());
        if !moved {
            self.log.push(entry);
        }
        !moved
    }

    fn step(&mut self, step: Step, intent_first: bool) {
        match step {
            Step::Happen => self.log.push(Entry::Cause(self.causes(self.log.len()))),
            Step::TakeLease(by) => {
                let marks = self.log[..self.replicas[by].folded].iter().filter_map(|entry| match entry {
                    Entry::ReactedThrough(through) => Some(*through),
                    _ => None,
                });
                let cursor = marks.max().unwrap_or(0);
                let replica = &mut self.replicas[by];
                (replica.leads, replica.cursor) = (true, cursor);
            }
            Step::Fold(by) => self.replicas[by].folded = self.log.len(),
            Step::React(by) => {
                let cause = self.replicas[by].cursor;
                if standing(&self.log, cause) == Standing::None {
                    self.log.push(Entry::Intended(cause));
                }
                self.replicas[by].cursor += 1;
            }
            Step::Mark(by) => self.log.push(Entry::ReactedThrough(self.replicas[by].cursor)),
            Step::Begin(by, cause) => {
                let Standing::Owed(n) = standing(&self.log[..self.replicas[by].folded], cause) else { return };
                if !intent_first || self.append(by, Entry::Started(cause, n)) {
                    self.replicas[by].hand = Some((cause, n, false));
                }
            }
            Step::Send(by) => {
                if let Some((cause, n, under_way)) = &mut self.replicas[by].hand {
                    self.arrived.push((*cause, *n));
                    *under_way = true;
                }
            }
            Step::Record(by) => {
                let Some((cause, n, _)) = self.replicas[by].hand.take() else { return };
                if !intent_first && !self.append(by, Entry::Started(cause, n)) {
                    return;
                }
                if standing(&self.log, cause) == Standing::Started(n) {
                    self.log.push(Entry::Succeeded(cause, n));
                }
            }
            Step::Settle(by, cause) => {
                if let Standing::Started(n) = standing(&self.log[..self.replicas[by].folded], cause) {
                    self.append(by, Entry::Lost(cause, n));
                }
            }
            Step::Die(by) => {
                self.replicas[by] = Replica::default();
                self.deaths += 1;
            }
        }
    }

    /// What becomes of it if both die, one comes back and nothing goes wrong any more.
    fn settled(mut self, intent_first: bool) -> Self {
        self.replicas = <[Replica; 2]>::default();
        self.step(Step::Fold(0), intent_first);
        self.step(Step::TakeLease(0), intent_first);
        for _ in self.replicas[0].cursor..self.causes(self.log.len()) {
            self.step(Step::React(0), intent_first);
        }
        for cause in 0..self.causes(self.log.len()) {
            for step in [Step::Settle(0, cause), Step::Begin(0, cause), Step::Send(0), Step::Record(0)] {
                self.step(Step::Fold(0), intent_first);
                self.step(step, intent_first);
            }
        }
        self
    }
}

impl Model for Sending {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.causes(world.log.len()) < self.causes {
            steps.push(Step::Happen);
        }
        for (by, replica) in world.replicas.iter().enumerate() {
            if world.deaths < self.deaths && *replica != Replica::default() {
                steps.push(Step::Die(by));
            }
            if replica.folded < world.log.len() {
                steps.push(Step::Fold(by));
            }
            if let Some((.., under_way)) = replica.hand {
                steps.push(if under_way { Step::Record(by) } else { Step::Send(by) });
            }
            if !replica.leads {
                steps.push(Step::TakeLease(by));
                continue;
            }
            if replica.cursor < world.causes(replica.folded) {
                steps.push(Step::React(by));
            }
            let marked =
                world.log.iter().any(|entry| matches!(entry, Entry::ReactedThrough(at) if *at >= replica.cursor));
            if replica.cursor > 0 && !marked {
                steps.push(Step::Mark(by));
            }
            if replica.hand.is_some() {
                continue;
            }
            for cause in 0..world.causes(replica.folded) {
                match standing(&world.log[..replica.folded], cause) {
                    Standing::Owed(n) if n <= self.attempts => steps.push(Step::Begin(by, cause)),
                    Standing::Started(_) => steps.push(Step::Settle(by, cause)),
                    _ => {}
                }
            }
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut world = world.clone();
        world.step(step, self.intent_first);
        Some(world)
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.arrived.len() <= MAX_ARRIVED
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every effect was an attempt in the log before", |_, world: &World| {
                world.arrived.iter().all(|(cause, n)| world.log.contains(&Entry::Started(*cause, *n)))
            }),
            Property::always("no attempt is carried out twice", |_, world: &World| {
                (1..).zip(&world.arrived).all(|(n, one)| !world.arrived[n..].contains(one))
            }),
            Property::always("a claim is written once", |model: &Self, world: &World| {
                (0..model.causes).all(|of| world.log.iter().filter(|entry| **entry == Entry::Intended(of)).count() <= 1)
            }),
            Property::always("what is marked as settled is", |_, world: &World| {
                world.log.iter().enumerate().all(|(n, entry)| match entry {
                    Entry::ReactedThrough(through) => {
                        (0..*through).all(|cause| world.log[..n].contains(&Entry::Intended(cause)))
                    }
                    _ => true,
                })
            }),
            Property::always("nothing is left behind", |model: &Self, world: &World| {
                let settled = world.clone().settled(model.intent_first);
                (0..settled.causes(settled.log.len())).all(|cause| {
                    standing(&settled.log, cause) == Standing::Done && settled.arrived.iter().any(|one| one.0 == cause)
                })
            }),
            Property::sometimes("both send at once", |_, world: &World| {
                world.replicas.iter().all(|replica| matches!(replica.hand, Some((.., true))))
            }),
        ]
    }
}
