//! Random opening hours beside `opening_hours.js`, random series of days off beside dateutil. There must be no difference.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use calendar::Calendar;
use calendar_import::{Period, Source, import};
use serde::Deserialize;

const SECOND_US: i64 = 1_000_000;
/// The spans that `opening_hours.js` was asked for, in seconds: 2026-01-05 to 2027-12-27.
const ASKED: (i64, i64) = (1_767_571_200, 1_829_865_600);

#[derive(Deserialize)]
struct Opening {
    rules: String,
    open: Vec<(i64, i64)>,
}

#[derive(Deserialize)]
struct Series {
    file: String,
    days: Vec<String>,
}

/// Proves part of: L2
#[test]
fn opening_hours_are_open_when_their_reference_implementation_says() {
    let peers = root().join("tests/peers/calendar");
    if !installed(&peers.join("node_modules")) {
        return;
    }
    let answered = answer(Command::new("node").arg(peers.join("opening.mjs")).args(["1", "120"]));
    let mut lines = answered.lines().map(|line| serde_json::from_str::<Opening>(line).unwrap());
    let holidays = days_off(&lines.next().unwrap().open);
    let mut checked = 0;
    for line in lines {
        let period = Period::new("2026-01-03", "2027-12-30").unwrap();
        let files = std::slice::from_ref(&holidays);
        let spec = import(&Source { zone: "UTC", files, opening_hours: Some(&line.rules), period });
        let spec = spec.unwrap_or_else(|faults| panic!("{}: {faults:?}", line.rules));
        assert_eq!(open(&Calendar::compile(&spec).unwrap()), line.open, "{}: {spec:?}", line.rules);
        checked += line.open.len();
    }
    assert!(checked > 20_000, "{checked}");
}

/// Proves part of: L2
#[test]
fn series_of_days_off_are_those_dateutil_finds() {
    let python = env::var_os("DOCKET_PEERS_PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
    if !installed(&python) {
        return;
    }
    let program = root().join("tests/peers/calendar/series.py");
    let answered = answer(Command::new(python).arg(program).args(["1", "300"]));
    let mut checked = 0;
    for line in answered.lines() {
        let Series { file, days } = serde_json::from_str(line).unwrap();
        let period = Period::new("2026-01-01", "2031-12-31").unwrap();
        let source = Source { zone: "UTC", files: std::slice::from_ref(&file), opening_hours: None, period };
        let spec = import(&source).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        let ours: Vec<_> = spec.holidays.iter().map(|holiday| holiday.date().to_owned()).collect();
        assert_eq!(ours, days, "{file}");
        checked += days.len();
    }
    assert!(checked > 3_000, "{checked}");
}

/// A calendar's spans within what was asked, in seconds.
fn open(calendar: &Calendar) -> Vec<(i64, i64)> {
    let (mut at, end) = (ASKED.0 * SECOND_US, ASKED.1 * SECOND_US);
    let mut spans = Vec::new();
    while let Some(opens) = calendar.next_open(at).filter(|opens| *opens < end) {
        at = calendar.next_change(opens).unwrap_or(end).min(end);
        spans.push((opens / SECOND_US, at / SECOND_US));
    }
    spans
}

/// An iCalendar file with an all-day event for each span.
fn days_off(spans: &[(i64, i64)]) -> String {
    let date = |secs: i64| chrono::DateTime::from_timestamp(secs, 0).unwrap().format("%Y%m%d").to_string();
    let event = |&(from, to): &(i64, i64)| {
        format!("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\nEND:VEVENT\r\n", date(from), date(to))
    };
    format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", spans.iter().map(event).collect::<String>())
}

fn answer(command: &mut Command) -> String {
    let asked = command.output().unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

fn installed(place: &Path) -> bool {
    if !place.exists() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "no peers at {}", place.display());
        eprintln!("SKIPPED: no peers at {}; `make setup` installs them", place.display());
    }
    place.exists()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
