//! Examples a dispatcher can check by hand.

use calendar::{Calendar, HORIZON_END, HORIZON_START, Micros, Spec};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const HOUR_US: i64 = 3_600_000_000;

/// A calendar, its questions asked and answered in local time; a fold's second hour is out of their reach.
struct Clock {
    calendar: Calendar,
    zone: TimeZone,
}

fn clock(spec: &str) -> Clock {
    let spec: Spec = serde_json::from_str(spec).unwrap();
    Clock { calendar: Calendar::compile(&spec).unwrap(), zone: TimeZone::get(&spec.zone).unwrap() }
}

impl Clock {
    fn at(&self, local: &str) -> Micros {
        let local: DateTime = local.parse().unwrap();
        self.zone.to_zoned(local).unwrap().timestamp().as_microsecond()
    }

    fn local(&self, at: Option<Micros>) -> String {
        let Some(at) = at else { return "never".into() };
        self.zone.to_datetime(Timestamp::from_microsecond(at).unwrap()).strftime("%F %H:%M").to_string()
    }

    #[track_caller]
    fn worked_hours(&self, from: &str, to: &str, hours: i64) {
        assert_eq!(self.calendar.worked(self.at(from), self.at(to)), hours * HOUR_US);
    }

    #[track_caller]
    fn deadline(&self, from: &str, budget_hours: i64, expected: &str) {
        assert_eq!(self.local(self.calendar.deadline(self.at(from), budget_hours * HOUR_US)), expected);
    }

    #[track_caller]
    fn end_of_working_day(&self, from: &str, n_days: u32, expected: &str) {
        assert_eq!(self.local(self.calendar.end_of_working_day(self.at(from), n_days)), expected);
    }
}

/// Nine to five in Rome, Monday to Friday.
fn office() -> Clock {
    clock(
        r#"{"zone": "Europe/Rome", "weekly": {"mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "wed": ["09:00-17:00"],
            "thu": ["09:00-17:00"], "fri": ["09:00-17:00"]}, "holidays": ["2024-12-25", {"date": "2024-12-26",
            "name": "Santo Stefano"}]}"#,
    )
}

/// Nights in Shanghai from Monday to Wednesday; the holiday takes Tuesday's; Saturday makes up for it.
fn nights() -> Clock {
    clock(
        r#"{"zone": "Asia/Shanghai", "weekly": {"mon": ["22:00-06:00"], "tue": ["22:00-06:00"],
            "wed": ["22:00-06:00"]}, "holidays": ["2024-05-07"], "overrides": {"2024-05-11": ["09:00-12:00",
            "13:00-18:00"]}}"#,
    )
}

/// Proves part of: L2
#[test]
fn nothing_counts_at_night_or_at_the_weekend() {
    let office = office();
    office.worked_hours("2024-12-20T15:00", "2024-12-20T23:00", 2);
    office.worked_hours("2024-12-20T16:00", "2024-12-23T10:00", 2);
    office.worked_hours("2024-12-21T00:00", "2024-12-23T00:00", 0);
    office.worked_hours("2024-12-23T10:00", "2024-12-20T16:00", 0);
}

#[test]
fn a_budget_used_up_at_closing_time_ends_then() {
    let office = office();
    office.deadline("2024-12-20T09:00", 8, "2024-12-20 17:00");
    office.deadline("2024-12-20T15:00", 2, "2024-12-20 17:00");
    office.deadline("2024-12-20T15:00", 3, "2024-12-23 10:00");
    office.deadline("2024-12-24T15:00", 3, "2024-12-27 10:00");
    office.deadline("2024-12-21T03:00", 0, "2024-12-21 03:00");
}

/// Proves part of: L2
#[test]
fn a_night_belongs_to_the_day_on_which_it_starts() {
    let nights = nights();
    nights.worked_hours("2024-05-07T00:00", "2024-05-08T00:00", 6);
    nights.worked_hours("2024-05-08T00:00", "2024-05-09T00:00", 2);
    nights.worked_hours("2024-05-09T00:00", "2024-05-11T00:00", 6);
    nights.deadline("2024-05-07T05:00", 2, "2024-05-08 23:00");
}

/// Proves part of: L2
#[test]
fn a_make_up_day_counts() {
    let nights = nights();
    nights.worked_hours("2024-05-11T00:00", "2024-05-12T00:00", 8);
    nights.deadline("2024-05-09T06:00", 8, "2024-05-11 18:00");
    nights.worked_hours("2024-05-18T00:00", "2024-05-19T00:00", 0);
}

