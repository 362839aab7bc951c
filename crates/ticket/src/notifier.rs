//! What notifier records: what people were told of a ticket in `reminder/<ticket>` (of a queue, of a major event and in a
//! digest likewise, under an id of its own), and how each wants to be told in `recipient/<id>`.
//!
//! The intent comes before the effect: `ReminderPlanned`, then `AttemptStarted` for each try, then its outcome. Personal
//! data is in the fields of type [`Personal`](crate::Personal), and nowhere else: `ReminderPlanned` (a customer's contact),
//! `RecipientSet` (addresses).

use std::collections::BTreeMap;

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::choice::Choice;
use crate::intake::Priority;
use crate::sla::Pinned;

mod terms;

pub use terms::{Address, Deferral, Device, Medium, Presence, Quiet, Recall, Recipient, Then, Verdict};

/// An event of a `reminder/*` or `recipient/*` stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::large_enum_variant, reason = "events pass one at a time; no collection holds them")]
pub enum NotifierEvent {
    /// Somebody is to be told something.
    ReminderPlanned {
        /// The reminder.
        reminder: Uuid,
        /// The rule that wanted it.
        rule: Pinned,
        /// The text it is written with.
        text: Pinned,
        /// Who.
        recipient: Recipient,
        /// In which language.
        language: String,
        /// The media that are used at once; more than one if it is urgent.
        media: Vec<Medium>,
        /// The media that are tried after them, in order, while nothing arrived.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fallback: Vec<Medium>,
        /// Whether it may break quiet hours.
        urgent: bool,
        /// What the text may say; no personal data.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        facts: BTreeMap<String, String>,
        /// Counts the escalations of this cause from 0.
        step: u32,
        /// When it is sent.
        send_at: Micros,
        /// Why it is not sent at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deferred: Option<Deferral>,
        /// When it counts as unanswered, if an answer is wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_by: Option<Micros>,
        /// What its first medium and its instant were chosen from, if the rule learns.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<Choice>,
        /// How long after one medium the next of `fallback` is used though it arrived, as long as nobody saw it; never
        /// if not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_medium_after_us: Option<Micros>,
        /// How long after it was sent it comes a second time, as long as nothing was done; never if not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_after_us: Option<Micros>,
        /// What it is told together with, by the same rule to the same recipient: `queue/desk`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// Several reminders of somebody that waited are told in one message.
    DigestPlanned {
        /// The digest, which is sent as a reminder is.
        digest: Uuid,
        /// Whom, by token subject.
        recipient: String,
        /// In which language.
        language: String,
        /// By which medium.
        medium: Medium,
        /// The media that are tried after it, in order, while it did not arrive.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fallback: Vec<Medium>,
        /// When it is sent.
        send_at: Micros,
    },
    /// Its waiting ended: it is told within a digest, whose attempts are its own from here on.
    ReminderGathered {
        /// The reminder.
        reminder: Uuid,
        /// The digest.
        digest: Uuid,
    },
    /// Sending was put off.
    ReminderDeferred {
        /// The reminder.
        reminder: Uuid,
        /// Until when.
        until: Micros,
        /// Why.
        why: Deferral,
    },
    /// A try begins; whoever writes this may do it, and nobody else.
    AttemptStarted {
        /// The reminder.
        reminder: Uuid,
        /// Counts the tries by this medium from 1.
        attempt: u32,
        /// By which medium.
        medium: Medium,
        /// What the receiver de-duplicates by: the Message-ID, the webhook-id. The same for every try by this medium,
        /// until the recipient wanted it again later.
        message_id: String,
    },
    /// The try succeeded.
    AttemptSucceeded {
        /// The reminder.
        reminder: Uuid,
        /// The try.
        attempt: u32,
        /// By which medium.
        medium: Medium,
        /// What the other side said.
        receipt: String,
        /// What the other side calls it when it tells later what became of it, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// What the other side took reached the recipient's device, or ear.
    AttemptDelivered {
        /// The reminder.
        reminder: Uuid,
        /// The try.
        attempt: u32,
        /// By which medium.
        medium: Medium,
        /// What the other side said.
        receipt: String,
    },
    /// The try failed, or nobody knows how it ended; or it came back after the other side had taken it.
    AttemptFailed {
        /// The reminder.
        reminder: Uuid,
        /// The try.
        attempt: u32,
        /// By which medium.
        medium: Medium,
        /// What kind of failure: `refused 550`, `unreachable`, `unknown`; never an address.
        error: String,
        /// What follows.
        then: Then,
    },
    /// It arrived and nobody saw it in time: the next medium is used as well.
    MediumAdded {
        /// The reminder.
        reminder: Uuid,
        /// Which.
        medium: Medium,
    },
    /// The recipient takes, by a link in the text, the offer it is about; dispatch says whether it still stands.
    OfferTaken {
        /// The reminder.
        reminder: Uuid,
        /// The visit that is offered.
        visit: Uuid,
        /// Who, by token subject.
        by: String,
    },
    /// The recipient saw it.
    ReminderRead {
        /// The reminder.
        reminder: Uuid,
    },
    /// The recipient answers for it: no escalation follows.
    ReminderAcknowledged {
        /// The reminder.
        reminder: Uuid,
        /// Who, by token subject.
        by: String,
    },
    /// The recipient wants it again later.
    ReminderSnoozed {
        /// The reminder.
        reminder: Uuid,
        /// When.
        until: Micros,
    },
    /// What was put off, or wanted again later, came due: it lies in the inbox, and goes out by the other media.
    ReminderResumed {
        /// The reminder.
        reminder: Uuid,
    },
    /// Nothing was done about it in time: it comes a second time, by whatever it had arrived by.
    ReminderRepeated {
        /// The reminder.
        reminder: Uuid,
    },
    /// The recipient says what it was worth.
    ReminderJudged {
        /// The reminder.
        reminder: Uuid,
        /// What it was.
        verdict: Verdict,
        /// Who, by token subject.
        by: String,
    },
    /// It is no longer needed.
    ReminderRecalled {
        /// The reminder.
        reminder: Uuid,
        /// Why.
        why: Recall,
    },
    /// Nobody answered in time, or it did not arrive: the next step follows.
    ReminderUnanswered {
        /// The reminder.
        reminder: Uuid,
        /// Whether it had arrived anywhere.
        delivered: bool,
        /// The queue that is told now, if any is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escalates_to: Option<String>,
    },
    /// How somebody wants to be told.
    RecipientSet {
        /// The language of texts: a tag such as `en` or `zh-CN`.
        language: String,
        /// The IANA zone of the quiet hours.
        zone: String,
        /// Quiet hours, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quiet: Option<Quiet>,
        /// Most reminders an hour that are not urgent; no cap if 0.
        hourly_cap: u32,
        /// What matters less is told together with others, a few times a day; everything at once if not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        important_from: Option<Priority>,
        /// Where they are reached, the preferred first; the inbox needs no address.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        addresses: Vec<Address>,
    },
    /// The other side said that nothing will ever be taken there: the address is not used until it is set again.
    AddressEnded {
        /// By which medium.
        medium: Medium,
        /// The digest of the address, as it was set.
        digest: Uuid,
        /// What kind of failure said so: `status 410`; never an address.
        error: String,
    },
    /// Whether somebody is there.
    PresenceReported {
        /// What they are.
        presence: Presence,
        /// Until when it holds.
        until: Micros,
        /// What they have before them, if they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<Device>,
    },
    /// Somebody wants no reminders that can wait.
    DoNotDisturbSet {
        /// Until when; ended if it lies in the past.
        until: Micros,
    },
}

impl NotifierEvent {
    /// The reminder, or the digest, it is about; none for those of a recipient's own stream.
    pub fn reminder(&self) -> Option<Uuid> {
        match self {
            Self::ReminderPlanned { reminder, .. }
            | Self::DigestPlanned { digest: reminder, .. }
            | Self::ReminderGathered { reminder, .. }
            | Self::ReminderRepeated { reminder }
            | Self::ReminderJudged { reminder, .. }
            | Self::ReminderDeferred { reminder, .. }
            | Self::AttemptStarted { reminder, .. }
            | Self::AttemptSucceeded { reminder, .. }
            | Self::AttemptDelivered { reminder, .. }
            | Self::AttemptFailed { reminder, .. }
            | Self::MediumAdded { reminder, .. }
            | Self::OfferTaken { reminder, .. }
            | Self::ReminderRead { reminder }
            | Self::ReminderAcknowledged { reminder, .. }
            | Self::ReminderSnoozed { reminder, .. }
            | Self::ReminderResumed { reminder }
            | Self::ReminderRecalled { reminder, .. }
            | Self::ReminderUnanswered { reminder, .. } => Some(*reminder),
            Self::RecipientSet { .. }
            | Self::AddressEnded { .. }
            | Self::PresenceReported { .. }
            | Self::DoNotDisturbSet { .. } => None,
        }
    }
}
