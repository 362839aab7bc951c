//! Examples of what notifier records.

use std::collections::BTreeMap;

use ticket::choice::{Alternative, Choice, Chooser};
use ticket::intake::{Contact, Priority};
use ticket::notifier::{
    Address, Deferral, Device, Medium, NotifierEvent, Presence, Quiet, Recall, Recipient, Then, Verdict,
};
use uuid::Uuid;

use super::{HOUR, MONDAY, about, pinned};

const REMINDER: Uuid = Uuid::from_u128(0x0195_5630_0000_7000_8000_0000_0000_0004);
const DIGEST: Uuid = Uuid::from_u128(0x0195_5630_0000_7000_8000_0000_0000_0005);

/// Every kind, fully set.
pub(super) fn full() -> Vec<NotifierEvent> {
    sending().into_iter().chain(answering()).chain(recipients()).collect()
}

/// The event with everything unset that may be; none where nothing may.
pub(super) fn minimal(event: &NotifierEvent) -> Option<NotifierEvent> {
    use NotifierEvent as E;
    Some(match event.clone() {
        E::ReminderPlanned {
            reminder,
            rule,
            text,
            recipient: _,
            language,
            media,
            fallback: _,
            urgent,
            facts: _,
            step,
            send_at,
            deferred: _,
            answer_by: _,
            choice: _,
            next_medium_after_us: _,
            again_after_us: _,
            group: _,
        } => E::ReminderPlanned {
            reminder,
            rule,
            text,
            recipient: Recipient::Person("ann".into()),
            language,
            media,
            fallback: Vec::new(),
            urgent,
            facts: BTreeMap::new(),
            step,
            send_at,
            deferred: None,
            answer_by: None,
            choice: None,
            next_medium_after_us: None,
            again_after_us: None,
            group: None,
        },
        E::DigestPlanned { digest, recipient, language, medium, fallback: _, send_at } => {
            E::DigestPlanned { digest, recipient, language, medium, fallback: Vec::new(), send_at }
        }
        E::ReminderUnanswered { reminder, delivered, escalates_to: _ } => {
            E::ReminderUnanswered { reminder, delivered, escalates_to: None }
        }
        E::RecipientSet { language, zone, quiet: _, hourly_cap, important_from: _, addresses: _ } => {
            E::RecipientSet { language, zone, quiet: None, hourly_cap, important_from: None, addresses: Vec::new() }
        }
        E::PresenceReported { presence, until, device: _ } => E::PresenceReported { presence, until, device: None },
        E::AttemptSucceeded { reminder, attempt, medium, receipt, reference: _ } => {
            E::AttemptSucceeded { reminder, attempt, medium, receipt, reference: None }
        }
        E::ReminderDeferred { .. }
        | E::AttemptStarted { .. }
        | E::AttemptDelivered { .. }
        | E::MediumAdded { .. }
        | E::ReminderGathered { .. }
        | E::ReminderRepeated { .. }
        | E::ReminderJudged { .. }
        | E::OfferTaken { .. }
        | E::AddressEnded { .. }
        | E::AttemptFailed { .. }
        | E::ReminderRead { .. }
        | E::ReminderAcknowledged { .. }
        | E::ReminderSnoozed { .. }
        | E::ReminderResumed { .. }
        | E::ReminderRecalled { .. }
        | E::DoNotDisturbSet { .. } => return None,
    })
}

