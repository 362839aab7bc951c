//! What documents would do to the no-drop proof, before they are in force.

use decider::Tenant;
use serde_json::{Value, json};
use sla_monitor::nminus::{Proving, prove};
use ticket::batch::Draft;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::attention::{next, queue, received};
use crate::world::{TICKET, World, always, office};

fn rota(person: &str) -> Value {
    json!({"zone": "UTC", "shifts": [{"name": "turns", "people": [person], "from": "2024-01-01", "hand_over": "00:00"}]})
}

fn rule() -> Value {
    json!({"on": ["EscalationRaised"], "audience": {"woken": true}, "text": "told"})
}

fn policy(escalation: Option<&str>) -> Value {
    let mut policy = json!({"calendar": "always", "retroactive": true, "clocks": {"repair": {"target": "1h"}}});
    if let Some(escalation) = escalation {
        policy["escalation"] = json!(escalation);
    }
    policy
}

/// A ticket in a queue without a member; whoever is on call is told when its clock breaches.
fn world() -> World {
    let mut world = World::default();
    world.apply("Calendar", "always", &always());
    world.apply("Calendar", "nights", &json!({"zone": "UTC", "weekly": {"sun": ["22:00-23:00"]}}));
    world.apply("Calendar", "days", &office("UTC"));
    world.apply("Queue", "desk", &json!({"members": []}));
    world.apply("Rota", "turns", &rota("ann"));
    let step = json!({"rota": "turns", "acknowledge_within": "30m"});
    let calls = json!({"steps": [step], "acknowledged_for": "2h", "fallback": "desk"});
    world.apply("Escalation", "calls", &calls);
    world.apply("SlaPolicy", "standard", &policy(Some("calls")));
    world.apply("ReminderRule", "called", &rule());
    world.on("09:00", received(next(queue("desk"), "11:00")));
    world
}

/// The failures for which the proof names a hole, were these documents in force too.
fn holes(world: &World, drafts: &[(&str, &str, Value)]) -> Vec<String> {
    let draft = |(kind, name, spec): &(&str, &str, Value)| Draft {
        kind: (*kind).into(),
        name: (*name).into(),
        spec: spec.clone(),
        reason: None,
    };
    let drafts: Vec<_> = drafts.iter().map(draft).collect();
    let proof = prove(&world.state, &Tenant::new("acme"), world.now, &drafts);
    assert_eq!(proof.tickets, 1);
    assert!(proof.holes.iter().all(|hole| hole.sample == [TICKET] && hole.tickets == 1));
    let mut failures: Vec<_> = proof.holes.iter().map(|hole| hole.failure.to_string()).collect();
    failures.sort();
    failures
}

/// Proves part of: L11
#[test]
fn documents_open_holes_that_were_not_there_before() {
    let world = world();
    assert_eq!(holes(&world, &[]), ["channel/in_app", "person/ann"]);
    let one = |kind, name, spec| holes(&world, &[(kind, name, spec)]);
    assert!(one("Rota", "turns", rota("ann")).is_empty(), "what is in force changes nothing");
    assert_eq!(one("Rota", "turns", rota("bob")), ["person/bob"]);
    assert_eq!(one("SlaPolicy", "standard", policy(None)), ["nothing"], "nobody is called");
    let mut held = policy(None);
    held["retroactive"] = json!(false);
    assert!(one("SlaPolicy", "standard", held).is_empty(), "its clocks stay as they were started");
    let mut narrow = rule();
    narrow["when"] = json!("ticket.priority == 'critical'");
    assert_eq!(one("ReminderRule", "called", narrow), ["nothing"]);
    assert_eq!(one("Engineer", "ann", json!({"shift": "nights"})), ["nothing"], "she is called at ten");
    assert!(one("Engineer", "ann", json!({"shift": "days"})).is_empty());
    assert_eq!(one("Calendar", "days", json!({})), Vec::<String>::new(), "what cannot be read changes nothing");
    let attended = json!({"on": ["AttentionMissed"], "audience": {"queue": "desk"}, "text": "told"});
    let both = [("Queue", "desk", json!({"members": ["sue", "tom"]})), ("ReminderRule", "missed", attended)];
    assert!(holes(&world, &both).is_empty());
}

/// Proves part of: L11
#[test]
fn a_policy_and_an_escalation_that_come_together_are_tried_together() {
    let world = world();
    let step = json!({"person": "bob", "acknowledge_within": "30m"});
    let other = json!({"steps": [step], "acknowledged_for": "2h", "fallback": "desk"});
    let both = [("Escalation", "other", other.clone()), ("SlaPolicy", "standard", policy(Some("other")))];
    assert_eq!(holes(&world, &both), ["person/bob"]);
    assert!(holes(&world, &[("Escalation", "calls", other)]).is_empty(), "clocks keep the one they were started with");
}

/// Proves part of: L11
#[test]
fn a_hole_says_its_last_link_and_what_would_close_it() {
    let world = world();
    let proof = prove(&world.state, &Tenant::new("acme"), world.now, &[]);
    let hole = proof.holes.iter().find(|hole| hole.failure.to_string() == "person/ann").unwrap();
    assert!(
        hole.last.starts_with("EscalationRaised at 2024-03-04T10:00:00") && hole.last.contains("ann by rule called")
    );
    assert!(hole.remedy.contains("in queue desk"), "{}", hole.remedy);
    assert_eq!((proof.failures, proof.left_out), (2, 0), "she, and the inbox");
    assert_ne!(hole.sample, [Uuid::nil()]);
}

#[test]
fn a_proof_by_parts_is_the_whole_one() {
    let mut world = world();
    for n in 2..=5 {
        let received = Event::Intake(received(next(queue("desk"), "11:00")));
        world.record(world.now, stream::ticket(Uuid::from_u128(n)), received);
        world.react();
    }
    let whole = prove(&world.state, &Tenant::new("acme"), world.now, &[]);
    assert!(whole.tickets == 5 && whole.holes.iter().all(|hole| hole.tickets == 5), "{whole:?}");
    let mut proving = Proving::new(Tenant::new("acme"), world.now, Vec::new());
    let mut parts = 1;
    while proving.go_on(&world.state, 2) {
        parts += 1;
    }
    assert_eq!((parts, proving.proof()), (3, whole));
}
