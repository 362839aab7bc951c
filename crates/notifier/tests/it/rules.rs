//! Who is told what, when, in which words and by which media.

use decider::Core;
use notifier::{Command, Notifier, view};
use serde_json::json;
use ticket::dispatch::{DispatchEvent, OffDuty};
use ticket::intake::{Accountable, Priority};
use ticket::notifier::{Device, Medium, Presence};
use ticket::sla::SlaEvent;

use crate::world::{NIGHT, TICKET, VISIT, World, arrived, person, received, started, taken, tenant, us, warned};

fn away() -> DispatchEvent {
    DispatchEvent::DutyEnded { why: OffDuty::ShiftOver, back_at: None }
}

/// Proves part of: N1, N3
#[test]
fn receipt_is_told_to_everybody_on_duty_for_the_queue_and_to_the_customer() {
    let desk = json!({"on": ["Received"], "audience": {"accountable": true}});
    let customer = json!({"on": ["Received", "Closed"], "audience": {"customer": true}});
    let mut world = World::with(&[("customer", customer), ("new", desk)]);
    world.on("09:00", received(Priority::High, "11:00"));
    assert_eq!(
        world.said(),
        ["customer <- customer en Email 09:00", "ann <- new en InApp 09:00", "bob <- new en InApp 09:00"]
    );
    let told = view::of_ticket(&world.state, &tenant(), TICKET, world.now).unwrap();
    assert_eq!(told[1].words.subject, "Received 00000000");
    assert_eq!(told[1].words.body, "repair high desk 2024-03-04T09:00:00Z");
    assert_eq!(told[0].standing, view::Standing::Waiting);
    assert_eq!(told[1].standing, view::Standing::Delivered, "the inbox is where it is planned");
}

/// Proves part of: L8, N7
#[test]
fn those_off_duty_are_stood_in_for() {
    let desk = json!({"on": ["Received"], "audience": {"accountable": true}});
    let mut world = World::with(&[("new", desk)]);
    world.duty("08:10", "ann", away()).on("09:00", received(Priority::High, "11:00"));
    assert_eq!(world.said(), ["bob <- new en InApp 09:00"]);

    let desk = json!({"on": ["Received"], "audience": {"queue": "desk"}});
    let mut world = World::with(&[("new", desk)]);
    world.duty("08:10", "ann", away()).duty("08:10", "bob", away()).on("09:00", received(Priority::High, "11:00"));
    assert_eq!(world.said(), ["sue <- new en InApp 09:00"], "the queue that steps in");
}

/// Proves part of: N3, X1
#[test]
fn conditions_read_the_ticket_as_it_is_now_and_the_event() {
    let rule = json!({"on": ["*Raised", "Breached"], "audience": {"accountable": true},
        "when": "ticket.priority == 'critical' && (event.kind == 'Breached' || event.clock == 'repair')"});
    let mut world = World::with(&[("sla", rule)]);
    world.on("09:00", received(Priority::High, "11:00")).on("09:10", warned("repair", "09:10"));
    assert!(world.said().is_empty(), "it is not critical");
    let (from, to, reason) = (Priority::High, Priority::Critical, "fire".into());
    world.on("09:20", ticket::intake::IntakeEvent::PriorityRaised { from, to, weight: None, reason, next: None });
    assert!(world.said().is_empty(), "the event has no clock");
    world.on("09:30", warned("reply", "09:30")).on("09:40", warned("repair", "09:40"));
    assert_eq!(world.said(), ["ann <- sla en InApp 09:40", "bob <- sla en InApp 09:40"]);
}

