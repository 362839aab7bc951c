//! Chance from a seed: the same seed, the same story.

use fastrand::Rng;
use uuid::Uuid;

/// All chance of one part of a run.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// Dice that fall the same for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// Whether something of this likelihood happens.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.0.u32(..100) < percent
    }

    /// A number below `bound`, which must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.usize(..bound)
    }

    /// A number of at least `low` and at most `high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high)
    }

    /// One of these; there must be one.
    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        *self.one(among)
    }

    /// One of these, to look at; there must be one.
    pub(crate) fn one<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// One of these, if there is one.
    pub(crate) fn any<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        if among.is_empty() { None } else { Some(self.one(among)) }
    }

    /// Brings these into any order.
    pub(crate) fn shuffle<T>(&mut self, these: &mut [T]) {
        self.0.shuffle(these);
    }

    /// An id nobody had before.
    pub(crate) fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.0.u128(..))
    }
}
