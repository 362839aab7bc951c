//! Documents put in force, and a state that survives being stored.

use eventlog::configured::Configured;
use notifier::{Command, Notifier, Refusal, State};
use serde_json::{Value, json};
use ticket::batch::{Draft, Library};
use ticket::intake::Priority;
use ticket::notifier::Medium;

use crate::world::{World, failed, received, rule, tenant, text};

fn document(kind: &str, name: &str, spec: Value) -> Draft {
    Draft { kind: kind.into(), name: name.into(), spec, reason: None }
}

#[test]
fn a_batch_is_taken_whole_and_repeating_it_is_nothing() {
    let mut world = World::default();
    let spec = rule(&json!({"on": ["Received"], "audience": {"customer": true}}));
    let apply = Command::Apply(vec![document("ReminderRule", "new", spec), document("MessageText", "plain", text())]);
    assert_eq!((world.ask("root", &apply), world.ask("root", &apply)), (Ok(2), Ok(0)));
    let kinds: Vec<_> =
        Notifier::library(&world.state, &tenant()).unwrap().listed("").into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["MessageText", "ReminderRule"]);
}

/// Proves part of: X1
#[test]
fn every_fault_of_every_document_is_named_and_nothing_is_written() {
    let mut world = World::default();
    let spec = rule(&json!({"on": ["Received"], "audience": {"queue": "nowhere"}, "escalate_to": "nobody"}));
    let documents = vec![
        document("ReminderRule", "new", spec),
        document("MessageText", "broken", json!({"en": {"subject": "{{ colour }}", "body": "x"}})),
    ];
    let Err(Refusal::Documents(faults)) = world.ask("root", &Command::Apply(documents)) else { panic!() };
    let named: Vec<_> = faults.iter().map(|fault| (fault.name.as_str(), fault.fault.path.as_str())).collect();
    assert_eq!(
        named,
        [("new", "/audience/queue"), ("new", "/escalate_to"), ("new", "/text"), ("broken", "/en/subject")]
    );
    assert!(world.log.is_empty());
}

#[test]
fn a_stored_state_goes_on_as_if_it_had_not_been() {
    let spec = json!({"on": ["Received"], "audience": {"accountable": true}, "answer_within": "30m",
        "escalate_to": "chiefs", "media": ["email"]});
    let mut world = World::with(&[("new", spec)]);
    world.set("ann", "en", &[Medium::Email], |settings| settings.hourly_cap = 3);
    world.on("09:00", received(Priority::High, "11:00"));
    world.deliver(|_| failed("unreachable", false));
    world.said();
    let bytes = postcard::to_stdvec(&world.state).unwrap();
    let restored: State = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_stdvec(&restored).unwrap(), bytes);
    world.state = restored;
    world.until("09:01").deliver(|_| failed("refused 550", true));
    world.until("09:31");
    let said = world.said();
    assert!(said.contains(&"ann Email #2 refused 550, given up".to_owned()), "{said:?}");
    assert!(said.contains(&"bob unanswered true -> chiefs".to_owned()), "{said:?}");
}
