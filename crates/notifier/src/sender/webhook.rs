//! Webhooks as Standard Webhooks describes them: one signed POST per letter, no redirects, answers by status alone.

use eventlog::clock::machine_now;
use http::header::CONTENT_TYPE;
use reqwest::Url;
use serde_json::{Map, Value, json};
use ticket::notifier::Medium;

use super::channel::{Carrier, Channel, Fault, Given, instant};
use super::http::{Http, ask, judge};
use super::list::Item;
use super::post::{Letter, Posting, permanent};
use super::{Taken, Trouble};
use crate::link::Link;

const SECOND_US: i64 = 1_000_000;
/// Longest URL, bytes.
const MAX_URL: usize = 2_000;
/// Shortest secret, characters: 24 bytes are what Standard Webhooks asks for at the least.
const MIN_SECRET: usize = 32;

pub(super) const CHANNEL: Channel =
    Channel { medium: Medium::Webhook, check, open: |tools| Ok(Some(Box::new(Webhook { http: tools.http.clone() }))) };

struct Webhook {
    http: Http,
}

fn check(given: &Given<'_>) -> Vec<Fault> {
    let mut faults: Vec<_> = url_fault(given).into_iter().collect();
    let secret = given.secret;
    if !secret.starts_with("whsec_") || standardwebhooks::Webhook::new(secret).is_err() || secret.len() < MIN_SECRET {
        faults.push(("secret", "must be a secret such as Standard Webhooks has, whsec_ and base64"));
    }
    faults
}

/// What is wrong with an address that is a URL.
pub(super) fn url_fault(given: &Given<'_>) -> Option<Fault> {
    let web = Url::parse(given.address).ok();
    let web = web.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    match web.filter(|_| given.address.len() <= MAX_URL) {
        None => Some(("address", "must be a URL such as https://example.org/hook")),
        Some(url) if !given.reach.admits(&url) => Some(("address", "must not lead to an address within the house")),
        Some(_) => None,
    }
}

impl Carrier for Webhook {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(self.send(letter))
    }
}

impl Webhook {
    async fn send(&self, letter: &Letter) -> Result<Taken, Trouble> {
        let request = self.http.post(&letter.address)?;
        let secret = letter.secret.as_deref().unwrap_or_default();
        let key = standardwebhooks::Webhook::new(secret).map_err(|_| permanent("secret invalid"))?;
        let body = body(letter);
        // Receivers check the time against their own clocks, which know nothing of ours in business time.
        let timestamp = machine_now() / SECOND_US;
        let signature = key.sign(&letter.message_id, timestamp, body.as_bytes());
        let signature = signature.map_err(|_| permanent("message invalid"))?;
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header(standardwebhooks::HEADER_WEBHOOK_ID, letter.message_id.as_str())
            .header(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, timestamp)
            .header(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        judge(&ask(request).await?)
    }
}

/// Links by what they do.
fn links(links: &[Link]) -> Value {
    let links = links.iter().map(|link| (link.verb.name().to_owned(), Value::from(link.url.as_str())));
    Value::Object(links.collect::<Map<_, _>>())
}

/// The payload: a type, an instant, and the data.
fn body(letter: &Letter) -> String {
    let mut data = json!({
        "reminder": letter.reminder,
        "tenant": letter.tenant.as_str(),
        "ticket": letter.ticket,
        "event": letter.kind,
        "language": letter.language,
        "subject": letter.subject,
        "body": letter.body,
        "urgent": letter.urgent,
    });
    if !letter.links.is_empty() {
        data["links"] = links(&letter.links);
    }
    if !letter.items.is_empty() {
        let item = |item: &Item| {
            let Item { ticket, reminder, subject, body, .. } = item;
            json!({ "ticket": ticket, "reminder": reminder, "subject": subject, "body": body, "links": links(&item.links) })
        };
        data["items"] = letter.items.iter().map(item).collect();
        data["more"] = letter.more.into();
    }
    json!({ "type": "reminder.sent", "timestamp": instant(letter.at), "data": data }).to_string()
}
