//! What is recorded of reminders, as text.

use std::fmt::Write;

use decider::Micros;
use jiff::Timestamp;
use ticket::notifier::{Medium, NotifierEvent, Then};

use crate::world::World;

impl World {
    pub(crate) fn told(&self, event: &NotifierEvent) -> String {
        match event {
            NotifierEvent::ReminderPlanned { .. } => self.told_of_plan(event),
            NotifierEvent::ReminderDeferred { reminder, until, why } => {
                format!("{} waits {} {why:?}", self.who(*reminder), clock(*until))
            }
            NotifierEvent::AttemptStarted { reminder, attempt, medium, .. } => {
                format!("{} {medium:?} #{attempt}", self.who(*reminder))
            }
            NotifierEvent::AttemptSucceeded { reminder, attempt, medium, .. } => {
                format!("{} {medium:?} #{attempt} arrived", self.who(*reminder))
            }
            NotifierEvent::AttemptFailed { reminder, attempt, medium, error, then } => {
                let then = match then {
                    Then::Retry { at } => format!("again {}", clock(*at)),
                    Then::FallThrough { medium } => format!("then {medium:?}"),
                    Then::GiveUp => "given up".into(),
                };
                format!("{} {medium:?} #{attempt} {error}, {then}", self.who(*reminder))
            }
            NotifierEvent::AttemptDelivered { reminder, attempt, medium, receipt } => {
                format!("{} {medium:?} #{attempt} reached: {receipt}", self.who(*reminder))
            }
            NotifierEvent::MediumAdded { reminder, medium } => format!("{} also {medium:?}", self.who(*reminder)),
            NotifierEvent::OfferTaken { reminder, .. } => format!("{} takes it", self.who(*reminder)),
            NotifierEvent::DigestPlanned { recipient, medium, send_at, .. } => {
                format!("{recipient} <- digest {medium:?} {}", clock(*send_at))
            }
            NotifierEvent::ReminderGathered { reminder, .. } => format!("{} within", self.who(*reminder)),
            NotifierEvent::ReminderRepeated { reminder } => format!("{} a second time", self.who(*reminder)),
            NotifierEvent::ReminderJudged { reminder, verdict, by } => {
                format!("{} {verdict:?} says {by}", self.who(*reminder))
            }
            NotifierEvent::AddressEnded { medium, error, .. } => format!("no more {medium:?}: {error}"),
            NotifierEvent::ReminderRead { reminder } => format!("{} read", self.who(*reminder)),
            NotifierEvent::ReminderAcknowledged { reminder, .. } => format!("{} answered", self.who(*reminder)),
            NotifierEvent::ReminderSnoozed { reminder, until } => {
                format!("{} later {}", self.who(*reminder), clock(*until))
            }
            NotifierEvent::ReminderResumed { reminder } => format!("{} again", self.who(*reminder)),
            NotifierEvent::ReminderRecalled { reminder, why } => format!("{} recalled {why:?}", self.who(*reminder)),
            NotifierEvent::ReminderUnanswered { reminder, delivered, escalates_to } => {
                let to = escalates_to.as_deref().unwrap_or("nobody");
                format!("{} unanswered {delivered} -> {to}", self.who(*reminder))
            }
            NotifierEvent::RecipientSet { language, .. } => format!("set {language}"),
            NotifierEvent::PresenceReported { presence, .. } => format!("{presence:?}"),
            NotifierEvent::DoNotDisturbSet { until } => format!("undisturbed {}", clock(*until)),
        }
    }

    fn told_of_plan(&self, event: &NotifierEvent) -> String {
        let names = |media: &[Medium]| media.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join("+");
        let NotifierEvent::ReminderPlanned {
            reminder,
            rule,
            language,
            media,
            fallback,
            step,
            send_at,
            deferred,
            answer_by,
            ..
        } = event
        else {
            panic!("{event:?}")
        };
        let mut text = format!("{} <- {}", self.who(*reminder), rule.name);
        write!(text, " {} {}", language, names(media)).unwrap();
        if !fallback.is_empty() {
            write!(text, " else {}", names(fallback)).unwrap();
        }
        write!(text, " {}", clock(*send_at)).unwrap();
        if let Some(why) = deferred {
            write!(text, " {why:?}").unwrap();
        }
        if let Some(by) = answer_by {
            write!(text, " answer {}", clock(*by)).unwrap();
        }
        if *step > 0 {
            write!(text, " step {step}").unwrap();
        }
        text
    }
}

fn clock(at: Micros) -> String {
    let text = Timestamp::from_microsecond(at).unwrap().to_string();
    let text = text.strip_suffix(":00Z").unwrap_or(&text);
    text.strip_prefix("2024-03-04T").unwrap_or(text).to_owned()
}
