//! A reminder as it is planned: one of a rule's, or a digest.

use std::collections::BTreeMap;

use decider::Micros;
use ticket::notifier::{Medium, NotifierEvent, Recipient};
use uuid::Uuid;

use super::{Chosen, Held, Reminder, To};
use crate::facts::Facts;

/// What a digest's rule, its text and the kind of what it tells are called.
pub(crate) const DIGEST: &str = "digest";

impl Reminder {
    /// The reminder that this event plans; `at` says when and where in the log, and because of what.
    pub(crate) fn planned(event: &NotifierEvent, at: (Micros, u64, Option<Uuid>), ticket: Uuid) -> Option<Self> {
        if let NotifierEvent::DigestPlanned { .. } = event {
            return Self::digest(event, at, ticket);
        }
        let NotifierEvent::ReminderPlanned {
            rule,
            text,
            recipient,
            language,
            media,
            fallback,
            urgent,
            facts,
            step,
            send_at,
            deferred,
            answer_by,
            choice,
            next_medium_after_us,
            again_after_us,
            group,
            ..
        } = event
        else {
            return None;
        };
        let (planned_at, position, cause) = at;
        let to = match recipient {
            Recipient::Person(subject) => To::Person(subject.clone()),
            Recipient::Customer(contact) => To::Customer(contact.clone()),
        };
        let said = (language.clone(), Facts::of(facts));
        Some(Self {
            position,
            cause,
            rule: (rule.name.clone(), rule.version),
            text: (text.name.clone(), text.version),
            fallback: fallback.clone(),
            urgent: *urgent,
            step: *step,
            deferred: *deferred,
            answer_by: *answer_by,
            waits: deferred.map(|_| *send_at),
            shown: deferred.is_none(),
            insists: next_medium_after_us.map(|after| (after, *send_at)),
            repeats: again_after_us.map(|after| (after, *send_at)),
            chosen: choice.as_ref().and_then(Chosen::of),
            group: group.clone(),
            ..Self::new(ticket, to, said, (planned_at, *send_at), media.clone())
        })
    }

    /// The digest that this event plans.
    fn digest(
        event: &NotifierEvent,
        (planned_at, position, cause): (Micros, u64, Option<Uuid>),
        id: Uuid,
    ) -> Option<Self> {
        let NotifierEvent::DigestPlanned { recipient, language, medium, fallback, send_at, .. } = event else {
            return None;
        };
        let facts = BTreeMap::from([("kind".to_owned(), DIGEST.to_owned())]);
        let (to, said) = (To::Person(recipient.clone()), (language.clone(), Facts::of(&facts)));
        Some(Self {
            position,
            cause,
            fallback: fallback.clone(),
            holds: Some(Held::default()),
            ..Self::new(id, to, said, (planned_at, *send_at), vec![*medium])
        })
    }

    /// One that is sent at once, by these media and no other.
    fn new(
        ticket: Uuid,
        to: To,
        (language, facts): (String, Facts),
        (planned_at, send_at): (Micros, Micros),
        media: Vec<Medium>,
    ) -> Self {
        Self {
            ticket,
            position: 0,
            planned_at,
            cause: None,
            rule: (DIGEST.to_owned(), 0),
            text: (DIGEST.to_owned(), 0),
            to,
            language,
            media,
            fallback: Vec::new(),
            urgent: false,
            facts,
            step: 0,
            send_at,
            deferred: None,
            answer_by: None,
            waits: None,
            shown: true,
            again: 0,
            rearmed: None,
            fallen: Vec::new(),
            insists: None,
            tries: Vec::new(),
            read_at: None,
            taken: false,
            snoozed_until: None,
            end: None,
            ended: None,
            chosen: None,
            group: None,
            repeats: None,
            verdict: None,
            gathered: None,
            holds: None,
        }
    }
}
