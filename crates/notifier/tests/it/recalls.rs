//! What is taken back, and what is passed on.

use notifier::command::Attempt;
use notifier::view::{self, Standing};
use serde_json::json;
use ticket::intake::{IntakeEvent, Priority};
use ticket::notifier::{Medium, NotifierEvent};
use ticket::sla::SlaEvent;
use uuid::Uuid;

use crate::world::{
    TICKET, VISIT, World, arrived, failed, nobody, offered, received, started, taken, tenant, us, warned,
};

fn desk(fields: &serde_json::Value) -> serde_json::Value {
    let mut spec = json!({"on": ["Received"], "audience": {"accountable": true}});
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    spec
}

/// Proves part of: N5, N7
#[test]
fn whoever_takes_the_step_ends_the_reminders_of_all_others() {
    let mut world = World::with(&[("new", desk(&json!({"on": ["Received", "TakenInCharge"]})))]);
    world.on("09:00", received(Priority::High, "11:00")).on("09:05", taken("ann", "12:00"));
    let expected = [
        "ann <- new en InApp 09:00",
        "bob <- new en InApp 09:00",
        "ann recalled ActedOn",
        "bob recalled ActedOn",
        "ann <- new en InApp 09:05",
    ];
    assert_eq!(world.said(), expected);
    world.react_again();
    assert!(world.said().is_empty(), "what came after is not taken back by what was before");
    world.on("10:00", IntakeEvent::Closed { review: String::new() });
    assert_eq!(world.said(), ["ann recalled TicketEnded"]);
}

#[test]
fn an_ended_ticket_takes_less_room_and_says_the_same() {
    let mut world = World::with(&[("new", desk(&json!({})))]);
    world.on("09:00", received(Priority::High, "11:00"));
    let told = |world: &World| {
        let told = view::of_ticket(&world.state, &tenant(), TICKET, world.now).unwrap();
        told.into_iter().map(|one| one.words).collect::<Vec<_>>()
    };
    let room = |world: &World| postcard::to_stdvec(&world.state).unwrap().len();
    let before = (told(&world), room(&world));
    world.on("10:00", IntakeEvent::Closed { review: String::new() });
    assert_eq!(told(&world), before.0);
    assert!(room(&world) < before.1, "{} of {}", room(&world), before.1);
}

/// Proves part of: N5
#[test]
fn however_many_there_are_all_end_with_the_ticket() {
    let mut world = World::with(&[("call", json!({"on": ["ContactLogged"], "audience": {"queue": "chiefs"}}))]);
    world.on("09:00", received(Priority::High, "11:00"));
    for n in 0..150 {
        let summary = ticket::Personal::new(TICKET, String::new());
        let channel = ticket::intake::Channel::Phone;
        let called = IntakeEvent::ContactLogged { channel, inbound: true, reached: true, summary };
        world.on(&format!("10:{:02}:{:02}", n / 60, n % 60), called);
    }
    assert_eq!(world.said().len(), 150);
    world.on("11:00", IntakeEvent::Closed { review: String::new() });
    assert_eq!(world.said(), vec!["sue recalled TicketEnded"; 150]);
}

/// Proves part of: L4, N7
#[test]
fn a_warning_is_over_with_its_clock_and_with_its_breach() {
    let rule = json!({"on": ["WarningRaised", "Breached"], "audience": {"queue": "chiefs"}});
    let mut world = World::with(&[("sla", rule)]);
    world.on("09:00", received(Priority::High, "11:00")).on("09:00", started("repair", "09:00", "10:00"));
    world.on("09:30", warned("repair", "09:30")).on("09:31", warned("reply", "09:31"));
    let (clock, generation) = ("reply".to_owned(), 1);
    let since = us("09:32");
    world.on("09:32", SlaEvent::ClockStopped { clock, generation, since, elapsed_us: 0, met: true, because: None });
    let told = ["sue <- sla en InApp 09:30", "sue <- sla en InApp 09:31", "sue recalled ActedOn"];
    assert_eq!(world.said(), told);
    let (clock, at) = ("repair".to_owned(), us("10:00"));
    let (accountable, began, escalates_at, major) = (None, None, None, None);
    let late = clock.clone();
    world.on("10:01", SlaEvent::Breached { clock: late, generation, at, accountable, began, escalates_at, major });
    world.on("10:20", SlaEvent::BreachRevoked { clock, generation, at, fact_at: us("09:55"), began });
    assert_eq!(world.said(), ["sue <- sla en InApp 10:01", "sue recalled BreachRevoked", "sue recalled BreachRevoked"]);
}

