//! What came of reminders: for each recipient, medium and class of hours how many were sent and acted on, the older the
//! less each; and what is expected of one that is sent so.
//!
//! Bernoulli outcomes with Beta priors in levels, the mean of each level the prior of the next with a fixed weight (Gelman
//! et al., "Bayesian Data Analysis", 3rd ed., ch. 5: partial pooling): the tenant; its medium, its hours; the recipient's
//! medium, the recipient's hours; the recipient's medium in these hours. What hours do to a person they are taken to do by
//! every medium, until more is known. Counts are discounted by the day, as in discounted Thompson sampling (Raj, Kalyani,
//! "Taming non-stationary bandits", 2017): people change.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::notifier::Medium;

use super::WHOLE_BP;

/// One reminder, in the fixed point of counts.
const ONE: u64 = 1_000;
/// What is kept of a count from one day (UTC) to the next, basis points: half of it after 14 days.
const KEPT_BP: u64 = 9_500;
const DAY_US: Micros = 86_400_000_000;
/// From so many days on nothing is left of any count there can be.
const MAX_DAYS: u32 = 1_000;
/// What a prior weighs, in reminders.
const PRIOR: u64 = 8 * ONE;

/// A medium in a class of hours.
pub(crate) type Way = (Medium, u8);

/// Reminders sent in one way, as of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    day: u32,
    sent: u64,
    acted: u64,
}

impl Count {
    fn on(self, day: u32) -> Self {
        let days = day.saturating_sub(self.day).min(MAX_DAYS);
        let mut aged = Self { day: self.day.max(day), ..self };
        for _ in 0..days {
            if aged.sent == 0 {
                break;
            }
            (aged.sent, aged.acted) = (aged.sent * KEPT_BP / 10_000, aged.acted * KEPT_BP / 10_000);
        }
        aged
    }

    fn and(self, other: Self) -> Self {
        Self { day: self.day, sent: self.sent + other.sent, acted: self.acted + other.acted }
    }

    /// The mean of the posterior: counts beside a prior that weighs as much as `PRIOR` reminders.
    fn mean(self, prior_bp: u64) -> u64 {
        (self.acted * u64::from(WHOLE_BP) + prior_bp * PRIOR) / (self.sent + PRIOR)
    }
}

/// What is expected of a way to send a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Belief {
    /// The mean of the posterior, basis points.
    pub(crate) mean_bp: u32,
    /// Of how many of the recipient's own reminders, discounted, rounded down.
    pub(crate) seen: u32,
}

/// What one tenant's reminders taught.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    settled: u64,
    house: BTreeMap<Way, Count>,
    people: BTreeMap<String, BTreeMap<Way, Count>>,
}

impl Memory {
    /// How many reminders are known to have been acted on or not.
    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    /// Takes in what came of a reminder.
    pub(crate) fn learn(&mut self, recipient: &str, way: Way, acted: bool, at: Micros) {
        self.settled += 1;
        let day = day(at);
        let person = self.people.entry(recipient.to_owned()).or_default();
        for counts in [&mut self.house, person] {
            let count = counts.entry(way).or_default();
            let aged = count.on(day);
            *count = Count { sent: aged.sent + ONE, acted: aged.acted + if acted { ONE } else { 0 }, ..aged };
        }
    }

