//! A hierarchical timing wheel: the next threshold of every ticket, found in order without keeping them sorted.
//!
//! Instants fall into ticks of 2^16 µs, and a tick is a number of eight digits of six bits. An entry lies at the level of
//! the highest digit in which its tick differs from the one the wheel stands at, in the slot of that digit; so all of a
//! level lies before all of the next, and a slot before the next slot. When the wheel moves on, the slots it enters fall
//! one or more levels down, and what it passed goes to `past`, in order, until it is taken away. An entry costs sixteen
//! bytes; setting or removing one touches its neighbours in a list and nothing else.
//!
//! The wheel is a cache: it holds nothing that the tickets do not say, and is made anew from them.

use std::collections::BTreeSet;

use decider::Micros;

/// Microseconds in a tick, as a power of two: 65.5 ms.
const TICK_BITS: u32 = 16;
/// Bits of a digit.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// Digits of a tick: all 48 bits that are left of an instant.
const LEVELS: usize = 8;
/// No entry.
const NIL: u32 = u32::MAX;
/// An entry that is not set.
const UNSET: Micros = Micros::MAX;

/// The next thresholds of entries numbered from 0.
#[derive(Debug)]
pub struct Wheel {
    /// The tick it stands at; it never goes back.
    tick: u64,
    slots: Box<[[Slot; SLOTS]; LEVELS]>,
    /// Which slots hold anything, a bit for each.
    occupied: [u64; LEVELS],
    /// What lies before the tick the wheel stands at and was not taken away.
    past: BTreeSet<(Micros, u32)>,
    entries: Vec<Entry>,
}

/// A list of entries.
#[derive(Clone, Copy, Debug)]
struct Slot {
    first: u32,
    /// The earliest of them.
    earliest: Micros,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Micros,
    before: u32,
    after: u32,
}

impl Default for Wheel {
    fn default() -> Self {
        let empty = Slot { first: NIL, earliest: UNSET };
        Self {
            tick: 0,
            slots: Box::new([[empty; SLOTS]; LEVELS]),
            occupied: [0; LEVELS],
            past: BTreeSet::new(),
            entries: Vec::new(),
        }
    }
}

impl Wheel {
    /// Sets when an entry is due, or that it is not; whatever was set before no longer holds.
    pub fn set(&mut self, key: u32, at: Option<Micros>) {
        let at = at.unwrap_or(UNSET);
        let index = place(key);
        if index >= self.entries.len() {
            self.entries.resize(index + 1, Entry { at: UNSET, before: NIL, after: NIL });
        }
        if self.entries[index].at == at {
            return;
        }
        self.unlink(key);
        self.entries[index].at = at;
        self.link(key);
    }

    /// Moves on to this instant; what lies before it stays due until it is set anew.
    pub fn advance(&mut self, to: Micros) {
        let (from, to) = (self.tick, tick(to));
        if to <= from {
            return;
        }
        let mut fallen = Vec::new();
        for level in 0..LEVELS {
            for slot in bits(self.occupied[level]) {
                if start(from, level, slot) > to {
                    break;
                }
                fallen.extend(self.listed(level, slot));
                self.slots[level][slot] = Slot { first: NIL, earliest: UNSET };
                self.occupied[level] &= !(1 << slot);
            }
        }
        self.tick = to;
        for key in fallen {
            self.link(key);
        }
    }

    /// The earliest instant set.
    pub fn next(&self) -> Option<Micros> {
        let ahead = || {
            let level = (0..LEVELS).find(|level| self.occupied[*level] != 0)?;
            Some(self.slots[level][bits(self.occupied[level]).next()?].earliest)
        };
        self.past.first().map(|(at, _)| *at).or_else(ahead)
    }

    /// What is due before an instant, earliest first; those of one instant in order of number.
    pub fn due(&self, before: Micros) -> impl Iterator<Item = (Micros, u32)> {
        let slots = (0..LEVELS).flat_map(move |level| bits(self.occupied[level]).map(move |slot| (level, slot)));
        let slots = slots.take_while(move |(level, slot)| self.slots[*level][*slot].earliest < before);
        let ahead = slots.flat_map(|(level, slot)| {
            let mut due: Vec<_> = self.listed(level, slot).map(|key| (self.entries[place(key)].at, key)).collect();
            due.sort_unstable();
            due
        });
        self.past.iter().copied().chain(ahead).take_while(move |(at, _)| *at < before)
    }

    fn listed(&self, level: usize, slot: usize) -> impl Iterator<Item = u32> {
        let first = self.slots[level][slot].first;
        let some = |key: u32| (key != NIL).then_some(key);
        std::iter::successors(some(first), move |key| some(self.entries[place(*key)].after))
    }

