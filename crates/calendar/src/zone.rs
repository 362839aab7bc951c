//! A time zone as a list of stretches of constant offset, and the way from wall clock to instant.

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::{DAY_US, HORIZON_END, HORIZON_START, Micros};

pub(crate) struct Zone {
    stretches: Vec<Stretch>,
}

/// From `starts` to the next stretch's start the wall clock reads the instant plus `offset_us`.
struct Stretch {
    starts: Micros,
    offset_us: i64,
    /// The highest reading of the wall clock up to the end of this stretch: it never falls from one to the next.
    high_local: i64,
}

impl Zone {
    /// The zone of this IANA name from the database built in, or nothing if it has none.
    pub(crate) fn load(name: &str) -> Option<Self> {
        let zone = known(name)?;
        // Intervals that start up to two days before the horizon can reach into it.
        let first = Timestamp::from_microsecond(HORIZON_START - 3 * DAY_US).ok()?;
        let mut stretches = vec![Stretch::new(Micros::MIN, zone.to_offset(first).seconds())];
        let changes = zone.following(first).take_while(|change| change.timestamp().as_microsecond() < HORIZON_END);
        stretches
            .extend(changes.map(|change| Stretch::new(change.timestamp().as_microsecond(), change.offset().seconds())));
        close(&mut stretches);
        Some(Self { stretches })
    }

    /// The first instant at which the wall clock reads `local_us` (microseconds since 1970-01-01 00:00) or later.
    pub(crate) fn instant(&self, local_us: i64) -> Micros {
        let stretch = &self.stretches[self.stretches.partition_point(|stretch| stretch.high_local <= local_us)];
        (local_us - stretch.offset_us).max(stretch.starts)
    }

    /// The date the wall clock shows at `at`, in days since 1970-01-01.
    pub(crate) fn local_day(&self, at: Micros) -> i64 {
        let stretch = &self.stretches[self.stretches.partition_point(|stretch| stretch.starts <= at) - 1];
        at.saturating_add(stretch.offset_us).div_euclid(DAY_US)
    }
}

/// Whether a time zone has this IANA name in the database built in.
pub fn is_zone(name: &str) -> bool {
    known(name).is_some()
}

fn known(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())
}

impl Stretch {
    fn new(starts: Micros, offset_secs: i32) -> Self {
        Self { starts, offset_us: i64::from(offset_secs) * 1_000_000, high_local: i64::MAX }
    }
}

/// Sets each stretch's highest reading; the last has none, it never ends.
fn close(stretches: &mut [Stretch]) {
    let mut high = i64::MIN;
    for k in 1..stretches.len() {
        high = high.max(stretches[k].starts + stretches[k - 1].offset_us);
        stretches[k - 1].high_local = high;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instant at which a wall clock time takes effect.
    #[track_caller]
    fn check(zone: &str, local: &str, instant: &str) {
        let local: jiff::civil::DateTime = local.parse().unwrap();
        let local_us = local.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond();
        let found = Zone::load(zone).unwrap().instant(local_us);
        assert_eq!(Timestamp::from_microsecond(found).unwrap().to_string(), instant);
    }

    #[test]
    fn an_ordinary_time_is_one_instant() {
        check("Europe/Rome", "2024-07-01T09:00", "2024-07-01T07:00:00Z");
        check("Europe/Rome", "2069-01-01T09:00", "2069-01-01T08:00:00Z");
    }

    #[test]
    fn a_time_jumped_over_falls_on_the_jump() {
        check("Europe/Rome", "2024-03-31T01:59", "2024-03-31T00:59:00Z");
        check("Europe/Rome", "2024-03-31T02:00", "2024-03-31T01:00:00Z");
        check("Europe/Rome", "2024-03-31T02:45", "2024-03-31T01:00:00Z");
        check("Europe/Rome", "2024-03-31T03:00", "2024-03-31T01:00:00Z");
        check("Europe/Rome", "2024-03-31T03:01", "2024-03-31T01:01:00Z");
    }

    #[test]
    fn a_time_that_comes_twice_counts_the_first_time() {
        check("Europe/Rome", "2024-10-27T02:00", "2024-10-27T00:00:00Z");
        check("Europe/Rome", "2024-10-27T02:59", "2024-10-27T00:59:00Z");
        check("Europe/Rome", "2024-10-27T03:00", "2024-10-27T02:00:00Z");
    }

    #[test]
    fn a_skipped_date_falls_on_the_skip() {
        check("Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00:00Z");
        check("Pacific/Apia", "2011-12-30T17:00", "2011-12-30T10:00:00Z");
        check("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z");
    }

    #[test]
    fn an_instant_has_one_local_date() {
        let apia = Zone::load("Pacific/Apia").unwrap();
        let skip: Timestamp = "2011-12-30T10:00:00Z".parse().unwrap();
        assert_eq!(apia.local_day(skip.as_microsecond()), apia.local_day(skip.as_microsecond() - 1) + 2);
        assert_eq!(Zone::load("UTC").unwrap().local_day(-1), -1);
    }

    #[test]
    fn a_zone_unknown_is_not_loaded() {
        for name in ["", "Europe/Atlantis", "Etc/Unknown", "+01:00", "../UTC"] {
            assert!(Zone::load(name).is_none() && !is_zone(name), "{name}");
        }
    }
}
