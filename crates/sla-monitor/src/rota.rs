//! On-call rotas: who is on call at an instant, by turns that are handed over at a local time.
//!
//! The local time of an instant is one and known, so a hand-over on the night the clocks change happens when the clock on
//! the wall first shows it, once.

use decider::Micros;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Unit};
use serde_json::Value;
use ticket::document::{Fault, Part, read};

/// Most shifts, people of a shift, and overrides.
const MAX_LIST: usize = 500;
/// Longest turn, days.
const MAX_TURN_DAYS: i64 = 366;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The `spec` of a `kind: Rota` document.
#[derive(Clone, Debug)]
pub struct Rota {
    zone: TimeZone,
    /// The first that covers an instant counts.
    shifts: Vec<Shift>,
    /// They come before every shift; of those that cover an instant, the last.
    overrides: Vec<Override>,
}

#[derive(Clone, Debug)]
struct Shift {
    name: String,
    people: Vec<String>,
    /// The first day of the first one's first turn.
    from: Date,
    turn_days: i64,
    hand_over: Time,
    /// The local hours it covers; all, if not said. Those that end before they begin end the day after.
    hours: Option<(Time, Time)>,
    /// The days on which they begin; every day, if not said.
    days: Vec<Weekday>,
}

#[derive(Clone, Debug)]
struct Override {
    person: String,
    from: Micros,
    to: Micros,
}

/// Who is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall<'a> {
    /// By token subject.
    pub person: &'a str,
    /// The shift, `override` if it is by none.
    pub shift: &'a str,
}

impl Rota {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            part.only(&["zone", "shifts", "overrides"]);
            let zone = part.field("zone").and_then(|zone| {
                let found = TimeZoneDatabase::bundled().get(zone.text()?).ok().filter(|found| !found.is_unknown());
                if found.is_none() {
                    zone.fault("is not an IANA time zone");
                }
                found
            });
            let shifts = part.field("shifts").map(|shifts| listed(&shifts, read_shift)).unwrap_or_default();
            let zoned = zone.clone().unwrap_or(TimeZone::UTC);
            let overridden = |part: &Part<'_>| read_override(part, &zoned);
            let overrides = part.maybe("overrides").map(|list| listed(&list, overridden)).unwrap_or_default();
            if shifts.is_empty() && overrides.is_empty() {
                part.fault_at("/shifts", "must name at least one shift");
            }
            Some(Self { zone: zone?, shifts, overrides })
        })
    }

    /// Who is on call at an instant, if anybody is.
    pub fn who(&self, at: Micros) -> Option<OnCall<'_>> {
        let covers = |one: &&Override| one.from <= at && at < one.to;
        if let Some(one) = self.overrides.iter().rev().find(covers) {
            return Some(OnCall { person: &one.person, shift: "override" });
        }
        let local = self.zone.to_datetime(Timestamp::from_microsecond(at).ok()?);
        self.shifts.iter().find_map(|shift| Some(OnCall { person: shift.who(local)?, shift: &shift.name }))
    }
}

impl Rota {
    /// Everybody who is ever on call by it.
    pub(crate) fn people(&self) -> impl Iterator<Item = &str> {
        let turns = self.shifts.iter().flat_map(|shift| &shift.people);
        turns.chain(self.overrides.iter().map(|one| &one.person)).map(String::as_str)
    }
}

impl Shift {
    fn who(&self, local: DateTime) -> Option<&str> {
        if !self.covers(local) {
            return None;
        }
        let day = if local.time() < self.hand_over { local.date().yesterday().ok()? } else { local.date() };
        let days = i64::from(day.since((Unit::Day, self.from)).ok()?.get_days());
        let turn = usize::try_from(days.div_euclid(self.turn_days)).ok()?;
        self.people.get(turn.checked_rem(self.people.len())?).map(String::as_str)
    }

    fn covers(&self, local: DateTime) -> bool {
        let on = |date: Date| self.days.is_empty() || self.days.contains(&date.weekday());
        let (today, time) = (local.date(), local.time());
        match self.hours {
            None => on(today),
            Some((from, to)) if from < to => on(today) && from <= time && time < to,
            Some((from, to)) => {
                let began_yesterday = time < to && today.yesterday().is_ok_and(on);
                (time >= from && on(today)) || began_yesterday
            }
        }
    }
}

fn listed<'a, T>(part: &Part<'a>, read: impl Fn(&Part<'a>) -> Option<T>) -> Vec<T> {
    let items = part.items();
    if items.len() > MAX_LIST {
        part.fault(format!("must be at most {MAX_LIST}"));
        return Vec::new();
    }
    items.iter().filter_map(read).collect()
}