    /// Where an instant that does not lie in the past belongs.
    fn home(&self, at: Micros) -> Option<(usize, usize)> {
        let tick = tick(at);
        if tick < self.tick {
            return None;
        }
        let differs = u64::BITS - (tick ^ self.tick).leading_zeros();
        let level = differs.saturating_sub(1) / DIGIT_BITS;
        let digit = (tick >> (level * DIGIT_BITS)) & (SLOTS as u64 - 1);
        Some((usize::try_from(level).unwrap_or(0), usize::try_from(digit).unwrap_or(0)))
    }

    fn link(&mut self, key: u32) {
        let at = self.entries[place(key)].at;
        if at == UNSET {
            return;
        }
        let Some((level, slot)) = self.home(at) else {
            self.past.insert((at, key));
            return;
        };
        let Slot { first, earliest } = self.slots[level][slot];
        self.slots[level][slot] = Slot { first: key, earliest: earliest.min(at) };
        self.occupied[level] |= 1 << slot;
        self.entries[place(key)] = Entry { at, before: NIL, after: first };
        if first != NIL {
            self.entries[place(first)].before = key;
        }
    }

    fn unlink(&mut self, key: u32) {
        let Entry { at, before, after } = self.entries[place(key)];
        if at == UNSET {
            return;
        }
        let Some((level, slot)) = self.home(at) else {
            self.past.remove(&(at, key));
            return;
        };
        if after != NIL {
            self.entries[place(after)].before = before;
        }
        if before == NIL {
            self.slots[level][slot].first = after;
        } else {
            self.entries[place(before)].after = after;
        }
        if self.slots[level][slot].first == NIL {
            self.slots[level][slot].earliest = UNSET;
            self.occupied[level] &= !(1 << slot);
        } else if self.slots[level][slot].earliest == at {
            let earliest = self.listed(level, slot).map(|key| self.entries[place(key)].at).min();
            self.slots[level][slot].earliest = earliest.unwrap_or(UNSET);
        }
    }
}

/// An instant's tick, in the order of instants before 1970 too.
fn tick(at: Micros) -> u64 {
    (at.cast_unsigned() ^ (1 << 63)) >> TICK_BITS
}

/// The first tick of a slot of the wheel that stands at `tick`.
fn start(tick: u64, level: usize, slot: usize) -> u64 {
    let shift = DIGIT_BITS * u32::try_from(level).unwrap_or(0);
    let above = (tick >> shift) & !(SLOTS as u64 - 1);
    (above | slot as u64) << shift
}

/// The places of the bits that are set, rising.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = usize::try_from(word.trailing_zeros()).ok().filter(|_| word != 0)?;
        word &= word - 1;
        Some(lowest)
    })
}

fn place(key: u32) -> usize {
    usize::try_from(key).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_takes_sixteen_bytes() {
        assert_eq!(size_of::<Entry>(), 16);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, Option<Micros>),
        Advance(Micros),
    }

    /// Near, far, crowded on one instant, before 1970, and at the ends of time.
    fn instants() -> impl Strategy<Value = Micros> {
        prop_oneof![
            0_i64..5_000_000,
            (0_i64..400).prop_map(|n| n * 86_400_000_000),
            Just(65_536 * 64),
            any::<i64>(),
            Just(Micros::MIN),
            Just(Micros::MAX - 1),
        ]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let set = (0_u32..40, prop::option::weighted(0.8, instants())).prop_map(|(key, at)| Step::Set(key, at));
        prop::collection::vec(prop_oneof![4 => set, 1 => instants().prop_map(Step::Advance)], 1..120)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever was set and wherever the wheel stands, it knows what a sorted list knows. Instants to come, passed,
        /// far jumps forward, and steps back that it does not take.
        #[test]
        fn a_wheel_is_a_sorted_list(steps in steps(), before in instants()) {
            let (mut wheel, mut set) = (Wheel::default(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Set(key, at) => {
                        wheel.set(key, at);
                        set.remove(&key);
                        set.extend(at.map(|at| (key, at)));
                    }
                    Step::Advance(to) => wheel.advance(to),
                }
                let mut sorted: Vec<_> = set.iter().map(|(key, at)| (*at, *key)).collect();
                sorted.sort_unstable();
                prop_assert_eq!(wheel.next(), sorted.first().map(|(at, _)| *at));
                prop_assert_eq!(wheel.due(Micros::MAX).collect::<Vec<_>>(), sorted.clone());
                sorted.retain(|(at, _)| *at < before);
                prop_assert_eq!(wheel.due(before).collect::<Vec<_>>(), sorted);
            }
        }
    }
}
