//! What people do with their reminders, and how they say they want to be told.

use notifier::command::Attempt;
use notifier::retry::{Outcome, Trouble};
use notifier::view::{self, Standing};
use notifier::{Command, Refusal};
use serde_json::json;
use ticket::intake::Priority;
use ticket::notifier::{Medium, Presence};
use uuid::Uuid;

use crate::world::{TICKET, World, arrived, failed, received, started, tenant, us, warned};

fn told() -> World {
    let rule = json!({"on": ["Received"], "audience": {"accountable": true}, "answer_within": "30m"});
    let mut world = World::with(&[("new", rule)]);
    world.on("09:00", received(Priority::High, "11:00"));
    world.said();
    world
}

fn standing(world: &World, whose: &str) -> Standing {
    let (found, _) = view::inbox(&world.state, (&tenant(), whose), false, (None, 10), world.now);
    found[0].standing
}

/// Proves part of: N7
#[test]
fn a_reminder_is_read_and_answered_by_its_recipient_alone() {
    let mut world = told();
    let (ticket, reminder) = (TICKET, world.reminder("ann"));
    let read = Command::Read { ticket, reminder };
    assert_eq!(world.ask("bob", &read), Err(Refusal::ReminderUnknown), "it is not his");
    assert_eq!(world.ask("ann", &Command::Read { ticket: Uuid::nil(), reminder }), Err(Refusal::ReminderUnknown));
    assert_eq!((world.ask("ann", &read), world.ask("ann", &read)), (Ok(1), Ok(0)));
    assert_eq!(standing(&world, "ann"), Standing::Read);
    let answer = Command::Acknowledge { ticket, reminder };
    assert_eq!(world.ask("bob", &answer), Err(Refusal::ReminderUnknown));
    assert_eq!((world.ask("ann", &answer), world.ask("ann", &answer)), (Ok(1), Ok(0)));
    assert_eq!((standing(&world, "ann"), standing(&world, "bob")), (Standing::Acknowledged, Standing::Delivered));
    assert_eq!(
        world.ask("ann", &Command::Snooze { ticket, reminder, until: us("09:10") }),
        Err(Refusal::ReminderSettled)
    );
}

/// Proves part of: N6
#[test]
fn a_snooze_ends_before_it_would_be_too_late() {
    let mut world = told();
    let (ticket, reminder) = (TICKET, world.reminder("ann"));
    let snooze = |until: &str| Command::Snooze { ticket, reminder, until: us(until) };
    assert_eq!(world.ask("ann", &snooze("09:00")), Err(Refusal::NotAhead("until_time")));
    world.ask("ann", &Command::Read { ticket, reminder }).unwrap();
    assert_eq!((world.ask("ann", &snooze("09:10")), world.ask("ann", &snooze("09:10"))), (Ok(1), Ok(0)));
    assert_eq!(standing(&world, "ann"), Standing::Snoozed);
    world.until("09:10");
    assert_eq!(standing(&world, "ann"), Standing::Delivered, "it is unread again");
    assert_eq!(world.said()[2..], ["ann again"]);
    let read = Command::Read { ticket, reminder };
    assert_eq!((world.ask("ann", &read), world.ask("ann", &read)), (Ok(1), Ok(0)));
    assert_eq!(standing(&world, "ann"), Standing::Read);
    assert_eq!(world.ask("ann", &snooze("2024-03-09 09:00")), Ok(1));
    assert_eq!(world.said()[1..], ["ann later 09:30"], "not past the answer");
    world.until("09:31");
    assert_eq!(standing(&world, "ann"), Standing::Unanswered);
}

/// Proves part of: N4, N6
#[test]
fn what_somebody_wants_again_at_the_very_breach_waits_for_it() {
    let mut world = World::with(&[("warn", json!({"on": ["WarningRaised"], "audience": {"queue": "chiefs"}}))]);
    world.on("09:00", received(Priority::High, "11:00")).on("09:00", started("repair", "09:00", "12:00"));
    world.on("09:30", warned("repair", "09:30"));
    let (ticket, reminder) = (TICKET, world.reminder("sue"));
    world.ask("sue", &Command::Snooze { ticket, reminder, until: us("15:00") }).unwrap();
    assert_eq!(world.said()[1..], ["sue later 12:00"]);
    world.on("09:40", started("repair", "09:00", "12:00"));
    assert!(world.said().is_empty(), "nothing has moved");
    world.on("09:50", started("repair", "09:00", "11:59"));
    assert_eq!(world.said(), ["sue again"]);
}

/// Proves part of: N5, N7
#[test]
fn waiting_for_a_turn_lengthens_no_later_pause() {
    let mut world = World::with(&[("new", json!({"on": ["Received"], "audience": {"queue": "chiefs"}}))]);
    world.set("sue", "en", &[Medium::Email], |_| ());
    world.on("09:00", received(Priority::High, "11:00"));
    let paced = |_: &Attempt| {
        let (kind, retry_after_secs) = ("paced".to_owned(), Some(60));
        Outcome::Failed(Trouble { kind, permanent: false, retry_after_secs, gone: false })
    };
    for minute in 0..6 {
        assert_eq!(world.until(&format!("09:{minute:02}")).deliver(paced), 1);
    }
    assert_eq!(world.until("09:06").deliver(|_| failed("refused 451", false)), 1);
    assert_eq!(world.until("09:07").deliver(arrived), 1, "it is the first that was refused");
}

