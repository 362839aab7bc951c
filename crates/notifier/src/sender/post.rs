//! The post: letters, how they leave the house, and what can go wrong with them.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use decider::{Micros, Tenant};
use serde_json::Value;
use ticket::notifier::Medium;
use uuid::Uuid;

use super::channel::{CHANNELS, Carrier, Tools, unread};
use super::hear::{Ear, Report, mouth_and_ear};
use super::http::Http;
use super::list::Item;
use super::reach::Reach;
use super::{Taken, Trouble};
use crate::link::Link;

/// Answers a conversation with a mail server takes: all of them together have so many times as long as one.
pub(super) const ANSWERS: u32 = 4;

/// A letter, ready to be sent. Not to be shown: it holds an address and may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whose.
    pub tenant: Tenant,
    /// The ticket it is about.
    pub ticket: Uuid,
    /// The reminder.
    pub reminder: Uuid,
    /// By which medium.
    pub medium: Medium,
    /// What the receiver de-duplicates by.
    pub message_id: String,
    /// A mail address, a URL, a telephone number, a browser's push subscription.
    pub address: String,
    /// What it is signed with, where its address wants that.
    pub secret: Option<String>,
    /// The kind of event that caused it.
    pub kind: String,
    /// The language of the text.
    pub language: String,
    /// One line.
    pub subject: String,
    /// As much as there is to say.
    pub body: String,
    /// Whether it may break quiet hours.
    pub urgent: bool,
    /// The business clock, microseconds since 1970.
    pub at: Micros,
    /// What its recipient may do at once; none where links are not served.
    pub links: Vec<Link>,
    /// What it lists, if it is a digest; its `body` says the same, without their links.
    pub items: Vec<Item>,
    /// How many more it would list.
    pub more: usize,
    /// Where a provider tells what became of it.
    pub status_url: Option<String>,
    /// Where the key goes that is pressed on the telephone.
    pub answer_url: Option<String>,
}

/// A letter on its way.
pub type Posting<'a> = Pin<Box<dyn Future<Output = Result<Taken, Trouble>> + Send + 'a>>;

/// A report that is waited for.
pub type Hearing<'a> = Pin<Box<dyn Future<Output = Report> + Send + 'a>>;

/// Brings letters to their addresses.
pub trait Post: Send + Sync {
    /// Sends a letter once; answers within [`Post::longest`].
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a>;

    /// The longest a letter is under way.
    fn longest(&self) -> Duration;

    /// The next report of what became of a letter; none ever comes where the post hears nothing.
    fn report(&self) -> Hearing<'_> {
        Box::pin(std::future::pending())
    }
}

/// How letters leave the house. Not to be shown: it holds passwords.
#[derive(Clone, Default)]
pub struct SenderConfig {
    /// `smtp://host:port`, with `?tls=required` or `?tls=opportunistic` for STARTTLS, or `smtps://host:port`; user and
    /// password within, but not where they could leave in clear. Without it nothing is sent by mail.
    pub smtp_url: Option<String>,
    /// Certificates in PEM form that are trusted for the mail server beside the machine's own.
    pub smtp_ca: Option<Vec<u8>>,
    /// Whom mails are from: `Docket <docket@example.org>`.
    pub mail_from: String,
    /// How long an answer is waited for, of a mail server or a webhook.
    pub timeout: Duration,
    /// Where addresses of the web may lead.
    pub reach: Reach,
    /// What channels need beside that, by the name of the medium: `sms`, `voice`, `web_push`; null for nothing.
    pub channels: Value,
}

/// Why letters cannot leave the house.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The mail server's URL is none.
    #[error("the mail server: {0}")]
    Smtp(lettre::transport::smtp::Error),
    /// The mail server is to be given a password in clear.
    #[error("the mail server: a password is sent under TLS alone; say smtps:// or ?tls=required")]
    Clear,
    /// The sender's address is none.
    #[error("the sender's address: {0}")]
    From(lettre::address::AddressError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client: {0}")]
    Http(reqwest::Error),
    /// What is said of a channel cannot be.
    #[error("channel {0}: {1}")]
    Section(&'static str, String),
    /// Something is said of a channel that there is not.
    #[error("there is no channel {0} that takes a configuration")]
    Channel(String),
}

/// The real world.
pub struct Outside {
    carriers: BTreeMap<Medium, Box<dyn Carrier>>,
    longest: Duration,
    ear: Ear,
}

impl Outside {
    /// Reads the configuration; nothing is connected before the first letter. Must be called inside a tokio runtime.
    pub fn new(config: &SenderConfig) -> Result<Self, ConfigError> {
        if let Some(name) = unread(config) {
            return Err(ConfigError::Channel(name));
        }
        let (http, (mouth, ear)) = (Http::new(config)?, mouth_and_ear());
        let tools = Tools { config, http: &http, mouth: &mouth };
        let mut carriers = BTreeMap::new();
        for channel in &CHANNELS {
            carriers.extend((channel.open)(&tools)?.map(|carrier| (channel.medium, carrier)));
        }
        Ok(Self { carriers, longest: config.timeout * ANSWERS, ear })
    }
}

impl Post for Outside {
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async move {
            let carrier = self.carriers.get(&letter.medium).ok_or_else(|| permanent("not configured"))?;
            let outcome = tokio::time::timeout(self.longest, carrier.carry(letter)).await;
            outcome.unwrap_or_else(|_elapsed| Err(passing("timeout")))
        })
    }

    fn longest(&self) -> Duration {
        self.longest
    }

    fn report(&self) -> Hearing<'_> {
        Box::pin(self.ear.next())
    }
}

/// Trouble that trying again cannot help.
pub(super) fn permanent(kind: impl Into<String>) -> Trouble {
    Trouble { kind: kind.into(), permanent: true, retry_after_secs: None, gone: false }
}

/// Trouble that may pass.
pub(super) fn passing(kind: impl Into<String>) -> Trouble {
    Trouble { kind: kind.into(), permanent: false, retry_after_secs: None, gone: false }
}
