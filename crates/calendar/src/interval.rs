//! A stretch of local time on one day, and its written form.

use std::{fmt, str::FromStr};

use crate::DAY_MIN;

/// From `start_min` (included) to `end_min` (excluded), in minutes since 00:00 of the day it belongs to; an overnight
/// one ends beyond [`DAY_MIN`], at most a whole day after its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub(crate) start_min: i64,
    pub(crate) end_min: i64,
}

impl Interval {
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.start_min < other.end_min && other.start_min < self.end_min
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bounds = text.split_once('-').and_then(|(start, end)| Some((minutes(start)?, minutes(end)?)));
        match bounds {
            Some((start_min, end)) if start_min < DAY_MIN => {
                let end_min = if end <= start_min { end + DAY_MIN } else { end };
                Ok(Self { start_min, end_min })
            }
            _ => Err(format!("{text:?} is not an interval HH:MM-HH:MM")),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end_min > DAY_MIN { self.end_min - DAY_MIN } else { self.end_min };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.start_min / 60, self.start_min % 60, end / 60, end % 60)
    }
}

/// Minutes since 00:00 of `HH:MM`, up to and including 24:00.
fn minutes(text: &str) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    let &[h, hh, b':', m, mm] = text.as_bytes() else { return None };
    let (hour, minute) = (digit(h)? * 10 + digit(hh)?, digit(m)? * 10 + digit(mm)?);
    (minute < 60).then_some(hour * 60 + minute).filter(|&minutes| minutes <= DAY_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, start_min: i64, end_min: i64) {
        assert_eq!(text.parse(), Ok(Interval { start_min, end_min }));
    }

    #[test]
    fn an_interval_is_read() {
        check("09:00-12:30", 540, 750);
        check("00:00-24:00", 0, 1_440);
        check("22:00-06:00", 1_320, 1_800);
        check("22:00-00:00", 1_320, 1_440);
        check("09:00-09:00", 540, 1_980);
    }

    #[test]
    fn an_interval_is_written_as_it_was_read() {
        for text in ["09:00-12:30", "00:00-24:00", "22:00-06:00", "09:00-09:00"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_an_interval_is_refused() {
        for text in ["", "-", "09:00", "9:00-17:00", "09:00-17", "09:60-17:00", "09:00-24:01", "24:00-06:00"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
        for text in ["09:00 - 17:00", "09:00-17:00-18:00", "+9:00-17:00", "0९:00-17:00"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }
}
