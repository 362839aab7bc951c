//! Calls that read the text out, by an HTTP API such as Twilio's: what is said travels with the request as TwiML. The key 1
//! acknowledges, where links are served.
//!
//! <https://www.twilio.com/docs/voice/twiml>

use serde::Deserialize;
use ticket::notifier::Medium;

use super::channel::{Carrier, Channel, fitting};
use super::http::Http;
use super::post::{Letter, Posting};
use super::sms::check;
use super::twilio::Account;

/// Longest text read out, bytes; the whole may have 4,000 characters.
const MAX_TEXT: usize = 1_200;
/// How long a key is waited for, seconds.
const WAIT_SECS: u32 = 10;

pub(super) const CHANNEL: Channel = Channel {
    medium: Medium::Voice,
    check,
    open: |tools| {
        let provider = tools.section(Medium::Voice)?;
        Ok(provider
            .map(|Provider::Twilio(account)| Box::new(Voice { account, http: tools.http.clone() }) as Box<dyn Carrier>))
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    Twilio(Account),
}

struct Voice {
    account: Account,
    http: Http,
}

impl Carrier for Voice {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async move {
            let twiml = twiml(letter);
            let mut form =
                vec![("To", letter.address.as_str()), ("From", self.account.from.as_str()), ("Twiml", twiml.as_str())];
            form.extend(letter.status_url.as_deref().map(|url| ("StatusCallback", url)));
            self.account.make(&self.http, "Calls", &form).await
        })
    }
}

/// What is said on the telephone, and what follows a key.
fn twiml(letter: &Letter) -> String {
    let chinese = letter.language.starts_with("zh");
    let text = fitting(&format!("{}. {}", letter.subject, letter.body), MAX_TEXT);
    let Some(answer) = &letter.answer_url else {
        return format!("<Response>{}</Response>", say(&text, chinese));
    };
    let ask = if chinese { "请按 1 确认收到。" } else { "Press 1 to acknowledge." };
    let said = say(&format!("{text} {ask}"), chinese);
    let action = escaped(answer);
    format!(
        "<Response><Gather numDigits=\"1\" timeout=\"{WAIT_SECS}\" method=\"POST\" action=\"{action}\">{said}{said}\
         </Gather></Response>"
    )
}

/// The words of one voice.
pub(crate) fn say(text: &str, chinese: bool) -> String {
    let language = if chinese { "zh-CN" } else { "en-US" };
    format!("<Say language=\"{language}\">{}</Say>", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML 1.0 has no other control characters.
            letter if letter.is_control() && !"\n\r\t".contains(letter) => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
