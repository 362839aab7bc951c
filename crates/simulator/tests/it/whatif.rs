//! Other policies laid under real logs: what is told is what a replay under that policy fires.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use decider::Tenant;
use eventlog::{Clock, Keys, Log, Service, Sqlite};
use simulator::replay::{Options, Rows, rows, run};
use sla_monitor::SlaMonitor;
use sla_monitor::whatif::{Page, Plan};
use tempfile::TempDir;
use ticket::batch::Draft;
use ticket::codec::rfc3339;
use uuid::Uuid;

use crate::{invariance, real, written};

/// Other targets; the same marks, so that the same columns are written.
const OTHER: &str = r#"
kind: SlaPolicy
name: work-order-log
spec:
  calendar: office
  clocks:
    first_response: {target: 3h, marks: [75], stop: ["Accepted*", "Resolve*"]}
    resolution: {target: 60h, marks: [50, 75, 90], run_while: [open, in_progress, waiting]}
"#;
/// The pack's own, said in other words.
const SAME: &str = r#"
kind: SlaPolicy
name: work-order-log
spec:
  calendar: office
  rank: 3
  clocks:
    first_response: {target: 8h, marks: [75], stop: ["Take in charge ticket", "Accepted*", "Completed*"]}
    resolution: {target: 40h, marks: [50, 75, 90], run_while: [open, in_progress]}
"#;

fn drafts(text: &str) -> Vec<Draft> {
    let documents = ticket::yaml::parse(text).unwrap_or_else(|faults| panic!("{faults:?}"));
    documents.into_iter().map(|one| Draft { kind: one.kind, name: one.name, spec: one.spec, reason: None }).collect()
}

/// When what fired, by ticket and column.
type Fired = BTreeMap<(String, String), String>;

fn fired(due: &[u8]) -> Fired {
    let mut reader = csv::Reader::from_reader(due);
    let columns = reader.headers().unwrap().clone();
    let rows = reader.records().map(Result::unwrap);
    let cells = rows.flat_map(|row| {
        let ticket = row[0].to_owned();
        let cells = columns
            .iter()
            .zip(row.iter())
            .skip(1)
            .map(move |(column, at)| ((ticket.clone(), column.to_owned()), at.to_owned()));
        cells.collect::<Vec<_>>()
    });
    cells.filter(|(_, at)| !at.is_empty()).collect()
}

/// What a log fired, with what differs under other documents applied to it.
fn told(before: &Fired, page: &Page, rows: &Rows) -> Fired {
    let tickets: BTreeMap<_, _> =
        rows.rows.iter().map(|row| (id(&rows.log, &row.ticket), row.ticket.clone())).collect();
    let mut fired = before.clone();
    for one in &page.differences {
        for change in &one.changes {
            let clock = if change.clock == "resolution" { "res" } else { "resp" };
            let key = (tickets[&one.ticket].clone(), format!("{clock}_{}", change.share_bp / 100));
            assert_eq!(fired.get(&key), change.was.map(rfc3339).as_ref(), "{key:?} is told as it was");
            match change.would_be {
                Some(at) => drop(fired.insert(key, rfc3339(at))),
                None => drop(fired.remove(&key)),
            }
        }
    }
    fired
}

fn id(log: &str, ticket: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{log}\0{ticket}").as_bytes())
}

fn page(log: &Path, text: &str, end: i64) -> Page {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(Sqlite::open_read_only(log).await.unwrap());
        let clock = Clock::by_hand(0);
        let service = Service::<SlaMonitor>::start(Log::open(store, Keys::memory(9)), clock).await.unwrap();
        service.view(|state| {
            let tenant = Tenant::new("replay");
            let plan = Plan::of(state, &tenant, &drafts(text), (None, end), i64::MAX);
            plan.page(state, &tenant, None, (usize::MAX, usize::MAX))
        })
    })
}

/// Replays a log; what was in force gives no difference. What another policy gives, and what was.
fn unchanged(file: &Path) -> (Page, Rows, Fired) {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.db");
    let options = Options { file: file.to_owned(), log: Some(log.clone()), ..Options::default() };
    let was = fired(&run(&options, &mut |_, _| {}).unwrap().due_csv);
    // Nothing fires after the log's last line.
    let rows = rows::read(file).unwrap();
    let end = rows.rows.last().unwrap().at + 1;
    assert_eq!(page(&log, "", end).differences, [], "what was in force");
    assert_eq!(page(&log, SAME, end).differences, [], "the same in other words");
    (page(&log, OTHER, end), rows, was)
}

fn check(file: &Path) {
    let (page, rows, was) = unchanged(file);
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("other.yaml");
    std::fs::write(&policy, OTHER).unwrap();
    let other = Options { file: file.to_owned(), policy: Some(policy.display().to_string()), ..Options::default() };
    let other = fired(&run(&other, &mut |_, _| {}).unwrap().due_csv);
    assert_ne!(was, other, "the policies differ");
    assert_eq!(told(&was, &page, &rows), other);
}

/// Proves part of: L9
#[test]
fn a_generated_log_is_told_as_it_is_replayed() {
    let folder = TempDir::new().unwrap();
    check(&written(&folder, &invariance::log()));
}

/// Proves part of: L9
#[test]
fn what_was_in_force_gives_no_difference_on_the_help_desk() {
    let Some(folder) = real("helpdesk") else { return };
    let (page, rows, was) = unchanged(&folder.join("events.jsonl.gz"));
    assert_ne!(told(&was, &page, &rows), was, "the policies differ");
}

/// Proves part of: L9
#[test]
fn the_problems_are_told_as_they_are_replayed() {
    let Some(folder) = real("problems") else { return };
    check(&folder.join("events.jsonl.gz"));
}
