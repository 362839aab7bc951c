//! What notifier's events are made of: media, addresses, recipients, and why something waits or is taken back.

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Personal;
use crate::intake::Contact;

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// The inbox of Docket itself.
    InApp,
    /// E-mail by SMTP.
    Email,
    /// An HTTP callback by Standard Webhooks.
    Webhook,
    /// A text message to a telephone.
    Sms,
    /// A telephone call that reads the text out.
    Voice,
    /// A group robot of WeCom.
    Wecom,
    /// A group robot of DingTalk.
    Dingtalk,
    /// A group robot of Feishu.
    Feishu,
    /// A browser's push service.
    WebPush,
}

impl Medium {
    /// Every medium.
    pub const ALL: [Self; 9] = [
        Self::InApp,
        Self::Email,
        Self::Webhook,
        Self::Sms,
        Self::Voice,
        Self::Wecom,
        Self::Dingtalk,
        Self::Feishu,
        Self::WebPush,
    ];

    /// Whether it reaches somebody who has a telephone before them, without ringing.
    pub const fn reaches_phone(self) -> bool {
        matches!(self, Self::Sms | Self::Wecom | Self::Dingtalk | Self::Feishu | Self::WebPush)
    }

    /// Whether there is little room: a telephone's, or that of somebody who listens.
    pub const fn is_short(self) -> bool {
        matches!(self, Self::Sms | Self::Voice | Self::WebPush)
    }

    /// Its name, as documents and events have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::WebPush => "web_push",
        }
    }
}

/// Where somebody is reached by a medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// By which medium.
    pub medium: Medium,
    /// Keyed hash of tenant, address and secret: tells whether it changed, and nothing else.
    pub digest: Uuid,
    /// A mail address, a URL, a telephone number, a browser's push subscription.
    pub address: Personal<String>,
    /// What letters to it are signed with: a webhook's secret, a robot's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Personal<String>>,
    /// Keyed hash of tenant and host, where it is at a host: tells which addresses fail together, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Uuid>,
}

/// Hours in which only what cannot wait is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quiet {
    /// From this minute of the day.
    pub from_minute: u16,
    /// To this minute of the day, exclusive; before `from_minute` if the night lies between.
    pub to_minute: u16,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// One of ours, by token subject.
    Person(String),
    /// The customer of the ticket, as the ticket says they are reached.
    Customer(Personal<Contact>),
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Looks at the inbox.
    Online,
    /// There, but not to be disturbed by what can wait.
    Busy,
    /// Not there.
    Away,
}

/// What somebody has before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// A screen at a desk.
    Desktop,
    /// A telephone.
    Phone,
}

/// Why a reminder waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deferral {
    /// The recipient's quiet hours.
    QuietHours,
    /// The recipient's busy presence or do-not-disturb.
    DoNotDisturb,
    /// As many as the recipient may get in an hour.
    Cap,
    /// The recipient is more likely to act on it then.
    BestTime,
    /// Others like it are waited for, to be told with it.
    Grouped,
    /// It matters less than what its recipient wants to hear of at once.
    Unimportant,
}

/// Why a reminder is no longer needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recall {
    /// Somebody took the step.
    ActedOn,
    /// The ticket ended.
    TicketEnded,
    /// A late fact showed that there was no breach.
    BreachRevoked,
    /// Another who was told with its recipient answers for it.
    Answered,
    /// What it was about is over.
    Over,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The same medium again.
    Retry {
        /// When.
        at: Micros,
    },
    /// The next medium, at once.
    FallThrough {
        /// Which.
        medium: Medium,
    },
    /// Nothing is left: the reminder did not arrive.
    GiveUp,
}

/// What a recipient says of a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was worth telling.
    Useful,
    /// It was not.
    NotUseful,
    /// Somebody else should have been told.
    WrongPerson,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Useful, Self::NotUseful, Self::WrongPerson];

    /// Its name, as events and links have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Useful => "useful",
            Self::NotUseful => "not_useful",
            Self::WrongPerson => "wrong_person",
        }
    }
}
