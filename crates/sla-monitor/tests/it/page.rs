//! The documents of the chapter of `docs/sla.md` on clocks and escalation, put in force as they stand.

use decider::Tenant;
use eventlog::configured::Configured;
use serde_json::json;
use sla_monitor::SlaMonitor;
use sla_monitor::command::Command;
use sla_monitor::view;
use ticket::batch::{Draft, Library};
use ticket::document::owner;
use ticket::yaml;
use uuid::Uuid;

use crate::attention::{next, queue, received};
use crate::world::{TICKET, World, always};

/// Every document of the chapter.
fn documents() -> Vec<Draft> {
    let page = include_str!("../../../../docs/sla.md");
    let (_, chapter) = page.split_once("# Clocks and escalation\n").unwrap();
    let blocks = chapter
        .split("\n## ")
        .next()
        .unwrap()
        .split("```yaml\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let read = blocks.flat_map(|block| yaml::parse(block).unwrap_or_else(|faults| panic!("{faults:?}\n{block}")));
    read.map(|one| Draft { kind: one.kind, name: one.name, spec: one.spec, reason: None }).collect()
}

/// Proves part of: L1, L5, L7
#[test]
fn the_documents_of_the_page_are_put_in_force_and_give_a_ticket_its_clocks() {
    let mut world = World::default();
    world.apply("Calendar", "desk", &always());
    for name in ["desk", "supervisors"] {
        world.apply("Queue", name, &json!({"members": ["ann"]}));
    }
    let ours: Vec<_> = documents().into_iter().filter(|one| owner(&one.kind) == Some("sla-monitor")).collect();
    let names: Vec<_> = ours.iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
    let now = world.now;
    let applied = world.ask(&Command::Apply(ours), now, Uuid::nil());
    assert_eq!(applied.map_err(|refusal| format!("{refusal:?}")), Ok(names.len()));
    let tenant = Tenant::new("acme");
    let listed = SlaMonitor::library(&world.state, &tenant).unwrap().listed("");
    for name in [
        "SlaPolicy everything",
        "SlaPolicy emergency",
        "Rota first-line",
        "Escalation standard",
        "BacklogAlert desk-full",
    ] {
        assert!(listed.iter().any(|one| format!("{} {}", one.kind, one.name) == name), "{name}");
    }
    world.on("09:00", received(next(queue("desk"), "11:00")));
    let clocks = view::clocks(&world.state, &tenant, TICKET).unwrap();
    let names: Vec<_> = clocks.iter().map(|clock| clock.name.as_str()).collect();
    let first = ["acceptance", "arrival", "contact_interval", "first_response", "resolution", "stuck"];
    assert_eq!(names, first, "the others begin later");
}
