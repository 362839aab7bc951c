//! Learning by which medium and when somebody acts on a reminder: what a rule says of it, which options there are, how
//! likely each is taken, and which one is. Whole numbers only; chance is a hash of the request's claim.
//!
//! What is expected of an option is the mean of a Beta–Bernoulli posterior whose prior is what is known one level up
//! (`memory.rs`). An option's likelihood is a softmax of that, mixed with a share that all options have alike, so that
//! none is ever given up: the mixture of Auer, Cesa-Bianchi, Freund, Schapire, "The nonstochastic multiarmed bandit
//! problem", SIAM J. Comput. 32 (2002), over Boltzmann exploration.

pub mod estimate;
pub mod evaluate;
pub(crate) mod memory;
mod softmax;

use decider::Micros;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, ZonedRound};
use ticket::choice::{Alternative, Choice, Chooser};
use ticket::document::Part;
use ticket::notifier::Medium;
use uuid::Uuid;

use crate::defer;
use crate::person::Person;
use memory::Memory;

/// Most options of a choice; of more the latest are left out.
pub const MAX_OPTIONS: usize = 12;
/// All of something, basis points.
pub(crate) const WHOLE_BP: u32 = 10_000;
/// The hours of a class: people's days have a morning, a noon and an evening, and history is thin.
const CLASS_HOURS: i8 = 3;

/// What a rule says of learning, in its field `learn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learn {
    /// Acted on within this time since it was planned, a reminder counts as acted on, microseconds.
    pub within_us: Micros,
    /// How long a reminder may be held back at most, microseconds.
    pub delay_us: Micros,
    /// As long as the tenant has fewer settled reminders of rules that learn, nothing is chosen.
    pub after: u32,
    /// The share of reminders sent as if nothing had been learned, basis points.
    pub hold_out_bp: u32,
    /// The share of likelihood that all options have alike, basis points.
    pub explore_bp: u32,
    /// How much more must be expected of an option that it is taken e times as often, basis points.
    pub temperature_bp: u32,
}

impl Default for Learn {
    fn default() -> Self {
        Self {
            within_us: 4 * 3_600_000_000,
            delay_us: 3 * 3_600_000_000,
            after: 500,
            hold_out_bp: 500,
            explore_bp: 400,
            temperature_bp: 300,
        }
    }
}

impl Learn {
    /// Reads the field, and faults what is wrong with it.
    pub(crate) fn read(part: &Part<'_>) -> Self {
        part.only(&["within", "delay", "after", "hold_out_bp", "explore_bp", "temperature_bp"]);
        let usual = Self::default();
        let span = |name, (least, most): (i64, i64), usual| {
            let Some(part) = part.maybe(name) else { return usual };
            let secs = part.duration_secs().unwrap_or(least);
            if !(least..=most).contains(&secs) {
                part.fault(format!("must be at least {least}s and at most {}h", most / 3_600));
            }
            secs.saturating_mul(1_000_000)
        };
        let number = |name, (least, most): (u32, u32), usual| {
            let Some(part) = part.maybe(name) else { return usual };
            let found = part.number().and_then(|number| u32::try_from(number).ok());
            let within = found.filter(|number| (least..=most).contains(number));
            if within.is_none() {
                part.fault(format!("must be at least {least} and at most {most}"));
            }
            within.unwrap_or(usual)
        };
        Self {
            within_us: span("within", (60, 7 * 86_400), usual.within_us),
            delay_us: span("delay", (0, 12 * 3_600), usual.delay_us),
            after: number("after", (100, 1_000_000), usual.after),
            // Fewer would say nothing in good time, more would be no hold-out.
            hold_out_bp: number("hold_out_bp", (500, 1_000), usual.hold_out_bp),
            explore_bp: number("explore_bp", (100, WHOLE_BP), usual.explore_bp),
            temperature_bp: number("temperature_bp", (10, WHOLE_BP), usual.temperature_bp),
        }
    }

    /// How likely each option is taken by what was learned, basis points; together exactly `of_bp`, none below its part
    /// of the share that all have alike (rounded down).
    pub(crate) fn chances(&self, expected_bp: &[u32], of_bp: u32) -> Vec<u32> {
        let count = u64::try_from(expected_bp.len()).unwrap_or(u64::MAX).max(1);
        let weights = softmax::weights(expected_bp, self.temperature_bp);
        let sum: u64 = weights.iter().sum::<u64>().max(1);
        let (explored, of) = (u64::from(self.explore_bp.min(WHOLE_BP)), u64::from(of_bp));
        let whole = u64::from(WHOLE_BP);
        let share = |weight: &u64| {
            let (alike, led) = (of * explored / (whole * count), of * (whole - explored) / whole);
            u32::try_from(alike + led * weight / sum).unwrap_or(of_bp)
        };
        let mut chances: Vec<_> = weights.iter().map(share).collect();
        // What rounding left goes to the best.
        let left = of_bp.saturating_sub(chances.iter().sum());
        let best = (0..weights.len()).rev().max_by_key(|at| weights[*at]);
        if let Some(best) = best.and_then(|best| chances.get_mut(best)) {
            *best += left;
        }
        chances
    }
}