/// Proves part of: N6
#[test]
fn what_came_by_mail_comes_by_mail_again_after_a_snooze() {
    let mut world = World::with(&[("new", json!({"on": ["Received"], "audience": {"queue": "chiefs"}}))]);
    world.set("sue", "en", &[Medium::Email], |_| ());
    world.on("09:00", received(Priority::High, "11:00")).deliver(arrived);
    let (ticket, reminder) = (TICKET, world.reminder("sue"));
    world.ask("sue", &Command::Read { ticket, reminder }).unwrap();
    world.ask("sue", &Command::Snooze { ticket, reminder, until: us("10:00") }).unwrap();
    world.said();
    assert_eq!(world.until("09:59").deliver(arrived), 0);
    world.until("10:00").deliver(arrived);
    assert_eq!(world.said(), ["sue again", "sue Email #2", "sue Email #2 arrived"]);
    let told = view::of_ticket(&world.state, &tenant(), ticket, world.now).unwrap().remove(0);
    assert_ne!(told.tries[0].message_id, told.tries[1].message_id, "no receiver takes it for the same");
    assert_eq!(world.until("11:00").deliver(arrived), 0, "once");
}

/// Proves part of: N6, N7
#[test]
fn what_came_again_and_reached_nobody_then_goes_to_somebody_else() {
    let rule = json!({"on": ["Received"], "audience": {"queue": "chiefs"}, "escalate_to": "desk"});
    let mut world = World::with(&[("new", rule)]);
    world.set("sue", "en", &[Medium::Email], |_| ());
    world.on("09:00", received(Priority::High, "11:00")).deliver(arrived);
    let (ticket, reminder) = (TICKET, world.reminder("sue"));
    world.ask("sue", &Command::Snooze { ticket, reminder, until: us("10:00") }).unwrap();
    world.said();
    world.until("10:00").deliver(|_| failed("mailbox gone", true));
    let said = world.said();
    assert!(said.iter().any(|one| one.starts_with("sue unanswered") && one.ends_with("-> desk")), "{said:?}");
}

/// Proves part of: N7
#[test]
fn what_nobody_saw_is_unread_whatever_became_of_it() {
    let mut world = told();
    world.until("09:31");
    let unread = |world: &World| {
        let (found, _) = view::inbox(&world.state, (&tenant(), "ann"), true, (None, 10), world.now);
        found.iter().map(|one| one.standing).collect::<Vec<_>>()
    };
    assert_eq!(unread(&world), [Standing::Unanswered]);
    world.ask("ann", &Command::Read { ticket: TICKET, reminder: world.reminder("ann") }).unwrap();
    assert!(unread(&world).is_empty());
}

/// Proves part of: N4, N6
#[test]
fn people_say_how_they_want_to_be_told() {
    let mut world = told();
    let hour = 3_600_000_000;
    let presence = |until| Command::ReportPresence { presence: Presence::Busy, until, device: None };
    let now = world.now;
    assert_eq!(world.ask("ann", &presence(now)), Err(Refusal::NotAhead("until_time")));
    assert_eq!(world.ask("ann", &presence(now + 25 * hour)), Err(Refusal::TooFar("until_time", 24)));
    assert_eq!((world.ask("ann", &presence(now + hour)), world.ask("ann", &presence(now + hour))), (Ok(1), Ok(0)));
    let quiet = |until| Command::SetDoNotDisturb { until };
    assert_eq!(world.ask("ann", &quiet(None)), Ok(0), "nobody disturbs her");
    assert_eq!(world.ask("ann", &quiet(Some(now + 200 * hour))), Err(Refusal::TooFar("until_time", 168)));
    assert_eq!(
        (world.ask("ann", &quiet(Some(now + hour))), world.ask("ann", &quiet(Some(now + hour)))),
        (Ok(1), Ok(0))
    );
    assert_eq!((world.ask("ann", &quiet(None)), world.ask("ann", &quiet(None))), (Ok(1), Ok(0)));
    let known = view::person(&world.state, &tenant(), "ann");
    assert_eq!((known.version, known.dnd_until), (3, Some(now)));
}

#[test]
fn the_same_settings_again_are_nothing() {
    let mut world = told();
    world.set("ann", "en", &[Medium::Email], |_| ());
    let before = view::person(&world.state, &tenant(), "ann");
    world.set("ann", "en", &[Medium::Email], |_| ());
    assert_eq!(view::person(&world.state, &tenant(), "ann"), before);
    world.set("ann", "en", &[Medium::Email], |settings| settings.ways[0].digest = Uuid::nil());
    assert_eq!(view::person(&world.state, &tenant(), "ann").version, before.version + 1, "another address");
}

/// Proves part of: X5
#[test]
fn an_inbox_is_listed_newest_first_page_by_page() {
    let mut world = told();
    world.on("09:05", crate::world::taken("ann", "12:00"));
    let page = |cursor, limit| view::inbox(&world.state, (&tenant(), "bob"), false, (cursor, limit), world.now);
    let (all, end) = page(None, 10);
    assert_eq!((all.len(), end), (1, None));
    assert_eq!(all[0].standing, Standing::Recalled);
    let (unread, _) = view::inbox(&world.state, (&tenant(), "bob"), true, (None, 10), world.now);
    assert!(unread.is_empty(), "what was taken back need not be seen");
}
