//! The channels by which letters leave the house: each in a file of its own, with one line in the table here.

use decider::Micros;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ticket::notifier::Medium;

use super::hear::Mouth;
use super::http::Http;
use super::post::{ConfigError, Letter, Posting, SenderConfig};
use super::reach::Reach;
use super::{dingtalk, feishu, mail, push, sms, voice, webhook, wecom};

/// How letters leave by one medium.
pub(crate) struct Channel {
    pub(crate) medium: Medium,
    /// Everything that is wrong with an address and its secret.
    pub(crate) check: fn(&Given<'_>) -> Vec<Fault>,
    /// The carrier, if the configuration has what it needs.
    pub(super) open: fn(&Tools<'_>) -> Opened,
}

/// A carrier; none where the configuration says nothing of it.
pub(super) type Opened = Result<Option<Box<dyn Carrier>>, ConfigError>;

/// Every channel; the inbox is none.
pub(crate) const CHANNELS: [Channel; 8] = [
    mail::CHANNEL,
    webhook::CHANNEL,
    sms::CHANNEL,
    voice::CHANNEL,
    wecom::CHANNEL,
    dingtalk::CHANNEL,
    feishu::CHANNEL,
    push::CHANNEL,
];

/// The channel of a medium; none for the inbox.
pub(crate) fn channel(medium: Medium) -> Option<&'static Channel> {
    CHANNELS.iter().find(|channel| channel.medium == medium)
}

/// An address as somebody sets it.
pub(crate) struct Given<'a> {
    pub(crate) address: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) reach: &'a Reach,
}

/// What is wrong: the field, and what it must be.
pub(crate) type Fault = (&'static str, &'static str);

impl Given<'_> {
    /// That there is a secret, where none is used.
    pub(super) fn needless_secret(&self) -> Option<Fault> {
        (!self.secret.is_empty()).then_some(("secret", "must be empty: nothing is signed with it"))
    }
}

/// Brings letters to their addresses by one medium.
pub(super) trait Carrier: Send + Sync {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a>;
}

/// What carriers are made of.
pub(super) struct Tools<'a> {
    pub(super) config: &'a SenderConfig,
    pub(super) http: &'a Http,
    pub(super) mouth: &'a Mouth,
}

impl Tools<'_> {
    /// What the configuration says of a medium, if anything.
    pub(super) fn section<T: DeserializeOwned>(&self, medium: Medium) -> Result<Option<T>, ConfigError> {
        let section = self.config.channels.get(medium.name()).cloned();
        let read = |section: Value| {
            serde_json::from_value(section).map_err(|error| ConfigError::Section(medium.name(), error.to_string()))
        };
        section.map(read).transpose()
    }
}

/// Names in the configuration that no channel reads.
pub(super) fn unread(config: &SenderConfig) -> Option<String> {
    let read = [Medium::Sms, Medium::Voice, Medium::WebPush].map(Medium::name);
    let mut named = config.channels.as_object().into_iter().flat_map(|sections| sections.keys());
    named.find(|name| !read.contains(&name.as_str())).cloned()
}

/// As much of a text as fits into so many bytes, cut between characters and marked where it is.
pub(super) fn fitting(text: &str, bytes: usize) -> String {
    const MORE: &str = "…";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes.saturating_sub(MORE.len()));
    format!("{}{MORE}", &text[..end])
}

/// RFC 3339, to the second.
pub(super) fn instant(at: Micros) -> String {
    jiff::Timestamp::from_second(at.div_euclid(1_000_000)).unwrap_or_default().to_string()
}