fn read_shift(part: &Part<'_>) -> Option<Shift> {
    part.only(&["name", "people", "from", "turn_days", "hand_over", "hours", "days"]);
    let name = part.field("name").and_then(|name| name.text());
    let people = part.field("people").map(|people| people.texts()).unwrap_or_default();
    if people.is_empty() || people.len() > MAX_LIST {
        part.fault_at("/people", format!("must name 1 to {MAX_LIST} people"));
    }
    let from = part.field("from").and_then(|from| parsed(&from, "a date such as 2026-01-05"));
    let turn_days = part.maybe("turn_days").map_or(Some(7), |days| days.number())?;
    if !(1..=MAX_TURN_DAYS).contains(&turn_days) {
        part.fault_at("/turn_days", format!("must be from 1 to {MAX_TURN_DAYS}"));
    }
    let hand_over = part.field("hand_over").and_then(|time| parsed(&time, "a local time such as 09:00"));
    let hours = part.maybe("hours").map(|hours| read_hours(&hours));
    let days = part.maybe("days").map(|days| days.items().iter().filter_map(|day| day.one_of(&DAYS)).collect());
    Some(Shift {
        name: name?.to_owned(),
        people,
        from: from?,
        turn_days: turn_days.max(1),
        hand_over: hand_over?,
        hours: hours.flatten(),
        days: days.unwrap_or_default(),
    })
}

fn read_hours(part: &Part<'_>) -> Option<(Time, Time)> {
    let hours = part.text()?.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    if hours.is_none_or(|(from, to): (Time, Time)| from == to) {
        part.fault("must be local hours such as 08:00-20:00 or 20:00-08:00");
    }
    hours
}

fn read_override(part: &Part<'_>, zone: &TimeZone) -> Option<Override> {
    part.only(&["person", "from", "to"]);
    let person = part.field("person").and_then(|person| person.text());
    let instant = |name| {
        let local: DateTime = part.field(name).and_then(|at| parsed(&at, "a local time such as 2026-01-05T09:00"))?;
        Some(zone.to_timestamp(local).ok()?.as_microsecond())
    };
    let (from, to) = (instant("from"), instant("to"));
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        part.fault_at("/to", "must lie after from");
    }
    Some(Override { person: person?.to_owned(), from: from?, to: to? })
}

fn parsed<T: std::str::FromStr>(part: &Part<'_>, what: &str) -> Option<T> {
    let found = part.text()?.parse().ok();
    if found.is_none() {
        part.fault(format!("must be {what}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn us(text: &str) -> Micros {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn rota() -> Rota {
        Rota::read(&json!({"zone": "Europe/Berlin", "shifts": [
            {"name": "night", "people": ["nina", "otto"], "from": "2026-01-05", "turn_days": 1, "hand_over": "12:00",
                "hours": "22:00-06:00", "days": ["mon", "tue", "wed", "thu", "fri"]},
            {"name": "week", "people": ["ann", "bob", "chen"], "from": "2026-01-05", "hand_over": "09:00"},
        ], "overrides": [
            {"person": "dora", "from": "2026-01-13T09:00", "to": "2026-01-14T09:00"},
        ]}))
        .unwrap()
    }

    /// Proves part of: L5
    #[test]
    fn turns_are_handed_over_at_their_local_time() {
        let rota = rota();
        let who = |at: &str| rota.who(us(at)).map(|on| (on.person, on.shift));
        for (at, expected) in [
            ("2026-01-05T07:59:59Z", None),
            ("2026-01-05T08:00:00Z", Some(("ann", "week"))),
            ("2026-01-12T07:59:59Z", Some(("ann", "week"))),
            ("2026-01-12T08:00:00Z", Some(("bob", "week"))),
            ("2026-01-13T08:00:00Z", Some(("dora", "override"))),
            ("2026-01-14T08:00:00Z", Some(("bob", "week"))),
            ("2026-01-26T08:00:00Z", Some(("ann", "week"))),
            // In summer the same wall clock is another instant.
            ("2026-03-30T06:59:59Z", Some(("chen", "week"))),
            ("2026-03-30T07:00:00Z", Some(("ann", "week"))),
            // The night between Monday and Tuesday is Monday's, and Saturday's is nobody's.
            ("2026-01-05T21:00:00Z", Some(("nina", "night"))),
            ("2026-01-06T04:59:59Z", Some(("nina", "night"))),
            ("2026-01-06T21:00:00Z", Some(("otto", "night"))),
            ("2026-01-10T04:00:00Z", Some(("nina", "night"))),
            ("2026-01-10T22:00:00Z", Some(("ann", "week"))),
        ] {
            assert_eq!(who(at), expected, "{at}");
        }
    }

    #[test]
    fn every_fault_of_a_rota_is_named() {
        let faults = Rota::read(&json!({"zone": "Mars/Base", "shifts": [
            {"name": "a", "people": [], "from": "soon", "hand_over": "noon", "hours": "8-8", "turn_days": 0, "days": ["x"]},
        ], "overrides": [{"person": "ann", "from": "2026-01-02T00:00", "to": "2026-01-01T00:00"}]}))
        .unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        let expected = [
            "/overrides/0/to",
            "/shifts/0/days/0",
            "/shifts/0/from",
            "/shifts/0/hand_over",
            "/shifts/0/hours",
            "/shifts/0/people",
            "/shifts/0/turn_days",
            "/zone",
        ];
        assert_eq!(paths, expected);
        assert!(Rota::read(&json!({"zone": "UTC", "shifts": []})).is_err());
    }
}
