//! E-mail by SMTP: pooled connections, plain or under TLS, one message per letter.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::Trouble;
use super::post::{ANSWERS, ConfigError, Letter, Receipt, SenderConfig, passing, permanent};

/// Open connections to the mail server at most.
const MAX_CONNECTIONS: u32 = 4;
/// Longest text of a mail server's answer that is kept, characters.
const MAX_RECEIPT: usize = 200;

/// A mail server.
pub(super) struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Mail {
    pub(super) fn new(url: &str, config: &SenderConfig) -> Result<Self, ConfigError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(ConfigError::Smtp)?;
        let pool = PoolConfig::new().max_size(MAX_CONNECTIONS);
        let server = server.timeout(Some(config.timeout)).pool_config(pool).build();
        let from = config.mail_from.parse().map_err(ConfigError::From)?;
        Ok(Self { server, from, timeout: config.timeout })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<Receipt, Trouble> {
        let message = self.message(letter)?;
        match tokio::time::timeout(self.timeout * ANSWERS, self.server.send(message)).await {
            Ok(Ok(response)) => {
                let said = response.message().collect::<Vec<_>>().join(" ");
                Ok(Receipt(receipt(&response.code().to_string(), &said)))
            }
            Ok(Err(error)) => Err(trouble(&error)),
            Err(_elapsed) => Err(passing("timeout")),
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, Trouble> {
        let to: Address = letter.address.parse().map_err(|_| permanent("address invalid"))?;
        let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(letter.at).unwrap_or_default());
        let message_id = format!("<{}@{}>", letter.message_id, self.from.email.domain());
        let header = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(at)
            .message_id(Some(message_id))
            .subject(letter.subject.clone())
            .raw_header(header("Auto-Submitted", "auto-generated".into()))
            .raw_header(header("Content-Language", letter.language.clone()))
            .raw_header(header("X-Docket-Reminder", letter.reminder.to_string()))
            .raw_header(header("X-Docket-Ticket", letter.ticket.to_string()))
            .header(ContentType::TEXT_PLAIN);
        message.body(letter.body.clone()).map_err(|_| permanent("message invalid"))
    }
}

/// A mail server's answer; one that repeats an address is not kept.
fn receipt(code: &str, said: &str) -> String {
    let said = if said.contains('@') { "" } else { said };
    format!("{code} {said}").trim().chars().filter(|letter| !letter.is_control()).take(MAX_RECEIPT).collect()
}

fn trouble(error: &Error) -> Trouble {
    match error.status() {
        Some(code) if error.is_permanent() => permanent(format!("refused {code}")),
        Some(code) => passing(format!("refused {code}")),
        None if error.is_timeout() => passing("timeout"),
        None if error.is_tls() => passing("no secure connection"),
        None => passing("unreachable"),
    }
}