/// Proves part of: N3, L4
#[test]
fn whoever_is_woken_and_whoever_is_asked_are_told() {
    let woken = json!({"on": ["AttentionMissed"], "audience": {"woken": true}, "urgent": true});
    let asked = json!({"on": ["OfferDeclined", "OfferAccepted"], "audience": {"engineer": true}});
    let mut world = World::with(&[("asked", asked), ("woken", woken)]);
    world.on("09:00", received(Priority::High, "09:30"));
    let missed = SlaEvent::AttentionMissed {
        step: 1,
        due_at: us("09:30"),
        owed: Accountable::Queue("desk".into()),
        wakes: Accountable::Queue("chiefs".into()),
        next_at: us("10:00"),
    };
    world.on("09:31", missed);
    let (visit, engineer) = (VISIT, "eva".to_owned());
    world.on("09:40", DispatchEvent::OfferDeclined { visit, engineer, reason: "far".into() });
    assert_eq!(world.said(), ["sue <- woken en InApp 09:31", "eva <- asked en InApp 09:40"]);
}

/// Proves part of: N2
#[test]
fn everybody_reads_their_own_language() {
    let desk = json!({"on": ["Received"], "audience": {"accountable": true}});
    let mut world = World::with(&[("new", desk)]);
    world.set("ann", "zh-CN", &[], |_| ());
    world.set("bob", "fr", &[], |_| ());
    world.on("09:00", received(Priority::High, "11:00"));
    assert_eq!(world.said(), ["ann <- new zh-CN InApp 09:00", "bob <- new en InApp 09:00"]);
    let told = view::of_ticket(&world.state, &tenant(), TICKET, world.now).unwrap();
    assert_eq!(told[0].words.subject, "工单 00000000");
}

/// Proves part of: N1, N4
#[test]
fn presence_and_urgency_choose_the_media() {
    let calm = json!({"on": ["Received"], "audience": {"accountable": true}});
    let urgent = json!({"on": ["Received"], "audience": {"accountable": true}, "urgent": true});
    let limited = json!({"on": ["Received"], "audience": {"accountable": true}, "media": ["webhook"]});
    let mut world = World::with(&[("calm", calm), ("limited", limited), ("urgent", urgent)]);
    world.set("ann", "en", &[Medium::Email, Medium::Webhook], |_| ());
    world.set("bob", "en", &[Medium::Email], |_| ());
    let until = us("12:00");
    world.ask("bob", &Command::ReportPresence { presence: Presence::Online, until, device: None }).unwrap();
    world.said();
    world.on("09:00", received(Priority::High, "11:00"));
    let expected = [
        "ann <- calm en Email else Webhook+InApp 09:00",
        "bob <- calm en InApp else Email 09:00",
        "ann <- limited en Webhook 09:00",
        "bob <- limited en InApp 09:00",
        "ann <- urgent en Email+Webhook else InApp 09:00",
        "bob <- urgent en InApp+Email 09:00",
    ];
    assert_eq!(world.said(), expected);
}

/// Proves: N4
#[test]
fn what_somebody_has_before_them_chooses_the_medium_and_the_form() {
    let mut world =
        World::with(&[("calm", json!({"on": ["Received"], "audience": {"queue": "chiefs"}, "text": "two"}))]);
    let text =
        json!({"en": {"subject": "Ticket {{ ticket }}", "body": "At length: {{ queue }}.", "short": "{{ queue }}"}});
    world.apply("notifier", "MessageText", "two", &text);
    world.set("sue", "en", &[Medium::Email, Medium::Sms], |_| ());
    let until = us("12:00");
    let media = [
        (None, Presence::Online, "InApp else Email+Sms"),
        (Some(Device::Desktop), Presence::Online, "InApp else Email+Sms"),
        (Some(Device::Phone), Presence::Online, "Sms else InApp+Email"),
        (Some(Device::Phone), Presence::Away, "Email else Sms+InApp"),
    ];
    for (n, (device, presence, expected)) in (1..).zip(media) {
        world.ask("sue", &Command::ReportPresence { presence, until, device }).unwrap();
        world.said();
        let ticket = uuid::Uuid::from_u128(50 + n);
        let event = ticket::Event::Intake(received(Priority::High, "11:00"));
        world.on("09:00", crate::world::Happened(ticket::stream::ticket(ticket), event));
        assert_eq!(world.said(), [format!("sue <- calm en {expected} 09:00")]);
    }
    let told = view::of_ticket(&world.state, &tenant(), uuid::Uuid::from_u128(53), world.now).unwrap();
    let words = &told[0].words;
    assert_eq!((words.body.as_str(), words.short.as_deref()), ("At length: desk.", Some("desk")));
}

