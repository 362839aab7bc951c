//! How recipients behave. A reminder is acted on with a likelihood that is the product of four things:
//!
//! 1. **The medium.** Each person acts on a share of what reaches them by each medium: one they like (50 to 75 %), one they
//!    tolerate (25 to 45 %), one they mostly overlook (5 to 20 %), in an order of their own.
//! 2. **The hour** on their own clock, in classes of three hours. Each person has one class of their working day in which
//!    they concentrate (a third of what they would do else) and one in which they clear their messages (half as much
//!    again); on their way to work and home, until nine and from eighteen, they act on three quarters.
//! 3. **Weariness.** Each message of the same day by the same medium takes a tenth off the next, any other two hundredths.
//! 4. **Change.** Half of the people change at some day in the middle third: they like another medium, and concentrate at
//!    another time.
//!
//! Who acts does so 2 to 40 minutes after the message: half acknowledge the reminder, half take the step itself.

use fastrand::Rng;
use ticket::notifier::Medium;

/// The media by which everybody can be reached, the one that is usual first.
pub const MEDIA: [Medium; 3] = [Medium::Email, Medium::Webhook, Medium::InApp];
/// People of a house.
pub const PEOPLE: usize = 20;
/// Days of a full run.
pub const DAYS: u32 = 60;
/// Reminders of a person's day.
pub(super) const A_DAY: usize = 5;

/// All of something, basis points.
const WHOLE_BP: u64 = 10_000;
/// What a message leaves of the likelihood that the next of the day by the same medium is acted on.
const SAME_MEDIUM_BP: u64 = 9_000;
/// What one by another medium leaves.
const OTHER_MEDIUM_BP: u64 = 9_800;

/// Habits of a time of life.
#[derive(Clone, Debug)]
struct Habits {
    /// Of what comes by each medium, the share that is acted on, basis points.
    media_bp: [u64; MEDIA.len()],
    /// The classes of hours in which they concentrate, and clear their messages.
    concentrates: i64,
    clears: i64,
}

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Somebody {
    /// By token subject.
    pub(super) name: String,
    /// Their zone: one of those that never change their clocks.
    pub(super) zone: &'static str,
    /// Hours their clock is ahead of UTC.
    pub(super) ahead_hours: i64,
    before: Habits,
    after: Habits,
    /// The day on which they change.
    changes: i64,
}

impl Habits {
    fn of(dice: &mut Rng) -> Self {
        let mut media_bp = [dice.u64(5_000..=7_500), dice.u64(2_500..=4_500), dice.u64(500..=2_000)];
        dice.shuffle(&mut media_bp);
        // Nine, twelve and fifteen o'clock begin the classes of the working day.
        let mut classes = [3, 4, 5];
        dice.shuffle(&mut classes);
        Self { media_bp, concentrates: classes[0], clears: classes[1] }
    }
}

impl Somebody {
    /// The `n`th person of a seed's house of so many days.
    pub(super) fn of(seed: u64, n: usize, days: u32) -> Self {
        let mut dice = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n as u64);
        let (zone, ahead_hours) = if dice.bool() { ("Asia/Shanghai", 8) } else { ("UTC", 0) };
        let before = Habits::of(&mut dice);
        let after = if dice.bool() { Habits::of(&mut dice) } else { before.clone() };
        let (third, days) = (i64::from(days / 3), i64::from(days));
        let changes = dice.i64(third..=days - third);
        Self { name: format!("person-{n:02}"), zone, ahead_hours, before, after, changes }
    }

    /// The likelihood, basis points, that they act on a message by this medium on this day at this hour of their clock,
    /// after so many by the same and by other media on that day.
    pub(super) fn acts_bp(&self, medium: Medium, (day, hour): (i64, i64), (same, other): (u32, u32)) -> u64 {
        let habits = if day < self.changes { &self.before } else { &self.after };
        let place = MEDIA.iter().position(|known| *known == medium);
        let base = place.map_or(0, |place| habits.media_bp[place]);
        let class = hour / 3;
        let hour_bp = if class == habits.concentrates {
            3_300
        } else if class == habits.clears {
            15_000
        } else if (9..18).contains(&hour) {
            10_000
        } else {
            7_500
        };
        let weary = |count: u32, left_bp: u64| (0..count).fold(WHOLE_BP, |bp, _| bp * left_bp / WHOLE_BP);
        let tired = weary(same, SAME_MEDIUM_BP) * weary(other, OTHER_MEDIUM_BP) / WHOLE_BP;
        (base * hour_bp / WHOLE_BP * tired / WHOLE_BP).min(WHOLE_BP)
    }
}
