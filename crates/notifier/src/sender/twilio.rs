//! The HTTP API of Twilio and of those compatible with it: forms in, JSON out, codes that say what went wrong.
//!
//! <https://www.twilio.com/docs/api/errors>

use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::http::{Http, ask, judge, said};
use super::post::{passing, permanent};
use super::{Taken, Trouble};

/// Codes of what may pass: queues that are full, and what is wrong with our account rather than with the recipient.
const PASSING: [i64; 7] = [20_003, 20_005, 20_429, 20_500, 20_503, 21_611, 30_001];

/// An account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    /// Where the API is.
    #[serde(default = "Account::usual")]
    url: String,
    /// The account's SID.
    #[serde(rename = "account")]
    sid: String,
    /// Its token.
    token: String,
    /// The number it is sent from.
    pub(super) from: String,
}

impl Account {
    fn usual() -> String {
        "https://api.twilio.com".to_owned()
    }

    /// Makes one thing of an account: `Messages`, `Calls`.
    pub(super) async fn make(&self, http: &Http, what: &str, form: &[(&str, &str)]) -> Result<Taken, Trouble> {
        let url = format!("{}/2010-04-01/Accounts/{}/{what}.json", self.url.trim_end_matches('/'), self.sid);
        let request = http.post(&url)?.basic_auth(&self.sid, Some(&self.token));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(form));
        let response = ask(request).await?;
        let (status, judged) = (response.status(), judge(&response));
        let answer = said(response).await;
        let code = answer.get("code").or_else(|| answer.get("error_code")).and_then(Value::as_i64);
        match (judged, code) {
            (Ok(receipt), None) => {
                let word = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                Ok(Taken::of(format!("{} {} {}", receipt.receipt, word("status"), word("sid")).trim()))
            }
            // A rate limit says when to come again.
            (Err(trouble), _) if status == StatusCode::TOO_MANY_REQUESTS => Err(trouble),
            (_, Some(code)) if PASSING.contains(&code) => Err(passing(format!("code {code}"))),
            (Err(trouble), Some(code)) if !trouble.permanent => Err(passing(format!("code {code}"))),
            (_, Some(code)) => Err(permanent(format!("code {code}"))),
            (Err(_), None) if status == StatusCode::UNAUTHORIZED => Err(passing("status 401")),
            (Err(trouble), None) => Err(trouble),
        }
    }
}

/// A form as it goes on the wire.
fn encoded(form: &[(&str, &str)]) -> String {
    Url::parse_with_params("form:", form).ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default()
}

/// Whether this is a telephone number as E.164 writes it.
pub(super) fn is_number(address: &str) -> bool {
    let digits = address.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
}