/// What a choice is made of, beside what was learned.
pub(crate) struct Asked<'a> {
    pub(crate) learn: &'a Learn,
    /// Who is told, and what is known of them.
    pub(crate) recipient: (&'a str, &'a Person),
    pub(crate) reminder: Uuid,
    /// The media by which they may be told, the usual one first.
    pub(crate) media: &'a [Medium],
    pub(crate) now: Micros,
    /// When it would be sent usually.
    pub(crate) usual_at: Micros,
    /// From when on it would come too late.
    pub(crate) too_late: Option<Micros>,
    /// The claim under which this is decided.
    pub(crate) claim: Uuid,
}

impl Asked<'_> {
    /// The choice, and when the reminder is sent.
    pub(crate) fn choose(&self, memory: &Memory) -> Choice {
        let zone = self.recipient.1.zone();
        let known = memory.settled() >= u64::from(self.learn.after);
        let options = if known { self.options(&zone) } else { self.usual() };
        let of = |(medium, send_at): (Medium, Micros)| {
            let hours = hours(&zone, send_at);
            let belief = memory.expect(self.recipient.0, (medium, hours), self.now);
            let (expected_bp, seen) = (belief.mean_bp, belief.seen);
            Alternative { medium, send_at, hours, expected_bp, seen, chance_bp: 0 }
        };
        let mut among: Vec<_> = options.into_iter().map(of).collect();
        let (by, taken) = self.take(&mut among);
        Choice { by, until: self.now.saturating_add(self.learn.within_us), taken, among }
    }

    /// Gives each option its likelihood, and takes one.
    fn take(&self, among: &mut [Alternative]) -> (Chooser, u32) {
        let Self { learn, reminder, .. } = self;
        if let [one] = among {
            one.chance_bp = WHOLE_BP;
            return (Chooser::Usual, 0);
        }
        let expected: Vec<_> = among.iter().map(|option| option.expected_bp).collect();
        let of_bp = WHOLE_BP - learn.hold_out_bp;
        let chances = learn.chances(&expected, of_bp);
        for (option, chance) in among.iter_mut().zip(&chances) {
            option.chance_bp = *chance;
        }
        if let Some(usual) = among.first_mut() {
            usual.chance_bp += learn.hold_out_bp;
        }
        if drawn(&Uuid::new_v5(reminder, b"hold-out"), WHOLE_BP) < learn.hold_out_bp {
            return (Chooser::HeldOut, 0);
        }
        let mut left = drawn(&Uuid::new_v5(&self.claim, reminder.as_bytes()), of_bp);
        for (place, chance) in (0..).zip(&chances) {
            if left < *chance {
                return (Chooser::Learned, place);
            }
            left -= chance;
        }
        (Chooser::Learned, 0)
    }

    fn usual(&self) -> Vec<(Medium, Micros)> {
        self.media.first().map(|medium| (*medium, self.usual_at)).into_iter().collect()
    }

    /// Every medium at every instant at which it may be sent, the usual one first: then, and as the hours of another
    /// class begin; never later than half the time that is left, never while the recipient is not to be disturbed.
    fn options(&self, zone: &TimeZone) -> Vec<(Medium, Micros)> {
        let half = |limit: Micros| self.now.saturating_add(limit.saturating_sub(self.now) / 2);
        let delayed = self.usual_at.saturating_add(self.learn.delay_us);
        let last = self.too_late.map_or(delayed, |limit| delayed.min(half(limit)));
        let mut instants = vec![self.usual_at];
        let mut at = self.usual_at;
        while let Some(next) = next_class(zone, at).filter(|next| *next > at && *next <= last) {
            let free = defer::send_at(self.recipient.1, self.reminder, next, None) == (next, None);
            instants.extend(free.then_some(next));
            at = next;
        }
        let all = instants.iter().flat_map(|at| self.media.iter().map(|medium| (*medium, *at)));
        all.take(MAX_OPTIONS).collect()
    }
}

/// A number below `bound` that this hash stands for.
fn drawn(hash: &Uuid, bound: u32) -> u32 {
    u32::try_from(hash.as_u128() % u128::from(bound.max(1))).unwrap_or_default()
}

/// The class of hours in which this instant lies.
pub(crate) fn hours(zone: &TimeZone, at: Micros) -> u8 {
    let local = Timestamp::from_microsecond(at).map(|at| zone.to_datetime(at)).unwrap_or_default();
    u8::try_from(local.hour() / CLASS_HOURS).unwrap_or_default()
}

/// The first instant after this one that begins another class of hours.
fn next_class(zone: &TimeZone, at: Micros) -> Option<Micros> {
    let local = Timestamp::from_microsecond(at).ok()?.to_zoned(zone.clone());
    let hour = local.round(ZonedRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Trunc)).ok()?;
    (1..=i64::from(CLASS_HOURS) + 1).find_map(|later| {
        let next = hour.timestamp().as_microsecond().checked_add(later * 3_600_000_000)?;
        (hours(zone, next) != hours(zone, at)).then_some(next)
    })
}

impl Person {
    /// The zone of their clock.
    pub(crate) fn zone(&self) -> TimeZone {
        let named = self.settings.as_ref().and_then(|settings| defer::zone(&settings.zone));
        named.unwrap_or(TimeZone::UTC)
    }
}