fn sending() -> [NotifierEvent; 9] {
    use NotifierEvent as E;
    let contact =
        Contact { name: "Reception".into(), phone: "+49 30 0000000".into(), email: "desk@example.org".into() };
    let (reminder, attempt, medium) = (REMINDER, 1, Medium::Email);
    [
        E::ReminderPlanned {
            reminder,
            rule: pinned("offers"),
            text: pinned("offered"),
            recipient: Recipient::Customer(about(contact)),
            language: "en".into(),
            media: vec![Medium::InApp],
            fallback: vec![Medium::Email, Medium::Webhook],
            urgent: false,
            facts: BTreeMap::from([("priority".into(), "high".into()), ("ticket".into(), "01955630".into())]),
            step: 0,
            send_at: MONDAY,
            deferred: Some(Deferral::QuietHours),
            answer_by: Some(MONDAY + HOUR),
            choice: Some(choice()),
            next_medium_after_us: Some(HOUR),
            again_after_us: Some(HOUR / 2),
            group: Some("queue/desk".into()),
        },
        E::DigestPlanned {
            digest: DIGEST,
            recipient: "ann".into(),
            language: "en".into(),
            medium,
            fallback: vec![Medium::InApp],
            send_at: MONDAY + HOUR,
        },
        E::ReminderGathered { reminder, digest: DIGEST },
        E::ReminderDeferred { reminder, until: MONDAY + HOUR, why: Deferral::Cap },
        E::AttemptStarted { reminder, attempt, medium, message_id: "0195.1@docket".into() },
        E::AttemptSucceeded {
            reminder,
            attempt,
            medium,
            receipt: "250 accepted".into(),
            reference: Some("SM77".into()),
        },
        E::AttemptDelivered { reminder, attempt, medium, receipt: "status delivered".into() },
        E::AttemptFailed {
            reminder,
            attempt,
            medium,
            error: "refused 451".into(),
            then: Then::Retry { at: MONDAY + HOUR },
        },
        E::MediumAdded { reminder, medium },
    ]
}

fn choice() -> Choice {
    let option = |medium, send_at, hours, (expected_bp, seen, chance_bp)| Alternative {
        medium,
        send_at,
        hours,
        expected_bp,
        seen,
        chance_bp,
    };
    let among =
        vec![option(Medium::Email, MONDAY, 3, (4_000, 12, 6_000)), option(Medium::InApp, MONDAY, 3, (3_500, 0, 4_000))];
    Choice { by: Chooser::Learned, until: MONDAY + HOUR, taken: 1, among }
}

fn answering() -> [NotifierEvent; 9] {
    use NotifierEvent as E;
    let reminder = REMINDER;
    [
        E::OfferTaken { reminder, visit: Uuid::from_u128(9), by: "ann".into() },
        E::ReminderRead { reminder },
        E::ReminderAcknowledged { reminder, by: "ann".into() },
        E::ReminderSnoozed { reminder, until: MONDAY + HOUR },
        E::ReminderResumed { reminder },
        E::ReminderRepeated { reminder },
        E::ReminderJudged { reminder, verdict: Verdict::NotUseful, by: "ann".into() },
        E::ReminderRecalled { reminder, why: Recall::ActedOn },
        E::ReminderUnanswered { reminder, delivered: true, escalates_to: Some("seniors".into()) },
    ]
}

fn recipients() -> [NotifierEvent; 4] {
    use NotifierEvent as E;
    let address = |medium, digest, address: &str, secret: Option<&str>| Address {
        medium,
        digest: Uuid::from_u128(digest),
        address: about(address.into()),
        secret: secret.map(|secret| about(secret.into())),
        site: secret.map(|_| Uuid::from_u128(3)),
    };
    [
        E::RecipientSet {
            language: "zh-CN".into(),
            zone: "Asia/Shanghai".into(),
            quiet: Some(Quiet { from_minute: 1_320, to_minute: 420 }),
            hourly_cap: 6,
            important_from: Some(Priority::High),
            addresses: vec![
                address(Medium::Email, 1, "ann@example.org", None),
                address(Medium::Webhook, 2, "https://example.org/hook", Some("whsec_AAECAwQFBgc=")),
            ],
        },
        E::AddressEnded { medium: Medium::Webhook, digest: Uuid::from_u128(2), error: "status 410".into() },
        E::PresenceReported { presence: Presence::Busy, until: MONDAY + HOUR, device: Some(Device::Phone) },
        E::DoNotDisturbSet { until: MONDAY + HOUR },
    ]
}
