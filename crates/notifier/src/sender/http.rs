//! HTTP as every channel speaks it: only to where it may, without redirects, answers read up to a bound.

use std::sync::Arc;

use eventlog::clock::machine_now;
use http::StatusCode;
use http::header::RETRY_AFTER;
use jiff::fmt::rfc2822;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;

use super::post::{ConfigError, SenderConfig, passing, permanent};
use super::reach::{Reach, is_shut};
use super::{Taken, Trouble};

const SECOND_US: i64 = 1_000_000;
/// The trouble of an address that may not be called.
const FORBIDDEN: &str = "address forbidden";
/// The longest somebody's `Retry-After` is heeded, seconds: after that we ask again, unasked.
const MAX_RETRY_AFTER_SECS: i64 = 3_600;
/// As much of an answer as is read, bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// An HTTP client that reaches what it may.
#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    reach: Reach,
}

impl Http {
    pub(super) fn new(config: &SenderConfig) -> Result<Self, ConfigError> {
        let reach = config.reach.clone();
        let client = Client::builder().redirect(Policy::none()).timeout(config.timeout).no_proxy().user_agent("docket");
        let client = client.dns_resolver(Arc::new(reach.clone())).build().map_err(ConfigError::Http)?;
        Ok(Self { client, reach })
    }

    /// A POST to an address that may be called.
    pub(super) fn post(&self, url: &str) -> Result<RequestBuilder, Trouble> {
        let url = Url::parse(url).map_err(|_| permanent("address invalid"))?;
        // The client looks names up; what is an address already it would call.
        if !self.reach.admits(&url) {
            return Err(permanent(FORBIDDEN));
        }
        Ok(self.client.post(url))
    }
}

/// The answer to a request, whatever its status.
pub(super) async fn ask(request: RequestBuilder) -> Result<Response, Trouble> {
    request.send().await.map_err(|error| match error {
        error if is_shut(&error) => permanent(FORBIDDEN),
        error if error.is_timeout() => passing("timeout"),
        _ => passing("unreachable"),
    })
}

/// What a status means; the body of the answer is not read.
pub(super) fn judge(response: &Response) -> Result<Taken, Trouble> {
    let status = response.status();
    let kind = format!("status {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(Trouble { retry_after_secs: retry_after_secs(response), ..passing(kind) })
        }
        StatusCode::REQUEST_TIMEOUT => Err(passing(kind)),
        status if status.is_success() => Ok(Taken::of(kind)),
        status if status.is_server_error() => Err(passing(kind)),
        StatusCode::GONE => Err(Trouble { gone: true, ..permanent(kind) }),
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
    u32::try_from(secs.clamp(0, MAX_RETRY_AFTER_SECS)).ok()
}

/// The JSON of an answer; null if it is none, or too long.
pub(super) async fn said(mut response: Response) -> Value {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        if body.len() + part.len() > MAX_ANSWER {
            return Value::Null;
        }
        body.extend_from_slice(&part);
    }
    serde_json::from_slice(&body).unwrap_or_default()
}
