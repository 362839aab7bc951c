//! What may not change an outcome, and what must.

use std::fs;
use std::io::Write;
use std::sync::Arc;

use analytics::{Analytics, Definition, Window};
use decider::Tenant;
use eventlog::store::Select;
use eventlog::{Clock, Keys, Log, Service, Sqlite, Store};
use flate2::Compression;
use flate2::write::GzEncoder;
use simulator::replay::{Options, Outcome, ReplayError, run};
use tempfile::TempDir;

use crate::replay;
use crate::written;

/// Forty tickets over some weeks, with waits, reopenings, ties and agents that are none.
pub(crate) fn log() -> Vec<String> {
    let course = [
        ("Queued", "queue", "open"),
        ("Accepted/In Progress", "accept", "in_progress"),
        ("Accepted/Wait", "wait", "waiting"),
        ("Accepted/In Progress", "resume", "in_progress"),
        ("Solved", "resolve", "resolved"),
        ("Accepted/In Progress", "reopen", "in_progress"),
        ("Completed/Closed", "close", "closed"),
    ];
    let agents = ["ann", "bob", "?", "", "Siebel", "ann", "cat"];
    let mut lines = Vec::new();
    for ticket in 0..40_usize {
        let steps = course.len() - ticket % 4;
        for (seq, (activity, kind, state)) in course[..steps].iter().enumerate() {
            let hours = ticket * 7 + seq * (ticket % 5) * 11;
            let (day, hour) = (1 + hours / 24, hours % 24);
            let agent = agents[(ticket + seq) % agents.len()];
            lines.push(format!(
                "{{\"log\":\"l\",\"ticket\":\"t{ticket}\",\"seq\":{seq},\"ts\":\"2024-03-{day:02}T{hour:02}:00:00Z\",\
                 \"activity\":\"{activity}\",\"kind\":\"{kind}\",\"state\":\"{state}\",\"agent\":\"{agent}\",\
                 \"group\":\"g{}\",\"priority\":\"p{}\",\"product\":\"\",\"customer\":\"c\"}}",
                ticket % 3,
                ticket % 2,
            ));
        }
    }
    lines
}

/// Everything that is written out.
fn written_out(outcome: &Outcome) -> (&str, &str, &[u8], &[u8]) {
    (&outcome.json, &outcome.backlog_json, &outcome.tickets_csv, &outcome.due_csv)
}

fn with(options: Options) -> Result<Outcome, ReplayError> {
    let folder = TempDir::new().unwrap();
    run(&Options { file: written(&folder, &log()), ..options }, &mut |_, _| {})
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let mut lines = log();
    let plain = replay(&lines);
    assert_eq!(written_out(&plain), written_out(&replay(&lines)));
    assert!(plain.fired > 50, "{}", plain.fired);
    lines.sort_by_key(|line| (line.len(), line.bytes().rev().collect::<Vec<_>>()));
    lines.extend(log());
    let shuffled = replay(&lines);
    assert_eq!(written_out(&plain), written_out(&shuffled));
    assert_eq!((shuffled.rows, shuffled.duplicates), (log().len(), log().len()));
}

#[test]
fn gzip_marks_line_ends_and_offsets_do_not_matter() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("log");
    let text = log()
        .join("\r\n\r\n")
        .replace("00:00Z\"", "00:00.000+00:00\"")
        .replace("\"ticket\"", "\"extra\":[1],\"ticket\"");
    let mut gzip = GzEncoder::new(fs::File::create(&file).unwrap(), Compression::fast());
    gzip.write_all(b"\xef\xbb\xbf").unwrap();
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap();
    let outcome = run(&Options { file, ..Options::default() }, &mut |_, _| {}).unwrap();
    assert_eq!(outcome.refused, []);
    assert_eq!(written_out(&outcome), written_out(&replay(&log())));
}

#[test]
fn what_is_a_reaction_can_be_said() {
    let plain = with(Options::default()).unwrap();
    let none = with(Options { reactions: vec!["*".into(), "!*".into()], ..Options::default() }).unwrap();
    assert_eq!((plain.report.never_responded, none.report.never_responded), (0, 40));
    assert!(none.fired > plain.fired);
    let any = with(Options { reactions: vec!["*ed".into()], ..Options::default() }).unwrap();
    assert_eq!(
        any.report.resp_h_business.max.to_string(),
        "0",
        "the first fact is a reaction: {:?}",
        any.report.resp_h_business
    );
}

