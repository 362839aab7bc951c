//! What those ask who are told things: how they want to be told, and what they do with what they were told.

use decider::{Micros, Tenant};
use notifier::Command;
use notifier::person::{Settings, Way};
use ticket::Personal;
use ticket::intake::Priority;
use ticket::notifier::{Device, Medium, Presence, Quiet};
use uuid::Uuid;

use super::book::Asked;
use super::config::{AGENTS, ENGINEERS};
use super::dice::Dice;
use super::people::CANARY;
use super::truth::Truth;

/// What they ask.
pub(crate) const VERBS: [&str; 6] =
    ["ReadReminder", "Acknowledge", "Snooze", "SetRecipient", "ReportPresence", "SetDoNotDisturb"];

const MINUTE_US: Micros = 60_000_000;

/// What somebody does with a reminder: of which tenant, who, under which name.
pub(crate) fn answer(dice: &mut Dice, truth: &Truth, now: Micros) -> Option<(Tenant, String, &'static str, Asked)> {
    let all = truth.reminders.all.iter();
    // A digest is no reminder: what it tells is answered each by itself.
    let all: Vec<_> = all.filter(|(id, one)| !one.ended && one.person.is_some() && one.ticket != **id).collect();
    let (id, chosen) = *dice.any(&all)?;
    let (ticket, reminder) = (chosen.ticket, *id);
    let (name, command) = match dice.below(10) {
        0..4 => ("ReadReminder", Command::Read { ticket, reminder }),
        4..7 => ("Acknowledge", Command::Acknowledge { ticket, reminder }),
        _ => ("Snooze", Command::Snooze { ticket, reminder, until: now + dice.between(-5, 180) * MINUTE_US }),
    };
    let stranger = dice.chance(5).then(|| dice.pick(&AGENTS).to_owned());
    let who = stranger.or_else(|| chosen.person.clone())?;
    Some((chosen.tenant.clone(), who, name, Asked::Notifier(command)))
}

/// What somebody says of themselves: who, and under which name.
pub(crate) fn said(dice: &mut Dice, tenant: &Tenant, now: Micros) -> (String, &'static str, Asked) {
    let who = if dice.chance(50) { dice.pick(&AGENTS) } else { dice.pick(&ENGINEERS) };
    let until = now + dice.between(-10, 300) * MINUTE_US;
    let (name, command) = match dice.below(10) {
        0..4 => return (who.to_owned(), "SetRecipient", recipient(dice, tenant, who)),
        4..8 => {
            let presence = dice.pick(&[Presence::Online, Presence::Busy, Presence::Away]);
            let device = dice.pick(&[None, Some(Device::Desktop), Some(Device::Phone)]);
            ("ReportPresence", Command::ReportPresence { presence, until, device })
        }
        _ => ("SetDoNotDisturb", Command::SetDoNotDisturb { until: dice.chance(80).then_some(until) }),
    };
    (who.to_owned(), name, Asked::Notifier(command))
}

/// How somebody wants to be told.
pub(crate) fn recipient(dice: &mut Dice, tenant: &Tenant, who: &str) -> Asked {
    let subject = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{tenant} {who}").as_bytes());
    let mut ways = Vec::new();
    for (medium, chance) in [(Medium::Email, 90), (Medium::Webhook, 40)] {
        if dice.chance(chance) {
            let address = format!("{CANARY}-{who}-{}@{tenant}.example.com", dice.below(3));
            let digest = Uuid::new_v5(&subject, address.as_bytes());
            let secret = (medium == Medium::Webhook).then(|| Personal::new(subject, format!("whsec_{CANARY}")));
            ways.push(Way { medium, digest, address: Personal::new(subject, address), secret, site: None });
        }
    }
    let settings = Settings {
        language: dice.pick(&["en", "zh-CN", "fr"]).to_owned(),
        zone: "Europe/Berlin".to_owned(),
        quiet: dice.chance(30).then_some(Quiet { from_minute: 20 * 60, to_minute: 7 * 60 }),
        hourly_cap: dice.pick(&[0, 0, 0, 4]),
        important_from: dice.pick(&[None, None, Some(Priority::High)]),
        ways,
    };
    Asked::Notifier(Command::SetRecipient { subject: who.to_owned(), settings })
}
