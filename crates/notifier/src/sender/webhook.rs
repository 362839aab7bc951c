//! Webhooks as Standard Webhooks describes them: one signed POST per letter, no redirects, answers by status alone.

use std::sync::Arc;

use eventlog::clock::machine_now;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use jiff::fmt::rfc2822;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::json;

use super::Trouble;
use super::post::{ConfigError, Letter, Receipt, SenderConfig, passing, permanent};
use super::reach::{Reach, is_shut};

const SECOND_US: i64 = 1_000_000;
/// The trouble of an address that may not be called.
const FORBIDDEN: &str = "address forbidden";

/// An HTTP client that reaches what it may.
pub(super) struct Webhook {
    client: Client,
    reach: Reach,
}

impl Webhook {
    pub(super) fn new(config: &SenderConfig) -> Result<Self, ConfigError> {
        let reach = config.reach.clone();
        let client = Client::builder().redirect(Policy::none()).timeout(config.timeout).no_proxy().user_agent("docket");
        let client = client.dns_resolver(Arc::new(reach.clone())).build().map_err(ConfigError::Http)?;
        Ok(Self { client, reach })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<Receipt, Trouble> {
        let url = Url::parse(&letter.address).map_err(|_| permanent("address invalid"))?;
        // The client looks names up; what is an address already it would call.
        if !self.reach.admits(&url) {
            return Err(permanent(FORBIDDEN));
        }
        let secret = letter.secret.as_deref().unwrap_or_default();
        let key = standardwebhooks::Webhook::new(secret).map_err(|_| permanent("secret invalid"))?;
        let body = body(letter);
        // Receivers check the time against their own clocks, which know nothing of ours in business time.
        let timestamp = machine_now() / SECOND_US;
        let signature = key.sign(&letter.message_id, timestamp, body.as_bytes());
        let signature = signature.map_err(|_| permanent("message invalid"))?;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(standardwebhooks::HEADER_WEBHOOK_ID, letter.message_id.as_str())
            .header(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, timestamp)
            .header(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        match request.send().await {
            Ok(response) => judge(&response),
            Err(error) if is_shut(&error) => Err(permanent(FORBIDDEN)),
            Err(error) if error.is_timeout() => Err(passing("timeout")),
            Err(_) => Err(passing("unreachable")),
        }
    }
}

/// The payload: a type, an instant, and the data.
fn body(letter: &Letter) -> String {
    let timestamp = jiff::Timestamp::from_second(letter.at.div_euclid(SECOND_US)).unwrap_or_default().to_string();
    let data = json!({
        "reminder": letter.reminder,
        "tenant": letter.tenant.as_str(),
        "ticket": letter.ticket,
        "event": letter.kind,
        "language": letter.language,
        "subject": letter.subject,
        "body": letter.body,
        "urgent": letter.urgent,
    });
    json!({ "type": "reminder.sent", "timestamp": timestamp, "data": data }).to_string()
}

/// What a status means; the body of the answer is not read.
fn judge(response: &Response) -> Result<Receipt, Trouble> {
    let status = response.status();
    let kind = format!("status {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(Trouble { retry_after_secs: retry_after_secs(response), ..passing(kind) })
        }
        StatusCode::REQUEST_TIMEOUT => Err(passing(kind)),
        status if status.is_success() => Ok(Receipt(kind)),
        status if status.is_server_error() => Err(passing(kind)),
        _ => Err(permanent(kind)),
    }
}

/// Seconds, or the way to an instant by the machine's clock.
fn retry_after_secs(response: &Response) -> Option<u32> {
    let said = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let secs = said.parse::<i64>().ok().or_else(|| {
        let until = rfc2822::parse(said).ok()?.timestamp().as_second();
        Some(until - machine_now() / SECOND_US)
    })?;
    u32::try_from(secs.max(0)).ok()
}
