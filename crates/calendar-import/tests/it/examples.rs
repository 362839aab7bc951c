//! What is imported, as it is written down.

use calendar_import::{Period, Source, document, import};

fn written(files: &[&str], opening_hours: Option<&str>) -> String {
    let files: Vec<_> = files.iter().map(|events| file(events)).collect();
    let period = Period::new("2026-01-01", "2027-12-31").unwrap();
    let source = Source { zone: "Europe/Berlin", files: &files, opening_hours, period };
    document("desk", &import(&source).unwrap())
}

pub(crate) fn file(events: &str) -> String {
    let events =
        events.replace("BEGIN", "BEGIN:VEVENT").replace("END\n", "END:VEVENT\n").replace("DAY:", ";VALUE=DATE:");
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n").replace('\n', "\r\n")
}

const CHRISTMAS: &str = "BEGIN\nUID:1\nSUMMARY:Christmas\\, both days\nDTSTARTDAY:20201225\nDTENDDAY:20201227\n\
    RRULE:FREQ=YEARLY\nEXDATEDAY:20271225\nTRANSP:TRANSPARENT\nEND\n";

/// Proves part of: L2
#[test]
fn days_off_are_written_out_with_their_names() {
    let moved = "BEGIN\nUID:2\nSUMMARY:Fair\nDTSTARTDAY:20260601\nRRULE:FREQ=YEARLY;UNTIL=20301231\nEND\n\
        BEGIN\nUID:2\nRECURRENCE-IDDAY:20270601\nSUMMARY:Fair\nDTSTARTDAY:20270603\nDURATION:P1D\nEND\n\
        BEGIN\nUID:3\nSUMMARY:Outing\nDTSTARTDAY:20260601\nEND\n\
        BEGIN\nUID:4\nSUMMARY:Called off\nSTATUS:CANCELLED\nDTSTARTDAY:20260701\nEND\n";
    assert_eq!(
        written(&[CHRISTMAS, moved], Some("Mo-Fr 08:00-17:00; PH off")),
        r#"kind: Calendar
name: "desk"
spec:
  zone: Europe/Berlin
  weekly:
    fri: ["08:00-17:00"]
    mon: ["08:00-17:00"]
    thu: ["08:00-17:00"]
    tue: ["08:00-17:00"]
    wed: ["08:00-17:00"]
  holidays:
    - {date: "2026-06-01", name: "Fair, Outing"}
    - {date: "2026-12-25", name: "Christmas, both days"}
    - {date: "2026-12-26", name: "Christmas, both days"}
    - {date: "2027-06-03", name: "Fair"}
"#
    );
}

/// Proves part of: L2
#[test]
fn seasons_become_changes_and_dates_overrides() {
    let rules = "Mo-Fr 08:00-12:00,13:00-17:00; Jul-Aug Mo-Th 08:00-14:00; Jul-Aug Fr off; 2026 Dec 24 08:00-12:00";
    let text = written(&[], Some(rules));
    let changes = text.split_once("  changes:\n").unwrap().1;
    assert_eq!(changes.matches("from:").count(), 4, "{text}");
    assert!(
        changes.starts_with("    - from: \"2026-07-01\"\n      weekly:\n        mon: [\"08:00-14:00\"]\n"),
        "{text}"
    );
    assert!(text.contains("  overrides:\n    \"2026-12-24\": [\"08:00-12:00\"]\n  changes:"), "{text}");
}

#[test]
fn days_off_are_closed_unless_a_rule_opens_them() {
    let sunday = "BEGIN\nDTSTARTDAY:20260501\nEND\n";
    let closed = written(&[sunday], Some("Mo-Fr 08:00-17:00"));
    assert!(closed.contains("  holidays:\n    - \"2026-05-01\"\n") && !closed.contains("overrides"), "{closed}");
    let open = written(&[sunday], Some("Mo-Fr 08:00-17:00; PH 10:00-12:00"));
    assert!(open.contains("  overrides:\n    \"2026-05-01\": [\"10:00-12:00\"]\n"), "{open}");
}

#[test]
fn a_night_ends_where_a_later_rule_is_about_the_next_day() {
    let text = written(&[], Some("Mo-Fr 22:00-06:00; Sa off"));
    assert!(text.contains("fri: [\"22:00-24:00\"]\n    mon: [\"22:00-06:00\"]"), "{text}");
    let text = written(&[], Some("Mo-Fr 22:00-06:00, Sa 10:00-12:00"));
    assert!(text.contains("fri: [\"22:00-06:00\"]") && text.contains("sat: [\"10:00-12:00\"]"), "{text}");
}

#[test]
fn days_off_alone_are_no_calendar_yet() {
    let text = written(&["BEGIN\nDTSTARTDAY:20260501\nDTENDDAY:20260501\nSUMMARY:May \"Day\"\nEND\n"], None);
    assert!(text.ends_with("  holidays:\n    - {date: \"2026-05-01\", name: \"May \\\"Day\\\"\"}\n"), "{text}");
}
