//! Text messages, by an HTTP API such as Twilio's or by SMPP, as the configuration says.

use serde::Deserialize;
use ticket::notifier::Medium;

use super::channel::{Carrier, Channel, Fault, Given, fitting};
use super::http::Http;
use super::post::{Letter, Posting};
use super::smpp::{Centre, Smpp};
use super::twilio::{Account, is_number};

/// Longest text, bytes: ten parts of the shorter encoding and more of the longer.
const MAX_TEXT: usize = 1_500;

pub(super) const CHANNEL: Channel = Channel {
    medium: Medium::Sms,
    check,
    open: |tools| {
        Ok(match tools.section(Medium::Sms)? {
            None => None,
            Some(Provider::Twilio(account)) => Some(Box::new(Twilio { account, http: tools.http.clone() })),
            Some(Provider::Smpp(centre)) => Some(Box::new(Smpp::new(centre, tools.config.timeout, tools.mouth))),
        })
    },
};

/// Who takes them to the telephone.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    Twilio(Account),
    Smpp(Centre),
}

struct Twilio {
    account: Account,
    http: Http,
}

impl Carrier for Twilio {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async move {
            let text = text(letter);
            let mut form = vec![("To", letter.address.as_str()), ("From", self.account.from.as_str()), ("Body", &text)];
            form.extend(letter.status_url.as_deref().map(|url| ("StatusCallback", url)));
            self.account.make(&self.http, "Messages", &form).await
        })
    }
}

/// What is wrong with a telephone number.
pub(super) fn check(given: &Given<'_>) -> Vec<Fault> {
    let fault = (!is_number(given.address)).then_some(("address", "must be a telephone number such as +493012345678"));
    fault.into_iter().chain(given.needless_secret()).collect()
}

/// The subject, the body, and the first link: a message is short.
pub(super) fn text(letter: &Letter) -> String {
    let link = letter.links.first().map(|link| format!("\n{}: {}", link.label(&letter.language), link.url));
    let link = link.unwrap_or_default();
    let said = format!("{}\n{}", letter.subject, letter.body);
    format!("{}{link}", fitting(said.trim_end(), MAX_TEXT.saturating_sub(link.len())))
}