/// Proves part of: L2
#[test]
fn an_override_wins_over_a_holiday_and_a_holiday_over_the_week() {
    let week = r#""zone": "UTC", "weekly": {"wed": ["09:00-17:00"]}"#;
    let holiday = r#""holidays": ["2024-05-01"]"#;
    let spring = ("2024-05-01T00:00", "2024-05-02T00:00");
    clock(&format!("{{{week}}}")).worked_hours(spring.0, spring.1, 8);
    clock(&format!("{{{week}, {holiday}}}")).worked_hours(spring.0, spring.1, 0);
    let short = r#""overrides": {"2024-05-01": ["10:00-12:00"]}"#;
    clock(&format!("{{{week}, {holiday}, {short}}}")).worked_hours(spring.0, spring.1, 2);
    let closed = r#""overrides": {"2024-05-01": []}"#;
    clock(&format!("{{{week}, {closed}}}")).worked_hours(spring.0, spring.1, 0);
}

/// Proves part of: L2
#[test]
fn real_time_counts_when_the_clocks_change() {
    let early = clock(r#"{"zone": "Europe/Rome", "weekly": {"sun": ["01:00-05:00"]}}"#);
    early.worked_hours("2024-03-31T00:00", "2024-04-01T00:00", 3);
    early.worked_hours("2024-10-27T00:00", "2024-10-28T00:00", 5);
    early.worked_hours("2024-11-03T00:00", "2024-11-04T00:00", 4);
}

/// Proves part of: L2
#[test]
fn a_deadline_over_a_change_of_the_week_counts_both() {
    let office = clock(
        r#"{"zone": "Europe/Rome", "weekly": {"mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "wed": ["22:00-06:00"]},
            "holidays": ["2026-07-06"], "changes": [{"from": "2026-07-02", "weekly": {"thu": ["10:00-14:00"],
            "mon": ["10:00-14:00"]}}, {"from": "2026-07-13", "weekly": {"mon": ["08:00-12:00"]}}]}"#,
    );
    // Tuesday eight to five, the night of Wednesday still by the first week, then four hours a day.
    office.deadline("2026-06-30T16:00", 1 + 8 + 3, "2026-07-02 13:00");
    office.deadline("2026-06-30T16:00", 1 + 8 + 4 + 1, "2026-07-09 11:00");
    office.deadline("2026-07-09T12:00", 2 + 1, "2026-07-13 09:00");
    office.worked_hours("2026-06-30T16:00", "2026-07-13T10:00", 1 + 8 + 4 + 4 + 2);
    office.end_of_working_day("2026-07-01T23:00", 0, "2026-07-02 06:00");
    office.end_of_working_day("2026-07-01T12:00", 2, "2026-07-09 14:00");
}