/// Proves part of: N4, N6
#[test]
fn what_can_wait_waits_and_never_too_long() {
    let desk = json!({"on": ["TakenInCharge", "WarningRaised"], "audience": {"accountable": true}});
    let mut world = World::with(&[("calm", desk)]);
    world.set("ann", "en", &[Medium::Email], |settings| settings.quiet = Some(NIGHT));
    world.on("20:00", received(Priority::High, "21:00")).on("22:10", taken("ann", "2024-03-05 09:00"));
    assert_eq!(world.said(), ["ann <- calm en Email else InApp 2024-03-05T07:00 QuietHours"]);
    world.on("22:11", started("repair", "22:00", "2024-03-05 06:00")).on("22:30", warned("repair", "22:30"));
    assert_eq!(world.said(), ["ann <- calm en Email else InApp 22:30"], "it would breach before she wakes");
    assert_eq!(world.deliver(arrived), 1, "the first one waits still");
    world.said();
    let until = Some(us("2024-03-05 08:00"));
    world.ask("ann", &Command::SetDoNotDisturb { until }).unwrap();
    world.said();
    world.until("2024-03-05 07:00");
    assert_eq!(world.deliver(arrived), 0);
    assert_eq!(world.said(), ["ann waits 2024-03-05T08:00 DoNotDisturb"], "put off again, not dropped");
    world.until("2024-03-05 08:00").deliver(arrived);
    assert_eq!(world.said(), ["ann again", "ann Email #1", "ann Email #1 arrived"]);
}

/// Proves part of: N4, N6
#[test]
fn a_second_try_respects_rest_as_the_first_does() {
    let mut world = World::with(&[("calm", json!({"on": ["TakenInCharge"], "audience": {"accountable": true}}))]);
    world.set("ann", "en", &[Medium::Email], |settings| settings.quiet = Some(NIGHT));
    world.on("20:00", received(Priority::High, "21:00")).on("21:59:55", taken("ann", "2024-03-06 09:00"));
    world.deliver(|_| crate::world::failed("refused 451", false));
    world.said();
    world.until("22:01").deliver(arrived);
    assert_eq!(world.said(), ["ann waits 2024-03-05T07:00 QuietHours"]);
    world.until("2024-03-05 07:00").deliver(arrived);
    assert_eq!(world.said(), ["ann again", "ann Email #2", "ann Email #2 arrived"]);
}

/// Sue sleeps, and is warned at seven of a clock that breaches at nine.
fn asleep() -> World {
    let mut world = World::with(&[("warn", json!({"on": ["WarningRaised"], "audience": {"queue": "chiefs"}}))]);
    world.set("sue", "en", &[Medium::Email], |settings| settings.quiet = Some(NIGHT));
    world.on("20:00", received(Priority::High, "21:00")).on("20:00", started("repair", "20:00", "2024-03-05 09:00"));
    world.on("22:30", warned("repair", "22:30"));
    assert_eq!(world.said(), ["sue <- warn en Email else InApp 2024-03-05T07:00 QuietHours"]);
    world
}

/// Proves part of: N4
#[test]
fn what_was_put_off_is_said_before_the_very_breach() {
    let mut world = asleep();
    world.on("22:40", started("repair", "20:00", "2024-03-05 07:00"));
    assert_eq!(world.said(), ["sue again"]);
}

/// Proves part of: N4
#[test]
fn a_clock_takes_along_what_is_said_of_itself_and_nothing_else() {
    let mut world = asleep();
    world.quietly("22:40", started("repair", "20:00", "2024-03-05 02:00"));
    world.quietly("22:41", started("reply", "20:00", "2024-03-05 01:00"));
    let causes = world.log.iter().rev().take(2);
    let wanted: Vec<_> = causes.map(|cause| Notifier::react(&world.state, cause).len()).collect();
    assert_eq!(wanted, [0, 1]);
}

