//! Documents put in force, breaches explained, and a state that survives being stored.

use decider::Tenant;
use eventlog::configured::Configured;
use serde_json::{Value, json};
use sla_monitor::SlaMonitor;
use sla_monitor::command::{Command, Refusal};
use sla_monitor::view::{self, BreachFilter};
use ticket::batch::{Draft, Library};
use ticket::intake::Status::Open;
use ticket::sla::BreachCause;
use uuid::Uuid;

use crate::world::{TICKET, World, always, line};

fn document(kind: &str, name: &str, spec: Value) -> Draft {
    Draft { kind: kind.into(), name: name.into(), spec, reason: None }
}

fn ask(world: &mut World, command: &Command) -> Result<usize, Refusal> {
    let now = world.now;
    world.ask(command, now, Uuid::nil())
}

fn tenant() -> Tenant {
    Tenant::new("acme")
}

#[test]
fn a_batch_is_taken_whole_and_repeating_it_is_nothing() {
    let mut world = World::default();
    let policy = json!({"calendar": "all", "clocks": {}});
    let documents = vec![document("SlaPolicy", "p", policy), document("Calendar", "all", always())];
    let apply = Command::Apply(documents);
    assert_eq!(ask(&mut world, &apply), Ok(2));
    assert_eq!(ask(&mut world, &apply), Ok(0));
    let shown = SlaMonitor::library(&world.state, &tenant()).unwrap().listed("");
    let kinds: Vec<_> = shown.iter().map(|shown| shown.kind.as_str()).collect();
    assert_eq!(kinds, ["Calendar", "SlaPolicy"]);
    assert!(SlaMonitor::library(&world.state, &Tenant::new("other")).is_none());
}

/// Proves part of: X1
#[test]
fn every_fault_of_every_document_is_named_and_nothing_is_written() {
    let mut world = World::default();
    let documents = vec![
        document("Calendar", "good", always()),
        document("Calendar", "bad/name", json!({"zone": "Mars/Base", "weekly": {}})),
        document("SlaPolicy", "p", json!({"calendar": "none", "clocks": {}})),
        document("SlaPolicy", "p", json!({"calendar": "good"})),
        document("Recipe", "soup", json!({})),
    ];
    let Err(Refusal::Documents(faults)) = ask(&mut world, &Command::Apply(documents)) else { panic!() };
    let named: Vec<_> = faults.iter().map(|fault| (fault.name.as_str(), fault.fault.path.as_str())).collect();
    let expected =
        [("bad/name", ""), ("bad/name", "/zone"), ("p", "/calendar"), ("p", ""), ("p", "/clocks"), ("soup", "")];
    assert_eq!(named, expected);
    assert!(world.log.is_empty());
}

fn late_world() -> World {
    let clocks = json!({"reply": {"target": "1h", "marks": [50]}});
    let mut world = World::with(&json!({"calendar": "always", "clocks": clocks}));
    world.on("09:00", line("New", Open, "low")).until("11:00");
    world
}

/// Proves: L6
#[test]
fn a_breach_is_explained_once() {
    let mut world = late_world();
    let explain = |clock: &str, note: &str| Command::Explain {
        ticket: TICKET,
        clock: clock.into(),
        cause: BreachCause::Parts,
        note: note.into(),
    };
    let open = BreachFilter { unexplained: true, ..BreachFilter::default() };
    let waiting = |world: &World| view::breaches(&world.state, &tenant(), &open, None, 10).0.len();
    assert_eq!(waiting(&world), 1);
    assert_eq!(ask(&mut world, &explain("reply", "no toner")), Ok(1));
    assert_eq!(ask(&mut world, &explain("reply", "no toner")), Ok(0));
    assert_eq!(waiting(&world), 0);
    let breach = view::breach(&world.state, &tenant(), TICKET, "reply").unwrap();
    assert_eq!(breach.explained, Some((BreachCause::Parts, "no toner".into())));
    assert_eq!(ask(&mut world, &explain("reply", &"x".repeat(1_001))), Err(Refusal::NoteTooLong));
    assert_eq!(ask(&mut world, &explain("repair", "")), Err(Refusal::ClockUnknown("repair".into())));
    world.late("09:30", line("Cancelled", Open, "low"));
    assert_eq!(ask(&mut world, &explain("reply", "")), Err(Refusal::NotBreached("reply".into())));
    let all = view::breaches(&world.state, &tenant(), &BreachFilter::default(), None, 10).0;
    assert!(all[0].revoked, "both figures stay visible");
}

/// Proves part of: X5
#[test]
fn deadlines_are_listed_soonest_first_page_by_page() {
    let clocks = json!({"reply": {"target": "1h", "marks": [50]}, "work": {"target": "2h"}});
    let mut world = World::with(&json!({"calendar": "always", "clocks": clocks}));
    world.on("09:00", line("New", Open, "low"));
    let (first, cursor) = view::deadlines(&world.state, &tenant(), None, None, 2);
    let (rest, end) = view::deadlines(&world.state, &tenant(), None, cursor, 2);
    let names: Vec<_> = first.iter().chain(&rest).map(|next| (next.clock.as_str(), next.share_bp)).collect();
    assert_eq!(names, [("reply", 5_000), ("reply", 10_000), ("work", 10_000)]);
    assert_eq!(end, None);
    assert!(view::deadlines(&world.state, &Tenant::new("other"), None, None, 2).0.is_empty());
}

#[test]
fn a_stored_state_goes_on_as_if_it_had_not_been() {
    let mut world = late_world();
    let bytes = postcard::to_stdvec(&world.state).unwrap();
    world.state = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_stdvec(&world.state).unwrap(), bytes);
    world.said();
    world.on("12:00", line("Urge", Open, "high")).late("09:40", line("Cancelled", Open, "low"));
    assert_eq!(world.said(), ["reply#1 revoked 10:00 by 09:40", "reply#1 cancelled 09:40 40m"]);
}