#[test]
fn an_offer_is_over_once_it_is_answered() {
    let mut world = World::with(&[("offer", json!({"on": ["NobodyFound"], "audience": {"queue": "chiefs"}}))]);
    world.on("09:00", received(Priority::High, "11:00"));
    world.on("09:10", nobody(VISIT)).on("09:11", nobody(Uuid::from_u128(10)));
    world.on("09:12", offered("eva", "09:30"));
    assert_eq!(
        world.said(),
        ["sue <- offer en InApp 09:10", "sue <- offer en InApp 09:11", "sue recalled ActedOn"],
        "the other visit is nobody's still"
    );
}

/// Proves part of: N7
#[test]
fn silence_is_passed_on_once() {
    let rule = desk(&json!({"answer_within": "15m", "escalate_to": "chiefs"}));
    let mut world = World::with(&[("new", rule)]);
    world.on("09:00", received(Priority::High, "11:00"));
    world.said();
    world.until("09:15");
    assert!(world.said().is_empty(), "what is answered exactly then is in time");
    world.until("09:16");
    let expected = [
        "ann unanswered true -> chiefs",
        "sue <- new en InApp 09:16 answer 09:31 step 1",
        "bob unanswered true -> chiefs",
    ];
    assert_eq!(sorted(world.said()), sorted(expected.map(str::to_owned).to_vec()));
    world.until("12:00").react_again();
    assert_eq!(world.said(), ["sue unanswered true -> nobody"]);
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// Proves part of: N7, L5
#[test]
fn one_of_a_queue_who_answers_answers_for_all() {
    let rule = desk(&json!({"answer_within": "15m", "escalate_to": "chiefs"}));
    let mut world = World::with(&[("new", rule)]);
    world.on("09:00", received(Priority::High, "11:00"));
    world.said();
    world.until("09:02");
    world.ask("ann", &notifier::Command::Acknowledge { ticket: TICKET, reminder: world.reminder("ann") }).unwrap();
    world.until("12:00");
    assert_eq!(world.said(), ["ann answered", "bob unanswered true -> nobody"], "the chiefs need not know");
}

/// Proves part of: N7
#[test]
fn one_copy_that_bounces_wakes_nobody_as_long_as_another_may_arrive() {
    let rule = desk(&json!({"media": ["email"], "escalate_to": "chiefs"}));
    let mut world = World::with(&[("new", rule)]);
    world.set("ann", "en", &[Medium::Email], |_| ());
    world.set("bob", "en", &[Medium::Email], |_| ());
    world.on("09:00", received(Priority::High, "21:00"));
    let ann = world.reminder("ann");
    let bounced = |attempt: &Attempt| {
        if attempt.reminder == ann { failed("refused 550", true) } else { failed("refused 451", false) }
    };
    world.deliver(bounced);
    let told = world.said();
    assert!(told.contains(&"ann unanswered false -> nobody".to_owned()), "{told:?}");
    world.until("09:01").deliver(|_| failed("refused 550", true));
    let told = world.said();
    assert!(told.contains(&"bob unanswered false -> chiefs".to_owned()), "the last copy bounced: {told:?}");
}

/// Proves part of: N7
#[test]
fn what_is_over_is_not_sent_even_before_it_is_taken_back() {
    let customer = json!({"on": ["Received"], "audience": {"customer": true}});
    let urgent = json!({"on": ["WarningRaised"], "audience": {"queue": "chiefs"}, "urgent": true, "media": ["email"]});
    let mut world = World::with(&[("customer", customer), ("sla", urgent)]);
    world.set("sue", "en", &[Medium::Email], |_| ());
    world.on("09:00", received(Priority::High, "11:00")).on("09:00", started("repair", "09:00", "23:00"));
    world.on("09:30", warned("repair", "09:30"));
    let owed = notifier::outbox::owed(&world.state, world.now, 10);
    assert_eq!(owed.len(), 2);
    let start = |world: &mut World, who: usize| {
        let before = world.log.len();
        world.ask("-", &notifier::Command::Start(owed[who].attempt.clone())).unwrap();
        let begun =
            |entry: &ticket::Event| matches!(entry, ticket::Event::Notifier(NotifierEvent::AttemptStarted { .. }));
        world.log[before..].iter().any(|entry| begun(&entry.event))
    };
    let (clock, generation) = ("repair".to_owned(), 1);
    let (since, because) = (us("09:32"), None);
    let stopped = SlaEvent::ClockStopped { clock, generation, since, elapsed_us: 0, met: true, because };
    world.quietly("09:32", stopped);
    assert_eq!(notifier::outbox::owed(&world.state, world.now, 10).len(), 1, "the warning is over");
    assert!(!start(&mut world, 0), "the clock stopped");
    world.quietly("09:33", IntakeEvent::Closed { review: String::new() });
    assert!(!start(&mut world, 1), "the ticket ended");
    assert!(notifier::outbox::owed(&world.state, world.now, 10).is_empty());
}

/// Proves part of: N7
#[test]
fn what_does_not_arrive_falls_through_every_medium_and_is_passed_on() {
    let rule = desk(&json!({"media": ["email", "webhook"], "escalate_to": "chiefs", "audience": {"queue": "one"}}));
    let mut world = World::with(&[("new", rule)]);
    world.apply("intake", "Queue", "one", &json!({"members": ["ann"]}));
    world.set("ann", "en", &[Medium::Email, Medium::Webhook], |_| ());
    world.on("09:00", received(Priority::High, "21:00"));
    world.deliver(|_| failed("refused 451", false));
    let told = [
        "ann <- new en Email else Webhook 09:00",
        "ann Email #1",
        "ann Email #1 refused 451, again 2024-03-04T09:00:10Z",
    ];
    assert_eq!(world.said(), told.map(|line| line.replace("2024-03-04T", "")));
    assert_eq!(world.deliver(arrived), 0, "its time has not come");
    world.until("09:01").deliver(|_| failed("refused 550", true));
    assert_eq!(world.said(), ["ann Email #2", "ann Email #2 refused 550, then Webhook"]);
    world.deliver(|_| failed("status 410", true));
    let expected = [
        "ann Webhook #1",
        "ann Webhook #1 status 410, given up",
        "ann unanswered false -> chiefs",
        "sue <- new en InApp 09:01 step 1",
    ];
    assert_eq!(world.said(), expected);
    let told = view::of_ticket(&world.state, &tenant(), TICKET, world.now).unwrap();
    assert_eq!(told[0].standing, Standing::Undelivered);
}

/// Proves part of: N1
#[test]
fn two_media_at_once_are_tried_each_for_itself() {
    let mut world = World::with(&[("new", desk(&json!({"urgent": true, "audience": {"queue": "one"}})))]);
    world.apply("intake", "Queue", "one", &json!({"members": ["ann"]}));
    world.set("ann", "en", &[Medium::Email, Medium::Webhook], |settings| settings.quiet = Some(crate::world::NIGHT));
    world.on("23:00", received(Priority::High, "23:30"));
    assert_eq!(
        world.deliver(|attempt| match attempt.medium {
            Medium::Email => failed("refused 550", true),
            _ => arrived(attempt),
        }),
        2
    );
    let expected = [
        "ann <- new en Email+Webhook else InApp 23:00",
        "ann Email #1",
        "ann Email #1 refused 550, then InApp",
        "ann Webhook #1",
        "ann Webhook #1 arrived",
    ];
    assert_eq!(world.said(), expected);
}
