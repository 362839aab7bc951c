//! Appends on their way to the writer: a bounded queue for each tenant, served in turn, so that one that floods delays
//! the others by little and is itself refused first.

use std::collections::{HashMap, VecDeque};

use decider::Tenant;

/// What weighs on the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) appends: usize,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// What may wait, all tenants together.
pub(crate) const MAX_WAITING: Load = Load { appends: 8_192, events: 65_536, bytes: 128 * 1024 * 1024 };
/// What is written in one transaction, unless a single append is more.
pub(crate) const MAX_BATCH: Load = Load { appends: 256, events: 2_048, bytes: 8 * 1024 * 1024 };
/// The same while several tenants write: one waits for the other's batch and then for its own, which the other helps to
/// fill, so both must be short.
const SHARED_BATCH: Load = Load { appends: 32, events: 256, bytes: 1024 * 1024 };
/// Batches of one tenant alone after which no other is reckoned with.
const SHARED_FOR: u32 = 16;

impl Load {
    fn plus(self, other: Self) -> Self {
        Self {
            appends: self.appends + other.appends,
            events: self.events + other.events,
            bytes: self.bytes + other.bytes,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            appends: self.appends.saturating_sub(other.appends),
            events: self.events.saturating_sub(other.events),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    fn fits(self, bound: Self) -> bool {
        self.appends <= bound.appends && self.events <= bound.events && self.bytes <= bound.bytes
    }
}

/// What waits, by tenant.
#[derive(Debug)]
pub(crate) struct Gather<T> {
    bound: Load,
    waiting: Load,
    tenants: HashMap<Tenant, Queue<T>>,
    /// The tenants for whom something waits, the next one first.
    turns: VecDeque<Tenant>,
    /// For how many more batches several tenants are reckoned with.
    shared: u32,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: Load,
    items: VecDeque<(Load, T)>,
}

impl<T> Gather<T> {
    /// A place where no more waits than this.
    pub(crate) fn new(bound: Load) -> Self {
        Self { bound, waiting: Load::default(), tenants: HashMap::new(), turns: VecDeque::new(), shared: 0 }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.appends
    }

    /// Whether several tenants write.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared > 0 || self.turns.len() > 1
    }

    /// Lets it wait, unless its tenant would then hold more than is left free for all others: a tenant alone gets half
    /// of the room, and there is always some for another. False where there is none.
    pub(crate) fn push(&mut self, tenant: &Tenant, load: Load, item: T) -> bool {
        let own = self.tenants.get(tenant).map_or_else(Load::default, |queue| queue.waiting).plus(load);
        let waiting = self.waiting.plus(load);
        if !waiting.fits(self.bound) || !own.fits(self.bound.minus(waiting).plus(load)) {
            return false;
        }
        self.waiting = waiting;
        let queue = self.tenants.entry(tenant.clone()).or_insert_with(|| {
            self.turns.push_back(tenant.clone());
            Queue { waiting: Load::default(), items: VecDeque::new() }
        });
        queue.waiting = own;
        queue.items.push_back((load, item));
        true
    }

    /// Takes the next batch.
    pub(crate) fn take_batch(&mut self) -> Vec<T> {
        self.shared = if self.turns.len() > 1 { SHARED_FOR } else { self.shared.saturating_sub(1) };
        self.take(if self.shared > 0 { SHARED_BATCH } else { MAX_BATCH })
    }

    /// Takes what makes up one batch: one of each tenant in turn, each tenant's in the order in which they came.
    fn take(&mut self, bound: Load) -> Vec<T> {
        let (mut batch, mut taken) = (Vec::new(), Load::default());
        while let Some(tenant) = self.turns.pop_front() {
            let Some(queue) = self.tenants.get_mut(&tenant) else { continue };
            let next = queue.items.pop_front_if(|(load, _)| batch.is_empty() || taken.plus(*load).fits(bound));
            let Some((load, item)) = next else {
                // Who did not fit comes first in the next batch.
                self.turns.push_front(tenant);
                break;
            };
            batch.push(item);
            taken = taken.plus(load);
            queue.waiting = queue.waiting.minus(load);
            if queue.items.is_empty() {
                self.tenants.remove(&tenant);
            } else {
                self.turns.push_back(tenant);
            }
        }
        self.waiting = self.waiting.minus(taken);
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Load = Load { appends: 12, events: 1_000, bytes: 1_000 };
    const ONE: Load = Load { appends: 1, events: 1, bytes: 1 };
    const FOUR: Load = Load { appends: 4, ..ROOM };

    fn gather() -> Gather<(char, usize)> {
        Gather::new(ROOM)
    }

    fn tenant(name: char) -> Tenant {
        Tenant::new(&name.to_string())
    }

    /// How many of this tenant's are let wait, one after the other.
    fn flood(gather: &mut Gather<(char, usize)>, name: char, load: Load) -> usize {
        (0..100).take_while(|n| gather.push(&tenant(name), load, (name, *n))).count()
    }

    #[test]
    fn one_alone_is_served_in_the_order_in_which_it_came() {
        let mut gather = gather();
        assert_eq!(flood(&mut gather, 'a', ONE), 6, "half of the room");
        assert_eq!(gather.take(FOUR), [('a', 0), ('a', 1), ('a', 2), ('a', 3)]);
        assert_eq!(gather.take(FOUR), [('a', 4), ('a', 5)]);
        assert_eq!(gather.take(FOUR), []);
        assert_eq!((gather.waiting, gather.tenants.len(), gather.turns.len()), (Load::default(), 0, 0));
    }

    #[test]
    fn a_flood_is_refused_before_anybody_else_is() {
        let mut gather = gather();
        let let_in: Vec<_> = ['a', 'b', 'c'].map(|name| flood(&mut gather, name, ONE)).into();
        assert_eq!(let_in, [6, 3, 2], "each half of what is left, and some is left");
        assert!(!gather.push(&tenant('a'), ONE, ('a', 9)));
        assert!(gather.push(&tenant('d'), ONE, ('d', 0)));
    }

    #[test]
    fn tenants_take_turns() {
        let mut gather = gather();
        flood(&mut gather, 'a', ONE);
        for item in [('b', 0), ('b', 1), ('c', 0)] {
            assert!(gather.push(&tenant(item.0), ONE, item));
        }
        assert_eq!(gather.take(FOUR), [('a', 0), ('b', 0), ('c', 0), ('a', 1)]);
        assert_eq!(gather.take(FOUR), [('b', 1), ('a', 2), ('a', 3), ('a', 4)]);
    }

    #[test]
    fn while_several_tenants_write_batches_are_short() {
        let mut gather = Gather::new(MAX_WAITING);
        let push = |gather: &mut Gather<(char, usize)>, name, count| {
            for n in 0..count {
                assert!(gather.push(&tenant(name), ONE, (name, n)));
            }
        };
        push(&mut gather, 'a', 2_000);
        assert_eq!(gather.take_batch().len(), MAX_BATCH.appends);
        push(&mut gather, 'b', 20);
        let batch = gather.take_batch();
        assert_eq!(batch.len(), SHARED_BATCH.appends);
        assert_eq!(batch.iter().filter(|(name, _)| *name == 'b').count(), 16, "half of it is the other's");
        let lengths: Vec<_> = (0..=SHARED_FOR).map(|_| gather.take_batch().len()).collect();
        let (last, short) = lengths.split_last().unwrap();
        assert_eq!(*last, MAX_BATCH.appends, "the other has gone");
        assert!(short.iter().all(|length| *length == SHARED_BATCH.appends), "it may come again: {short:?}");
    }

    #[test]
    fn what_does_not_fit_comes_first_in_the_next_batch() {
        let mut gather = gather();
        let many = Load { events: 800, ..ONE };
        assert!(gather.push(&tenant('b'), many, ('b', 0)));
        assert!(gather.push(&tenant('a'), ONE, ('a', 0)));
        assert!(gather.push(&tenant('a'), ONE, ('a', 1)));
        let few = Load { events: 2, ..FOUR };
        assert_eq!(gather.take(few), [('b', 0)], "one is always taken");
        assert!(gather.push(&tenant('b'), Load { events: 2, ..ONE }, ('b', 1)));
        assert_eq!(gather.take(few), [('a', 0)]);
        assert_eq!(gather.take(few), [('b', 1)]);
        assert_eq!(gather.take(few), [('a', 1)]);
    }

    #[test]
    fn events_and_bytes_are_bounded_too() {
        assert_eq!(flood(&mut gather(), 'a', Load { events: 100, ..ONE }), 5);
        assert_eq!(flood(&mut gather(), 'a', Load { bytes: 250, ..ONE }), 2);
        assert_eq!(flood(&mut gather(), 'a', Load { bytes: 1_001, ..ONE }), 0);
    }
}