/// Proves part of: N4
#[test]
fn a_deadline_that_moves_forward_takes_what_was_put_off_along() {
    let mut world = asleep();
    world.on("22:40", started("repair", "20:00", "2024-03-05 08:00"));
    assert!(world.said().is_empty(), "she still hears of it in time");
    world.on("23:00", started("repair", "20:00", "2024-03-05 02:00")).deliver(arrived);
    assert_eq!(world.said(), ["sue again", "sue Email #1", "sue Email #1 arrived"]);
}

/// Proves part of: N4
#[test]
fn what_is_put_off_is_in_nobody_s_inbox_before_its_time() {
    let mut world = World::with(&[("calm", json!({"on": ["TakenInCharge"], "audience": {"accountable": true}}))]);
    world.set("ann", "en", &[], |settings| settings.quiet = Some(NIGHT));
    world.on("20:00", received(Priority::High, "21:00")).on("22:10", taken("ann", "2024-03-06 09:00"));
    let listed = |world: &World| view::inbox(&world.state, (&tenant(), "ann"), false, (None, 10), world.now).0.len();
    assert_eq!(listed(&world), 0);
    world.said();
    world.until("2024-03-05 07:00");
    assert_eq!((world.said(), listed(&world)), (vec!["ann again".to_owned()], 1), "an event tells watchers of it");
}

/// Proves part of: N5
#[test]
fn a_cap_holds_back_and_drops_nothing() {
    let desk = json!({"on": ["ContactLogged"], "audience": {"queue": "chiefs"}});
    let mut world = World::with(&[("calm", desk)]);
    world.set("sue", "en", &[], |settings| settings.hourly_cap = 2);
    world.on("09:00", received(Priority::High, "21:00"));
    for n in 1..=5 {
        let summary = ticket::Personal::new(TICKET, "x".to_owned());
        let channel = ticket::intake::Channel::Phone;
        let called = ticket::intake::IntakeEvent::ContactLogged { channel, inbound: true, reached: true, summary };
        world.on(&format!("10:0{n}"), called);
    }
    let expected = [
        "sue <- calm en InApp 10:01",
        "sue <- calm en InApp 10:02",
        "sue <- calm en InApp 11:01 Cap",
        "sue <- calm en InApp 11:02 Cap",
        "sue <- calm en InApp 12:01 Cap",
    ];
    assert_eq!(world.said(), expected);
    let (waiting, _) = view::inbox(&world.state, (&tenant(), "sue"), true, (None, 10), world.now);
    let standings: Vec<_> = waiting.iter().map(|one| one.standing).collect();
    assert_eq!(standings, [view::Standing::Delivered, view::Standing::Delivered], "the others have not come yet");
    world.until("11:02");
    assert_eq!(world.said(), ["sue again", "sue again"]);
}

/// Proves part of: N5, X1
#[test]
fn a_rule_put_in_force_later_tells_nobody_of_what_is_past() {
    let desk = json!({"on": ["Received"], "audience": {"accountable": true}});
    let mut world = World::with(&[("new", desk.clone())]);
    world.on("09:00", received(Priority::High, "11:00"));
    assert_eq!(world.said().len(), 2);
    world.apply("notifier", "ReminderRule", "newer", &crate::world::rule(&desk));
    world.apply("intake", "Queue", "desk", &json!({"members": ["ann", "bob", "cyd"]}));
    world.react_again();
    assert!(world.said().is_empty());
    let behind = person("cyd", "12:00");
    let transferred = |reason: &str| ticket::intake::IntakeEvent::Transferred {
        from: "desk".into(),
        queue: "desk".into(),
        reason: reason.into(),
        next: behind.clone(),
    };
    // A lagging service: the step was taken before it came to tell of the first.
    let mut late = World::with(&[("new", desk)]);
    late.quietly("09:00", received(Priority::High, "11:00")).quietly("09:01", transferred("theirs")).react();
    assert!(late.said().is_empty(), "what is over is not told");
}
