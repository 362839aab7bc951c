//! Whether what was sent kept within its bounds, told from what was recorded and who the recipients are, by none of
//! notifier's own code.

use decider::Micros;
use ticket::notifier::Medium;

use super::people::{MEDIA, Somebody};

const HOUR_US: Micros = 3_600_000_000;
/// The quiet hours of everybody: from this hour of their clock to that.
pub(super) const QUIET: (i64, i64) = (20, 7);
/// Longest time a reminder may be held back for the sake of a better one.
const MAX_DELAY_US: Micros = 3 * HOUR_US;

/// A reminder as it was wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) at: Micros,
    /// When it would be too late.
    pub(super) breach_at: Micros,
}

/// The hour of somebody's clock, counted from 1970.
pub(super) fn local_hours(person: &Somebody, at: Micros) -> i64 {
    at.div_euclid(HOUR_US) + person.ahead_hours
}

/// Whether this is an hour in which somebody is not to be disturbed.
fn is_quiet(person: &Somebody, at: Micros) -> bool {
    let hour = local_hours(person, at).rem_euclid(24);
    hour >= QUIET.0 || hour < QUIET.1
}

/// What is wrong with a message sent by this medium at this instant.
pub(super) fn wrong(person: &Somebody, wanted: Wanted, medium: Medium, at: Micros) -> Option<String> {
    let Wanted { at: wanted_at, breach_at } = wanted;
    let first_free = {
        let mut hour = wanted_at;
        while is_quiet(person, hour) {
            hour = (hour.div_euclid(HOUR_US) + 1) * HOUR_US;
        }
        hour
    };
    let forced = first_free >= breach_at;
    let told = |what: &str| Some(format!("{} by {medium:?} at {at}: {what}", person.name));
    if !MEDIA.contains(&medium) {
        return told("a medium they do not have");
    }
    if at >= breach_at {
        return told("too late");
    }
    if forced && at != wanted_at {
        return told("held back though it could not wait");
    }
    if !forced && is_quiet(person, at) {
        return told("in quiet hours");
    }
    if !forced && at > first_free + MAX_DELAY_US {
        return told("held back too long");
    }
    None
}
