//! Two real help desks: every threshold of every ticket, against instants computed by others.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::{Value, json};
use sla_monitor::clock::{self, Seen};
use sla_monitor::policy::Policy;
use sla_monitor::scene::{About, Profile};
use ticket::intake::Status;
use ticket::sla::SlaEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::world::{World, compiled, line, office};

struct Line {
    at: i64,
    seq: u64,
    activity: String,
    status: Status,
}

/// The folder of a log, nothing if it is not here; on CI that is a failure.
#[expect(clippy::disallowed_methods, reason = "a test asks whether it may be skipped")]
fn folder(log: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(log);
    if path.is_dir() {
        return Some(path);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{} is absent", path.display());
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

fn lines(folder: &std::path::Path) -> BTreeMap<String, Vec<Line>> {
    let file = File::open(folder.join("events.jsonl.gz")).unwrap();
    let mut tickets = BTreeMap::<String, Vec<Line>>::new();
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        tickets.entry(text("ticket")).or_default().push(Line {
            at: text("ts").parse::<Timestamp>().unwrap().as_microsecond(),
            seq: line["seq"].as_u64().unwrap(),
            activity: text("activity"),
            status: serde_json::from_value(line["state"].clone()).unwrap(),
        });
    }
    for lines in tickets.values_mut() {
        lines.sort_by_key(|line| (line.at, line.seq));
    }
    tickets
}

#[track_caller]
fn check(log: &str, reactions: &[&str]) {
    let Some(folder) = folder(log) else { return };
    let calendar = compiled(office("Europe/Rome"));
    let policy = Policy::read(&json!({"calendar": "rome", "clocks": {
        "response": {"target": "8h", "marks": [75], "stop": reactions, "cancel": []},
        "solution": {"target": "40h", "marks": [50, 75, 90], "run_while": ["open", "in_progress"], "cancel": []},
    }}))
    .unwrap();
    let profile = Profile::default();
    let about = About { ticket_type: "", imported: true, profile: &profile };
    let tickets = lines(&folder);
    let end = tickets.values().flatten().map(|line| line.at).max().unwrap();
    let mut compared = 0;
    let mut fired = 0;
    for row in csv::Reader::from_reader(GzDecoder::new(File::open(folder.join("due.csv.gz")).unwrap())).records() {
        let row = row.unwrap();
        let mut ours = vec![row[0].to_owned()];
        for spec in &policy.clocks {
            let seen = |line: &'_ Line| Seen { status: Some(line.status), ..Seen::of(line.at, "") };
            let seen = tickets[&row[0]].iter().map(|line| Seen { activity: &line.activity, ..seen(line) });
            let marks = clock::run(spec, &calendar, about, seen).unwrap().marks;
            ours.extend(spec.shares_bp.iter().map(|share| {
                let mark = marks.iter().find(|mark| mark.share_bp == *share && mark.at <= end);
                fired += usize::from(mark.is_some());
                mark.map_or(String::new(), |mark| Timestamp::from_microsecond(mark.at).unwrap().to_string())
            }));
        }
        assert_eq!(ours, row.iter().collect::<Vec<_>>(), "{log}");
        compared += 1;
    }
    assert_eq!(compared, tickets.len());
    assert!(fired > 2_000, "{fired}");
}

/// Proves part of: L1, L2, L4
#[test]
fn every_threshold_of_the_help_desk() {
    check("helpdesk", &["Take in charge ticket"]);
}

/// Proves part of: L1, L2, L4
#[test]
fn every_threshold_of_the_problems() {
    check("problems", &["Accepted*", "Completed*"]);
}

/// The same through the whole core: facts in the order of the log, marks between them as time passes.
/// Proves part of: L3
#[test]
fn replayed_through_the_core_the_help_desk_fires_the_same() {
    let Some(folder) = folder("helpdesk") else { return };
    let policy = json!({"calendar": "rome", "clocks": {
        "response": {"target": "8h", "marks": [75], "stop": ["Take in charge ticket"], "cancel": []},
        "solution": {"target": "40h", "marks": [50, 75, 90], "run_while": ["open", "in_progress"], "cancel": []},
    }});
    let mut world = World::default();
    world.apply("Calendar", "rome", &office("Europe/Rome"));
    world.apply("SlaPolicy", "standard", &policy);
    let tickets = lines(&folder);
    let id = |name: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
    let facts = tickets.iter().flat_map(|(name, lines)| lines.iter().map(move |fact| (fact.at, name, fact.seq, fact)));
    let mut facts: Vec<_> = facts.collect();
    facts.sort_by_key(|(at, name, seq, _)| (*at, *name, *seq));
    for (at, name, _, fact) in facts {
        world.now = at;
        world.fire();
        let event = line(&fact.activity, fact.status, "");
        world.record(at, stream::ticket(id(name)), Event::Intake(event));
        world.react();
    }
    let end = world.now;
    world.now = end + 1;
    world.fire();
    let mut fired = BTreeMap::new();
    for entry in &world.log {
        let (clock, share_bp, at) = match &entry.event {
            Event::Sla(SlaEvent::WarningRaised { clock, share_bp, at, .. }) => (clock, *share_bp, *at),
            Event::Sla(SlaEvent::Breached { clock, at, .. }) => (clock, 10_000, *at),
            _ => continue,
        };
        assert_eq!(entry.occurred_at, at, "a deadline happens at its own instant");
        let again = fired.insert((entry.correlation.unwrap(), clock.as_str(), share_bp), at);
        assert_eq!(again, None, "each mark fires once");
    }
    for row in csv::Reader::from_reader(GzDecoder::new(File::open(folder.join("due.csv.gz")).unwrap())).records() {
        let row = row.unwrap();
        let columns = [
            ("response", 7_500),
            ("response", 10_000),
            ("solution", 5_000),
            ("solution", 7_500),
            ("solution", 9_000),
            ("solution", 10_000),
        ];
        for (column, (clock, share_bp)) in columns.into_iter().enumerate() {
            let ours = fired.remove(&(id(&row[0]), clock, share_bp));
            let ours = ours.map_or(String::new(), |at| Timestamp::from_microsecond(at).unwrap().to_string());
            assert_eq!(ours, row[column + 1], "{} {clock} {share_bp}", &row[0]);
        }
    }
    assert!(fired.is_empty());
}
