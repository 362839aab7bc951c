//! E-mail by SMTP: pooled connections, plain or under TLS, one message per letter.

use std::error::Error as _;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::Url;
use ticket::notifier::Medium;

use super::channel::{Carrier, Channel, Fault, Given};
use super::list::plain;
use super::post::{ANSWERS, ConfigError, Letter, Posting, SenderConfig, passing, permanent};
use super::{Taken, Trouble};

/// Open connections to the mail server at most.
const MAX_CONNECTIONS: u32 = 4;
/// Longest text of a mail server's answer that is kept, characters.
const MAX_RECEIPT: usize = 200;

/// Longest mail address, bytes.
const MAX_MAIL: usize = 254;
/// Refusals that are meant for us and not for the recipient: TLS wanted, authentication wanted or failed.
const OURS: [&str; 4] = ["530", "534", "535", "538"];

pub(super) const CHANNEL: Channel = Channel {
    medium: Medium::Email,
    check,
    open: |tools| {
        let url = tools.config.smtp_url.as_deref();
        Ok(url.map(|url| Mail::new(url, tools.config)).transpose()?.map(|mail| Box::new(mail) as Box<dyn Carrier>))
    },
};

fn check(given: &Given<'_>) -> Vec<Fault> {
    let odd = given.address.len() > MAX_MAIL || given.address.parse::<Address>().is_err();
    let fault = odd.then_some(("address", "must be a mail address such as ann@example.org"));
    fault.into_iter().chain(given.needless_secret()).collect()
}

/// A mail server.
struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Mail {
    fn new(url: &str, config: &SenderConfig) -> Result<Self, ConfigError> {
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(ConfigError::Smtp)?;
        if let Some(tls) = secured(url, config.smtp_ca.as_deref())? {
            server = server.tls(tls);
        }
        let pool = PoolConfig::new().max_size(MAX_CONNECTIONS);
        let server = server.timeout(Some(config.timeout)).pool_config(pool).build();
        let from = config.mail_from.parse().map_err(ConfigError::From)?;
        Ok(Self { server, from, timeout: config.timeout })
    }

    async fn send(&self, letter: &Letter) -> Result<Taken, Trouble> {
        let message = self.message(letter)?;
        match tokio::time::timeout(self.timeout * ANSWERS, self.server.send(message)).await {
            Ok(Ok(response)) => {
                let said = response.message().collect::<Vec<_>>().join(" ");
                Ok(Taken::of(receipt(&response.code().to_string(), &said)))
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
        message.body(plain(letter)).map_err(|_| permanent("message invalid"))
    }
}

impl Carrier for Mail {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(self.send(letter))
    }
}

/// How TLS is used where certificates of our own are trusted; nothing where the URL alone says it.
fn secured(url: &str, ca: Option<&[u8]>) -> Result<Option<Tls>, ConfigError> {
    let Ok(url) = Url::parse(url) else { return Ok(None) };
    let how = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, how)| how.into_owned());
    let wrapped = url.scheme() == "smtps";
    let required = how.as_deref() == Some("required");
    if !wrapped && !required && url.password().is_some() {
        return Err(ConfigError::Clear);
    }
    let (Some(ca), Some(host)) = (ca, url.host_str()) else { return Ok(None) };
    let certificate = Certificate::from_pem(ca).map_err(ConfigError::Smtp)?;
    let trusted = TlsParameters::builder(host.to_owned()).add_root_certificate(certificate).build();
    let trusted = trusted.map_err(ConfigError::Smtp)?;
    Ok(match how.as_deref() {
        _ if wrapped => Some(Tls::Wrapper(trusted)),
        Some("required") => Some(Tls::Required(trusted)),
        Some("opportunistic") => Some(Tls::Opportunistic(trusted)),
        _ => None,
    })
}

/// A mail server's answer; one that repeats an address is not kept.
fn receipt(code: &str, said: &str) -> String {
    let said = if said.contains('@') { "" } else { said };
    format!("{code} {said}").trim().chars().filter(|letter| !letter.is_control()).take(MAX_RECEIPT).collect()
}

/// Whether the other side is there but not whom it should be: of that its handshake comes to nothing as bad data, some way
/// down the causes.
fn is_handshake(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(failure) = cause {
        if failure.downcast_ref::<io::Error>().is_some_and(|failure| failure.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = failure.source();
    }
    false
}

fn trouble(error: &Error) -> Trouble {
    match error.status() {
        Some(code) if error.is_permanent() && !OURS.contains(&code.to_string().as_str()) => {
            permanent(format!("refused {code}"))
        }
        Some(code) => passing(format!("refused {code}")),
        None if error.is_timeout() => passing("timeout"),
        None if error.is_tls() || is_handshake(error) => passing("no secure connection"),
        None => passing("unreachable"),
    }
}
