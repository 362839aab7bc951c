//! A wrong spec is refused with everything that is wrong with it.

use calendar::{Calendar, Spec};

#[track_caller]
fn check(spec: &str, expected: &[&str]) {
    let spec: Spec = serde_json::from_str(spec).unwrap();
    let faults = Calendar::compile(&spec).unwrap_err();
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn all_faults_are_named_at_once() {
    check(
        r#"{"zone": "Europe/Atlantis", "weekly": {"mon": ["09:00-17", "09:00-12:00", "11:00-13:00"], "mo/n": []},
            "holidays": ["2024-02-30", "2024-12-25", {"date": "2024-12-25", "name": "Natale"}, "1969-12-31"],
            "overrides": {"2024-1-1": [], "2070-01-01": [], "2024-05-01": ["25:00-26:00"]}}"#,
        &[
            r#"/zone: "Europe/Atlantis" is not an IANA time zone"#,
            r#"/weekly/mo~1n: "mo/n" is none of mon, tue, wed, thu, fri, sat, sun"#,
            r#"/weekly/mon/0: "09:00-17" is not an interval HH:MM-HH:MM"#,
            "/weekly/mon/2: 11:00-13:00 overlaps 09:00-12:00",
            r#"/holidays/0: "2024-02-30" is not a date YYYY-MM-DD"#,
            "/holidays/2: 2024-12-25 is listed twice",
            "/holidays/3: 1969-12-31 is not from 1970 to 2069",
            r#"/overrides/2024-05-01/0: "25:00-26:00" is not an interval HH:MM-HH:MM"#,
            r#"/overrides/2024-1-1: "2024-1-1" is not a date YYYY-MM-DD"#,
            "/overrides/2070-01-01: 2070-01-01 is not from 1970 to 2069",
        ],
    );
}

#[test]
fn a_night_must_not_run_into_the_next_day() {
    check(
        r#"{"zone": "UTC", "weekly": {"sun": ["12:00-13:00", "22:00-06:00"], "mon": ["05:59-12:00"]}}"#,
        &["/weekly/sun/1: 22:00-06:00 runs into 05:59-12:00 of mon"],
    );
    check(
        r#"{"zone": "UTC", "weekly": {"wed": ["22:00-06:00"]}, "overrides": {"2024-05-02": ["10:00-12:00",
            "04:00-05:00"]}}"#,
        &["/overrides/2024-05-02/1: 04:00-05:00 starts before 22:00-06:00 of the day before ends"],
    );
    check(
        r#"{"zone": "UTC", "weekly": {"thu": ["05:00-12:00"]}, "overrides": {"2024-05-01": ["22:00-06:00"]}}"#,
        &["/overrides/2024-05-01/0: 22:00-06:00 runs into 05:00-12:00 of the next day"],
    );
}

#[test]
fn intervals_may_meet() {
    let spec = r#"{"zone": "UTC", "weekly": {"sun": ["09:00-12:00", "22:00-06:00", "12:00-13:00"],
        "mon": ["06:00-06:00"], "tue": ["06:00-24:00"]}}"#;
    let spec: Spec = serde_json::from_str(spec).unwrap();
    assert!(Calendar::compile(&spec).is_ok());
}

#[test]
fn a_calendar_without_working_time_is_refused() {
    for empty in [
        r#"{"zone": "UTC"}"#,
        r#"{"zone": "UTC", "weekly": {"mon": []}, "overrides": {"2024-05-01": []}}"#,
        r#"{"zone": "Pacific/Apia", "overrides": {"2011-12-30": ["09:00-17:00"]}}"#,
    ] {
        check(empty, &["/weekly: no working time from 1970 to 2069"]);
    }
}

