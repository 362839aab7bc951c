//! What cannot be said is refused by name, everything at once.

use calendar_import::{Period, Source, import};

use crate::examples::file;

#[track_caller]
fn check(files: &[String], opening_hours: Option<&str>, expected: &[&str]) {
    let period = Period::new("2026-01-01", "2060-12-31").unwrap();
    let faults = import(&Source { zone: "UTC", files, opening_hours, period }).unwrap_err();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let starts = faults.iter().zip(expected).all(|(fault, start)| fault.starts_with(start));
    assert!(starts && faults.len() == expected.len(), "{faults:#?}");
}

/// Proves part of: L2
#[test]
fn opening_hours_that_cannot_be_said_are_named() {
    for (rules, expected) in [
        ("Mo-Fr 08:00-sunset", r#"/opening_hours/rules/0: "Mo-Fr 08:00-sunset": sunset moves with the sun"#),
        ("Mo-Fr 08:00+", r#"/opening_hours/rules/0: "Mo-Fr 08:00+": an open end (+)"#),
        ("Mo-Fr 08:00-18:00/30", r#"/opening_hours/rules/0: "Mo-Fr 08:00-18:00/30": times that repeat"#),
        ("Mo-Fr 08:00-17:00 unknown", r#"/opening_hours/rules/0: "Mo-Fr 08:00-17:00 unknown": `unknown`"#),
        ("Mo-Fr 08:00-17:00 \"ring\"", r#"/opening_hours/rules/0: "Mo-Fr 08:00-17:00 \"ring\"": the comment"#),
        ("Mo-Fr 08:00-17:00 || Sa 09:00-12:00", r#"/opening_hours/rules/1: "Sa 09:00-12:00": a fallback"#),
        ("Mo-Fr 08:00-17:00; PH off", r#"/opening_hours/rules/1: "PH closed": public holidays (PH) are not known"#),
        ("Mo-Fr 08:00-17:00; SH off", r#"/opening_hours/rules/1: "SH closed": school holidays (SH)"#),
        ("Mo-Fr, Sa 08:00-17:00", r#"/opening_hours: "Mo-Fr, Sa" can be read in more than one way"#),
        ("Mo-Fr 8 to 5", "/opening_hours: cannot be read"),
        ("Mo-Fr off", "/weekly: no working time from 1970 to 2069"),
        ("Mo-Fr 08:00-17:00; Jul-Aug off", "/until: the week changes 70 times"),
    ] {
        check(&[], Some(rules), &[expected]);
    }
    check(
        &[],
        Some("Mo-Fr sunrise-17:00; SH off; Sa 10:00+"),
        &[
            r#"/opening_hours/rules/0: "Mo-Fr sunrise-17:00": sunrise"#,
            "/opening_hours/rules/1",
            "/opening_hours/rules/2",
        ],
    );
}

/// Proves part of: L2
#[test]
fn events_that_are_no_days_off_are_named() {
    let events = "BEGIN\nUID:1\nSUMMARY:Party\nDTSTART:20261224T120000Z\nEND\n\
        BEGIN\nUID:2\nSUMMARY:Perhaps\nSTATUS:TENTATIVE\nDTSTARTDAY:20260101\nEND\n\
        BEGIN\nUID:3\nSUMMARY:Ghost\nEND\n\
        BEGIN\nUID:4\nSUMMARY:Back\nDTSTARTDAY:20260105\nDTENDDAY:20260101\nEND\n\
        BEGIN\nUID:5\nSUMMARY:Clock\nDTSTARTDAY:20260105\nRRULE:FREQ=HOURLY\nEND\n\
        BEGIN\nUID:6\nSUMMARY:Odd\nDTSTARTDAY:20260105\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1\nEND\n\
        BEGIN\nUID:7\nSUMMARY:Ex\nDTSTARTDAY:20260105\nRRULE:FREQ=YEARLY\nEXRULE:FREQ=YEARLY;INTERVAL=2\nEND\n\
        BEGIN\nUID:8\nSUMMARY:Nap\nDTSTARTDAY:20260105\nDURATION:PT3H\nEND\n";
    check(
        &[file(events)],
        None,
        &[
            r#"/files/0/events/0/DTSTART: of "Party" is "20261224T120000Z", not a date alone"#,
            r#"/files/0/events/1/STATUS: of "Perhaps" is TENTATIVE"#,
            r#"/files/0/events/4/RRULE: of "Clock" repeats by the clock"#,
            r#"/files/0/events/6/EXRULE: of "Ex" cannot be said"#,
            r#"/files/0/events/7/DURATION: of "Nap" is not a number of days"#,
            r#"/files/0/events/2: "Ghost" has no DTSTART"#,
            r#"/files/0/events/3: "Back" ends before it starts"#,
            r#"/files/0/events/5: "Odd" starts on 2026-01-05, which is no day of its own RRULE"#,
        ],
    );
}

#[test]
fn what_is_no_calendar_file_is_refused() {
    let lost = file("BEGIN\nDTSTARTDAY:20260101\nEND\nBEGIN\nthis is no property\nEND\n");
    for text in [String::new(), "<html>".to_owned(), "BEGIN:VCARD\r\nFN:Ann\r\nEND:VCARD\r\n".to_owned(), lost] {
        check(&[text], None, &["/files/0: is not iCalendar"]);
    }
    let todo = "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n".to_owned();
    check(&[todo], None, &["/files/0: has a VTODO"]);
}

#[test]
fn a_period_and_a_zone_are_checked() {
    let paths =
        |first, last| Period::new(first, last).unwrap_err().into_iter().map(|fault| fault.path).collect::<Vec<_>>();
    assert_eq!(paths("1.1.2026", "2080-01-01"), ["/from", "/until"]);
    assert_eq!(paths("2026-01-02", "2026-01-01"), ["/until"]);
    let period = Period::new("2026-01-01", "2026-12-31").unwrap();
    let nowhere = Source { zone: "Mars/Base", files: &[], opening_hours: Some("Mo-Fr 09:00-17:00"), period };
    assert!(import(&nowhere).unwrap_err().iter().any(|fault| fault.path == "/zone"));
}
