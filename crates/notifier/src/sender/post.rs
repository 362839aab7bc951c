//! The post: letters, how they leave the house, and what can go wrong with them.

use std::pin::Pin;
use std::time::Duration;

use decider::{Micros, Tenant};
use ticket::notifier::Medium;
use uuid::Uuid;

use super::reach::Reach;
use super::{Trouble, mail, webhook};

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
    /// A mail address, a URL.
    pub address: String,
    /// A webhook's signing secret.
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
}

/// What the other side said when it took a letter; never an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

/// A letter on its way.
pub type Posting<'a> = Pin<Box<dyn Future<Output = Result<Receipt, Trouble>> + Send + 'a>>;

/// Brings letters to their addresses.
pub trait Post: Send + Sync {
    /// Sends a letter once; answers within [`Post::longest`].
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a>;

    /// The longest a letter is under way.
    fn longest(&self) -> Duration;
}

/// How letters leave the house. Not to be shown: the mail server's URL may hold a password.
#[derive(Clone)]
pub struct SenderConfig {
    /// `smtp://host:port`, with `?tls=required` or `?tls=opportunistic` for STARTTLS, or `smtps://host:port`; user and
    /// password within. Without it nothing is sent by mail.
    pub smtp_url: Option<String>,
    /// Whom mails are from: `Docket <docket@example.org>`.
    pub mail_from: String,
    /// How long an answer is waited for, of a mail server or a webhook.
    pub timeout: Duration,
    /// Where webhooks may lead.
    pub reach: Reach,
}

/// Why letters cannot leave the house.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The mail server's URL is none.
    #[error("the mail server: {0}")]
    Smtp(lettre::transport::smtp::Error),
    /// The sender's address is none.
    #[error("the sender's address: {0}")]
    From(lettre::address::AddressError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client: {0}")]
    Http(reqwest::Error),
}

/// The real world: SMTP and HTTP.
pub struct Outside {
    mail: Option<mail::Mail>,
    webhook: webhook::Webhook,
    longest: Duration,
}

impl Outside {
    /// Reads the configuration; nothing is connected before the first letter. Must be called inside a tokio runtime.
    pub fn new(config: &SenderConfig) -> Result<Self, ConfigError> {
        let mail = config.smtp_url.as_deref().map(|url| mail::Mail::new(url, config)).transpose()?;
        Ok(Self { mail, webhook: webhook::Webhook::new(config)?, longest: config.timeout * ANSWERS })
    }
}

impl Post for Outside {
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async move {
            match (letter.medium, &self.mail) {
                (Medium::Email, Some(mail)) => mail.send(letter).await,
                (Medium::Webhook, _) => self.webhook.send(letter).await,
                (Medium::Email, None) | (Medium::InApp, _) => Err(permanent("not configured")),
            }
        })
    }

    fn longest(&self) -> Duration {
        self.longest
    }
}

/// Trouble that trying again cannot help.
pub(super) fn permanent(kind: impl Into<String>) -> Trouble {
    Trouble { kind: kind.into(), permanent: true, retry_after_secs: None }
}

/// Trouble that may pass.
pub(super) fn passing(kind: impl Into<String>) -> Trouble {
    Trouble { kind: kind.into(), permanent: false, retry_after_secs: None }
}