#[test]
fn robots_can_be_named() {
    let plain = with(Options::default()).unwrap().report.agents;
    let robots =
        with(Options { robots: vec!["ann".into(), "bob".into()], ..Options::default() }).unwrap().report.agents;
    assert_eq!((plain, robots), (3, 2), "Siebel counts once others are the robots");
}

/// Proves part of: L9
#[test]
fn a_policy_and_calendars_can_be_named() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let day = "[\"00:00-24:00\"]";
    let always = format!(
        "kind: Calendar\nname: always\nspec:\n  zone: UTC\n  weekly: {{mon: {day}, tue: {day}, wed: {day}, thu: {day}, fri: {day}, sat: {day}, sun: {day}}}\n"
    );
    let policy = "kind: SlaPolicy\nname: mine\nspec:\n  calendar: office\n  clocks:\n    first_response: {target: {p0: 1h}, marks: [25, 50], stop: [\"Accepted*\"]}\n";
    let options = Options {
        policy: Some(path("policy.yaml", policy)),
        calendars: vec![path("always.yaml", &always), "office".into()],
        ..Options::default()
    };
    let outcome = with(options.clone()).unwrap();
    let names: Vec<_> = outcome.report.sla.iter().map(|(name, _)| name.as_str()).collect();
    let base = ["resp_breach", "res_breach", "res_breach_net"];
    let office = ["resp_breach_office", "res_breach_office", "res_breach_net_office"];
    assert_eq!(names, [base, office].concat());
    assert!(String::from_utf8_lossy(&outcome.due_csv).starts_with("ticket,resp_25,resp_50,resp_100\n"));
    let by_priority: Vec<_> = outcome.report.sla_by_priority.iter().map(|(name, sla)| (&**name, sla.resp)).collect();
    assert!(by_priority[0].1 > 0 && by_priority[1] == ("p1", 0), "{by_priority:?}");
    let twice = Options { calendars: vec!["office".into(), "office".into()], ..options.clone() };
    assert!(matches!(with(twice), Err(ReplayError::Documents(_))));
    let unknown = Options { policy: Some("no such".into()), ..options.clone() };
    assert!(matches!(with(unknown), Err(ReplayError::Documents(_))));
    let faulty = Options { policy: Some(path("bad.yaml", &policy.replace("1h", "soon"))), ..options };
    let Err(ReplayError::Documents(complaints)) = with(faulty) else { panic!() };
    assert!(complaints[0].contains("SlaPolicy mine: /clocks/first_response/target"), "{complaints:?}");
}

/// The log that is kept holds the thresholds as sla-monitor's events, and analytics reads the same figures out of it.
///
/// Proves part of: A2, X2
#[tokio::test]
async fn the_log_is_kept() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("kept.db");
    let options = Options { log: Some(file.clone()), ..Options::default() };
    let again = options.clone();
    let outcome = tokio::task::spawn_blocking(move || with(options)).await.unwrap().unwrap();
    let store = Arc::new(Sqlite::open_read_only(&file).await.unwrap());
    assert_eq!(store.head().await.unwrap().position.unsigned_abs(), outcome.events);
    let kinds = store.read(&Select::All, None, 0, 100_000).await.unwrap().into_iter().map(|row| row.kind);
    assert_eq!(kinds.filter(|kind| kind == "WarningRaised" || kind == "Breached").count(), outcome.fired);
    let service = Service::<Analytics>::start(Log::open(store, Keys::memory(9)), Clock::by_hand(0)).await.unwrap();
    let report = service.view(|state| {
        let tenant = Tenant::new("replay");
        let (definition, _) = Definition::of(state.ledger(&tenant).unwrap(), "default").unwrap();
        analytics::report(state, &tenant, &definition, &Window::default())
    });
    assert_eq!(report, outcome.report);
    let again = tokio::task::spawn_blocking(move || with(again)).await.unwrap();
    assert!(again.is_err(), "it holds a log already");
}
