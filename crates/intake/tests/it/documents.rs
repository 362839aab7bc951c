//! Documents: all or none, every fault at once, what is in force is not applied again.

use intake::command::Command;
use intake::{Refusal, command::Verb};
use serde_json::json;
use ticket::batch::Draft;

use crate::desk::{Desk, draft, resolve, take};

fn faults(desk: &mut Desk, drafts: Vec<Draft>) -> Vec<String> {
    let Err(Refusal::Documents(faults)) = desk.ask(&Command::Apply(drafts)) else { panic!("no faults") };
    faults.into_iter().map(|found| format!("{} {}: {}", found.kind, found.fault.path, found.fault.message)).collect()
}

#[test]
fn a_batch_may_name_its_own_queues() {
    let mut desk = Desk::bare();
    let batch = vec![
        draft("TicketType", "incident", json!({"queue": "desk"})),
        draft("Queue", "desk", json!({"members": ["ann"], "attend_within": "4h", "fallback": "seniors"})),
        draft("Queue", "seniors", json!({"members": ["sue"], "attend_within": "4h"})),
    ];
    assert_eq!(desk.ask(&Command::Apply(batch.clone())).unwrap().len(), 3);
    assert!(desk.ask(&Command::Apply(batch)).unwrap().is_empty(), "what is in force is not applied again");
}

#[test]
fn every_fault_of_every_document_is_named_and_none_is_put_in_force() {
    let mut desk = Desk::new();
    let batch = vec![
        draft("Queue", "a", json!({"members": ["ann"], "attend_within": "4h", "fallback": "none", "calendar": "none"})),
        draft("Queue", "a", json!({"members": ["ann"], "attend_within": "4h"})),
        draft("TicketType", "B", json!({"queue": "none"})),
        draft("Queue", "c", json!({"members": []})),
        draft("Calendar", "d", json!({})),
        draft("Fax", "e", json!({})),
        draft("Queue", "f", json!({"members": ["ann"], "attend_within": "4h"})),
    ];
    let expected = [
        "Queue /calendar: there is no Calendar none",
        "Queue /fallback: there is no Queue none",
        "Queue : is given twice",
        "TicketType : needs a name of at most 63 of a-z, 0-9 and -",
        "TicketType /queue: there is no Queue none",
        "Queue /attend_within: is required",
        "Queue /members: must name at least one person",
        "Fax : there is no kind Fax",
    ];
    assert_eq!(faults(&mut desk, batch), expected);
    assert!(desk.state.house(&desk.tenant).unwrap().queue("f").is_none());
}

#[test]
fn a_changed_document_governs_the_next_decision() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take()]);
    let stricter = draft("TicketType", "incident", json!({"queue": "desk", "evidence_required": 2}));
    assert_eq!(desk.ask(&Command::Apply(vec![stricter])).unwrap()[0].version, 2);
    assert_eq!(desk.verb(ticket, resolve()), Err(Refusal::EvidenceMissing { required: 2 }));
    let evidence = vec!["a".into(), "b".into()];
    assert_eq!(desk.verb(ticket, Verb::Resolve { solution: "done".into(), evidence }).unwrap(), ["Resolved"]);
}
