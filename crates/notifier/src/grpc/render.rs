//! From what was asked for to messages of the wire.

use chassis::wire::{ticket_name, timestamp};
use decider::{Micros, Tenant};
use proto::notifier::v1 as pb;
use ticket::intake::Priority;
use ticket::notifier::{Deferral, Medium, Presence, Quiet, Verdict};
use uuid::Uuid;

use crate::view::{PersonView, ReminderView, Standing, TryView};

/// Who the customer of a ticket is called.
const CUSTOMER: &str = "customer";
/// What stands in the place of erased text.
const ERASED_TEXT: &str = "(erased)";

/// What the wire calls a medium.
pub(super) fn wire_name(medium: Medium) -> String {
    format!("MEDIUM_{}", medium.name().to_ascii_uppercase())
}

pub(super) fn medium(medium: Medium) -> pb::Medium {
    pb::Medium::from_str_name(&wire_name(medium)).unwrap_or_default()
}

fn standing(standing: Standing) -> pb::ReminderState {
    match standing {
        Standing::Waiting => pb::ReminderState::Waiting,
        Standing::Sending => pb::ReminderState::Sending,
        Standing::Delivered => pb::ReminderState::Delivered,
        Standing::Read => pb::ReminderState::Read,
        Standing::Acknowledged => pb::ReminderState::Acknowledged,
        Standing::Snoozed => pb::ReminderState::Snoozed,
        Standing::Recalled => pb::ReminderState::Recalled,
        Standing::Unanswered => pb::ReminderState::Unanswered,
        Standing::Undelivered => pb::ReminderState::Undelivered,
    }
}

fn deferral(why: Deferral) -> &'static str {
    match why {
        Deferral::QuietHours => "quiet_hours",
        Deferral::DoNotDisturb => "do_not_disturb",
        Deferral::Cap => "cap",
        Deferral::BestTime => "best_time",
        Deferral::Grouped => "grouped",
        Deferral::Unimportant => "unimportant",
    }
}

fn attempt(view: TryView) -> pb::Attempt {
    pb::Attempt {
        number: view.number,
        medium: medium(view.medium).into(),
        start_time: Some(timestamp(view.started_at)),
        end_time: view.ended_at.map(timestamp),
        succeeded: view.receipt.is_some(),
        receipt: view.receipt.unwrap_or_default(),
        error: view.error.unwrap_or_default(),
        message_id: view.message_id,
        deliver_time: view.delivered_at.map(timestamp),
        digest: text(view.digest),
    }
}

fn verdict(verdict: Verdict) -> pb::Verdict {
    match verdict {
        Verdict::Useful => pb::Verdict::Useful,
        Verdict::NotUseful => pb::Verdict::NotUseful,
        Verdict::WrongPerson => pb::Verdict::WrongPerson,
    }
}

/// An id, empty if there is none.
fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn reminder(tenant: &Tenant, view: ReminderView) -> pb::Reminder {
    let ticket = ticket_name(tenant.as_str(), view.ticket);
    let media = |media: &[Medium]| media.iter().map(|one| medium(*one).into()).collect();
    pb::Reminder {
        name: format!("{ticket}/reminders/{}", view.id),
        ticket: if view.about.is_none() { ticket } else { String::new() },
        state: standing(view.standing).into(),
        recipient: view.recipient.unwrap_or_else(|| CUSTOMER.to_owned()),
        subject: view.words.subject,
        body: view.words.body,
        urgent: view.urgent,
        media: media(&view.media),
        fallback: media(&view.fallback),
        step: view.step,
        plan_time: Some(timestamp(view.planned_at)),
        send_time: Some(timestamp(view.send_at)),
        answer_by_time: view.answer_by.map(timestamp),
        deferred: view.deferred.map(deferral).unwrap_or_default().to_owned(),
        attempts: view.tries.into_iter().map(attempt).collect(),
        rule: view.rule.0,
        rule_version: view.rule.1,
        cause_id: text(view.cause),
        etag: view.version.to_string(),
        read_time: view.read_at.map(timestamp),
        end_time: view.ended_at.map(timestamp),
        group: view.group.unwrap_or_default(),
        digest: text(view.digest),
        verdict: view.verdict.map(verdict).unwrap_or_default().into(),
        about: view.about.unwrap_or_default(),
    }
}

fn presence(presence: Presence) -> pb::Presence {
    match presence {
        Presence::Online => pb::Presence::Online,
        Presence::Busy => pb::Presence::Busy,
        Presence::Away => pb::Presence::Away,
    }
}

/// `22:00`.
fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Somebody; `addresses` are those that were opened, each as it reads, in the order of the ways.
pub(super) fn person(view: PersonView, addresses: Vec<Option<String>>, now: Micros) -> pb::Recipient {
    let settings = view.settings;
    let holds = view.presence.filter(|(_, until)| now < *until);
    let time = |minute: fn(Quiet) -> u16| settings.quiet.map(|quiet| time_of_day(minute(quiet))).unwrap_or_default();
    let opened = settings.ways.iter().zip(addresses).map(|(way, address)| pb::Address {
        medium: medium(way.medium).into(),
        address: address.unwrap_or_else(|| ERASED_TEXT.to_owned()),
        secret: String::new(),
        ended: view.ended.get(&way.medium).cloned().unwrap_or_default(),
    });
    pb::Recipient {
        subject: view.subject,
        quiet_from: time(|quiet| quiet.from_minute),
        quiet_to: time(|quiet| quiet.to_minute),
        hourly_cap: settings.hourly_cap,
        important_from: settings.important_from.map(Priority::name).unwrap_or_default().to_owned(),
        addresses: opened.collect(),
        presence: holds.map_or(pb::Presence::Unspecified, |(known, _)| presence(known)).into(),
        presence_until_time: holds.map(|(_, until)| timestamp(until)),
        do_not_disturb_until_time: view.dnd_until.filter(|until| now < *until).map(timestamp),
        etag: view.version.to_string(),
        language: settings.language,
        zone: settings.zone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_medium_has_its_name_on_the_wire() {
        for one in Medium::ALL {
            assert_ne!(medium(one), pb::Medium::Unspecified, "{one:?}");
            assert_eq!(serde_json::to_value(one).unwrap(), one.name(), "stored as it is named");
        }
    }

    #[test]
    fn every_medium_but_the_inbox_has_a_channel() {
        use crate::sender::channel::channel;
        assert!(Medium::ALL.into_iter().all(|one| channel(one).is_some() == (one != Medium::InApp)));
    }
}