/// Proves part of: L2
#[test]
fn the_same_hours_are_read_off_other_clocks() {
    let rome = office();
    let samoa = rome.calendar.in_zone("Pacific/Apia").unwrap();
    let samoa = Clock { calendar: samoa, zone: TimeZone::get("Pacific/Apia").unwrap() };
    samoa.deadline("2024-12-23T16:00", 3, "2024-12-24 11:00");
    samoa.worked_hours("2024-12-24T00:00", "2024-12-27T10:00", 8 + 1);
    assert_eq!(samoa.at("2024-12-24T09:00") + 12 * HOUR_US, rome.at("2024-12-24T09:00"));
    assert_eq!((rome.calendar.zone(), samoa.calendar.zone()), ("Europe/Rome", "Pacific/Apia"));
    assert!(rome.calendar.in_zone("Europe/Atlantis").is_none());
    let skipped = clock(r#"{"zone": "UTC", "overrides": {"2011-12-30": ["09:00-17:00"]}}"#).calendar;
    assert!(skipped.in_zone("Pacific/Apia").is_none(), "a date that zone did not have");
    let database = jiff::tz::TimeZoneDatabase::bundled();
    for zone in database.available().filter(|zone| zone.as_str().starts_with('A')).take(80) {
        assert_eq!(rome.calendar.in_zone(zone.as_str()).unwrap().zone(), zone.as_str());
    }
    assert_eq!(
        rome.calendar.in_zone("Pacific/Apia").unwrap().deadline(0, HOUR_US),
        samoa.calendar.deadline(0, HOUR_US)
    );
}

#[test]
fn it_opens_changes_and_closes() {
    let office = office();
    let [eight, nine, five] =
        ["2024-12-20T08:00", "2024-12-20T09:00", "2024-12-20T17:00"].map(|local| office.at(local));
    let monday = Some(office.at("2024-12-23T09:00"));
    let asked = |at| (office.calendar.is_open(at), office.calendar.next_open(at), office.calendar.next_change(at));
    assert_eq!(asked(eight), (false, Some(nine), Some(nine)));
    assert_eq!(asked(nine), (true, Some(nine), Some(five)));
    assert_eq!(asked(five - 1), (true, Some(five - 1), Some(five)));
    assert_eq!(asked(five), (false, monday, monday));
}

#[test]
fn round_the_clock_is_one_span_that_never_changes() {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| format!(r#""{day}": ["00:00-24:00"]"#));
    let always = clock(&format!(r#"{{"zone": "UTC", "weekly": {{{}}}}}"#, days.join(",")));
    assert_eq!(always.calendar.next_change(always.at("2024-05-01T12:00")), None);
    always.deadline("2024-05-01T12:00", 36, "2024-05-03 00:00");
    always.end_of_working_day("2024-05-01T12:00", 0, "2024-05-02 00:00");
}

#[test]
fn working_days_end_with_their_last_interval() {
    let office = office();
    office.end_of_working_day("2024-12-20T08:00", 0, "2024-12-20 17:00");
    office.end_of_working_day("2024-12-20T12:00", 0, "2024-12-20 17:00");
    office.end_of_working_day("2024-12-20T17:00", 0, "2024-12-23 17:00");
    office.end_of_working_day("2024-12-21T12:00", 0, "2024-12-23 17:00");
    for friday_or_later in ["2024-12-20T12:00", "2024-12-20T17:00", "2024-12-20T23:00", "2024-12-21T12:00"] {
        office.end_of_working_day(friday_or_later, 1, "2024-12-23 17:00");
        office.end_of_working_day(friday_or_later, 3, "2024-12-27 17:00");
    }
    office.end_of_working_day("2024-12-23T00:00", 1, "2024-12-24 17:00");
}

#[test]
fn an_overnight_day_lasts_until_the_morning() {
    let nights = nights();
    nights.end_of_working_day("2024-05-06T12:00", 0, "2024-05-07 06:00");
    nights.end_of_working_day("2024-05-07T02:00", 0, "2024-05-07 06:00");
    nights.end_of_working_day("2024-05-07T02:00", 1, "2024-05-09 06:00");
    nights.end_of_working_day("2024-05-09T05:00", 1, "2024-05-11 18:00");
    nights.end_of_working_day("2024-05-15T02:00", 1, "2024-05-16 06:00");
    nights.end_of_working_day("2024-05-15T06:00", 1, "2024-05-21 06:00");
}

#[test]
fn a_date_the_zone_skipped_is_no_working_day() {
    let samoa = clock(
        r#"{"zone": "Pacific/Apia", "weekly": {"thu": ["09:00-17:00", "22:00-06:00"],
        "fri": ["09:00-17:00"], "sat": ["09:00-12:00"]}}"#,
    );
    samoa.worked_hours("2011-12-29T00:00", "2011-12-31T00:00", 8 + 2);
    samoa.end_of_working_day("2011-12-29T12:00", 1, "2011-12-31 12:00");
}

#[test]
fn every_question_ends_at_the_horizon() {
    let once = clock(r#"{"zone": "UTC", "overrides": {"2024-05-01": ["09:00-17:00"]}}"#);
    once.deadline("2024-01-01T00:00", 8, "2024-05-01 17:00");
    once.deadline("2024-01-01T00:00", 9, "never");
    once.end_of_working_day("2024-01-01T00:00", 0, "2024-05-01 17:00");
    once.end_of_working_day("2024-01-01T00:00", 1, "2024-05-01 17:00");
    once.end_of_working_day("2024-01-01T00:00", 2, "never");
    let after = once.at("2024-05-01T17:00");
    assert_eq!((once.calendar.next_open(after), once.calendar.next_change(after)), (None, None));

    let office = office().calendar;
    for at in [Micros::MIN, -1, 0, HORIZON_END, Micros::MAX] {
        assert_eq!(office.worked(at, at), 0);
        assert!(!office.is_open(at));
        assert_eq!(office.deadline(at, i64::MAX), None);
        assert_eq!(office.end_of_working_day(at, u32::MAX), None);
    }
    assert_eq!(office.worked(Micros::MIN, Micros::MAX), office.worked(0, HORIZON_END));
    assert_eq!(office.end_of_working_day(Micros::MIN, 0), office.end_of_working_day(0, 0));
    assert_eq!(office.end_of_working_day(HORIZON_END, 0), None);
}

#[test]
fn the_horizon_cuts_what_reaches_over_it() {
    let new_york = clock(r#"{"zone": "America/New_York", "weekly": {"tue": ["20:00-20:00"]}}"#).calendar;
    assert_eq!(new_york.next_change(HORIZON_START), Some(HORIZON_START + HOUR_US));
    assert_eq!(new_york.worked(Micros::MIN, HORIZON_START), 0);
    assert_eq!(new_york.end_of_working_day(Micros::MIN, 0), Some(HORIZON_START + HOUR_US));

    let tokyo = clock(r#"{"zone": "Asia/Tokyo", "weekly": {"wed": ["08:00-17:00"]}}"#).calendar;
    assert_eq!(tokyo.worked(HORIZON_END - 5 * HOUR_US, Micros::MAX), HOUR_US);
    assert_eq!(tokyo.next_change(HORIZON_END - HOUR_US), None);
    assert_eq!(tokyo.end_of_working_day(HORIZON_END - HOUR_US, 0), None);
}