#[test]
fn a_day_has_at_most_sixteen_intervals() {
    let intervals: Vec<String> = (0..17).map(|hour| format!(r#""{hour:02}:00-{hour:02}:30""#)).collect();
    check(
        &format!(r#"{{"zone": "UTC", "weekly": {{"mon": [{}]}}}}"#, intervals.join(",")),
        &["/weekly/mon: more than 16 intervals"],
    );
}

#[test]
fn a_spec_is_written_as_it_was_read() {
    let text = r#"{"zone":"UTC","weekly":{"mon":["09:00-17:00"]},"holidays":["2024-05-01",{"date":"2024-12-25","name":"Natale"}],"overrides":{"2024-05-04":["09:00-12:00"]}}"#;
    let spec: Spec = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&spec).unwrap(), text);
}

#[test]
fn an_unknown_field_is_refused() {
    for text in [r#"{"zone": "UTC", "shifts": []}"#, r#"{"zone": "UTC", "holidays": [{"date": "2024-05-01"}]}"#] {
        assert!(serde_json::from_str::<Spec>(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_written_is_read_and_resolved_at_once() {
    let read = |text: &str| Calendar::read(&mut serde_json::Deserializer::from_str(text));
    assert!(read(r#"{"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}}"#).is_ok());
    let paths = |text| read(text).unwrap_err().into_iter().map(|fault| fault.path).collect::<Vec<_>>();
    assert_eq!(paths(r#"{"zone": "Mars/Base", "weekly": {"mon": ["9-17"]}}"#), ["/zone", "/weekly/mon/0"]);
    assert_eq!(paths(r#"{"weekly": {}}"#), [""], "what is no spec is one fault of the whole");
}

/// Proves part of: L2
#[test]
fn changes_that_contradict_each_other_are_named() {
    check(
        r#"{"zone": "UTC", "weekly": {"tue": ["22:00-06:00"]}, "changes": [
            {"from": "2026-07-01", "weekly": {"wed": ["12:00-13:00", "05:00-11:00"]}},
            {"from": "2026-07-01", "weekly": {"thu": ["09:00-17:00"], "someday": []}},
            {"from": "1.8.2026", "weekly": {"sun": ["20:00-06:00"], "mon": ["05:00-06:00", "25:00-26:00"]}}]}"#,
        &[
            r#"/changes/1/weekly/someday: "someday" is none of mon, tue, wed, thu, fri, sat, sun"#,
            "/changes/1/from: 2026-07-01 is where /changes/0 begins",
            r#"/changes/2/weekly/mon/1: "25:00-26:00" is not an interval HH:MM-HH:MM"#,
            "/changes/2/weekly/sun/0: 20:00-06:00 runs into 05:00-06:00 of mon",
            r#"/changes/2/from: "1.8.2026" is not a date YYYY-MM-DD"#,
        ],
    );
    check(
        r#"{"zone": "UTC", "weekly": {"tue": ["22:00-06:00"]}, "changes": [
            {"from": "2026-07-01", "weekly": {"wed": ["12:00-13:00", "05:00-11:00"]}}]}"#,
        &["/changes/0/weekly/wed/1: 05:00-11:00 starts before 22:00-06:00 of the day before ends"],
    );
    let no_clash = r#"{"zone": "UTC", "weekly": {"tue": ["22:00-06:00"]}, "holidays": ["2026-06-30"], "changes": [
        {"from": "2026-07-01", "weekly": {"wed": ["05:00-11:00"]}}]}"#;
    assert!(Calendar::compile(&serde_json::from_str(no_clash).unwrap()).is_ok(), "that night is not worked");
}

#[test]
fn a_last_change_without_working_time_is_refused() {
    check(
        r#"{"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}, "changes": [{"from": "2026-09-01", "weekly": {}},
            {"from": "2026-07-01", "weekly": {"mon": ["09:00-12:00"]}}]}"#,
        &["/changes/0/weekly: no working time from 2026-09-01 to 2069"],
    );
    let season = r#"{"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}, "changes": [{"from": "2026-07-01", "weekly": {}},
        {"from": "2026-09-01", "weekly": {"mon": ["09:00-17:00"]}}]}"#;
    assert!(Calendar::compile(&serde_json::from_str(season).unwrap()).is_ok());
    let many: Vec<String> = (0..65).map(|n| format!(r#"{{"from": "20{n:02}-01-01", "weekly": {{}}}}"#)).collect();
    check(&format!(r#"{{"zone": "UTC", "changes": [{}]}}"#, many.join(",")), &["/changes: more than 64 changes"]);
}