    /// What is expected of a reminder sent to this recipient in this way.
    pub(crate) fn expect(&self, recipient: &str, way: Way, now: Micros) -> Belief {
        let day = day(now);
        let nobody = BTreeMap::new();
        let person = self.people.get(recipient).unwrap_or(&nobody);
        let medium = |known: &Way| known.0 == way.0;
        let hours = |known: &Way| known.1 == way.1;
        // What the hours do to a share, where they make `of` into `part`.
        let scaled = |share: u64, part: u64, of: u64| (share * part / of.max(1)).min(u64::from(WHOLE_BP));
        let all = sum(&self.house, day, |_| true).mean(u64::from(WHOLE_BP) / 2);
        let house_hours = sum(&self.house, day, hours).mean(all);
        let own_all = sum(person, day, |_| true).mean(all);
        let own_hours = sum(person, day, hours).mean(scaled(own_all, house_hours, all));
        let own_medium = sum(person, day, medium).mean(sum(&self.house, day, medium).mean(all));
        let prior = scaled(own_medium, own_hours, own_all);
        let own = sum(person, day, |known| *known == way);
        let mean_bp = u32::try_from(own.mean(prior)).unwrap_or(WHOLE_BP);
        Belief { mean_bp, seen: u32::try_from(own.sent / ONE).unwrap_or(u32::MAX) }
    }
}

fn sum(counts: &BTreeMap<Way, Count>, day: u32, which: impl Fn(&Way) -> bool) -> Count {
    counts.iter().filter(|(way, _)| which(way)).map(|(_, count)| count.on(day)).fold(Count::default(), Count::and)
}

fn day(at: Micros) -> u32 {
    u32::try_from(at.div_euclid(DAY_US)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: Way = (Medium::Email, 3);
    const INBOX: Way = (Medium::InApp, 3);

    fn taught(told: &[(&str, Way, bool, u32)]) -> Memory {
        let mut memory = Memory::default();
        for (recipient, way, acted, times) in told {
            for _ in 0..*times {
                memory.learn(recipient, *way, *acted, 0);
            }
        }
        memory
    }

    /// Proves part of: N8
    #[test]
    fn a_stranger_is_expected_to_be_like_the_house_and_somebody_known_like_themselves() {
        let memory = taught(&[("ann", MAIL, true, 80), ("ann", MAIL, false, 20), ("ann", INBOX, false, 100)]);
        let of = |who, way| memory.expect(who, way, 0);
        let stranger = (of("bob", MAIL), of("bob", INBOX));
        assert_eq!((stranger.0.seen, of("ann", MAIL).seen), (0, 100));
        assert!(stranger.0.mean_bp > 7_000 && stranger.1.mean_bp < 1_000, "{stranger:?}");
        assert_eq!(
            of("eva", (Medium::Webhook, 0)).mean_bp,
            of("bob", (Medium::Webhook, 7)).mean_bp,
            "nothing is known"
        );
        let mut memory = memory.clone();
        for _ in 0..30 {
            memory.learn("bob", MAIL, false, 0);
        }
        assert!(memory.expect("bob", MAIL, 0).mean_bp < 3_000, "{:?}", memory.expect("bob", MAIL, 0));
        assert!(memory.expect("ann", MAIL, 0).mean_bp > 7_000, "one person's ways are not another's");
    }

    /// Proves part of: N8
    #[test]
    fn what_is_old_counts_for_less_and_at_last_for_nothing() {
        let memory = taught(&[("ann", MAIL, true, 100)]);
        let seen = |days: i64| memory.expect("ann", MAIL, days * DAY_US).seen;
        assert_eq!((seen(0), seen(1), seen(14)), (100, 95, 48));
        assert_eq!(seen(1_000), 0);
        let mean = |days: i64| memory.expect("ann", MAIL, days * DAY_US).mean_bp;
        assert!(mean(0) > 9_500 && (4_900..=5_100).contains(&mean(1_000)), "{} {}", mean(0), mean(1_000));
    }

    #[test]
    fn the_day_on_which_something_is_looked_at_changes_nothing() {
        let mut looked = taught(&[("ann", MAIL, true, 7), ("ann", MAIL, false, 4)]);
        let unlooked = looked.clone();
        looked.expect("ann", MAIL, 5 * DAY_US);
        looked.learn("bob", INBOX, true, 5 * DAY_US);
        assert_eq!(looked.expect("ann", MAIL, 9 * DAY_US).seen, unlooked.expect("ann", MAIL, 9 * DAY_US).seen);
    }
}
