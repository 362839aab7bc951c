//! What the group robots of chat systems have in common: a POST of JSON to an address that holds the robot's token, an
//! answer with a code of its own inside a 200, and a pace that must be kept.

use eventlog::clock::machine_now;
use reqwest::Url;
use serde_json::Value;
use tokio::time::Instant;

use super::channel::{Carrier, Fault, Given, Tools};
use super::http::{Http, ask, judge, said};
use super::list::within;
use super::pace::{Limit, Pace};
use super::post::{Letter, Posting, passing, permanent};
use super::webhook::url_fault;
use super::{Taken, Trouble};
use crate::link::Link;
use crate::retry::PACED;

/// How one chat system is spoken to.
pub(super) struct Dialect {
    /// The member of an answer that holds its code; 0 is success.
    pub(super) code: &'static str,
    /// What the robot takes at the most.
    pub(super) limits: &'static [Limit],
    /// Codes that pass, each with the seconds to wait.
    pub(super) passing: &'static [(i64, u32)],
    /// The address it is posted to and what is posted, at this instant (microseconds since 1970).
    pub(super) write: fn(&Letter, &mut Url, i64) -> Value,
}

/// A chat system's robots.
pub(super) struct Robots {
    http: Http,
    dialect: &'static Dialect,
    pace: Pace,
}

impl Robots {
    pub(super) fn open(tools: &Tools<'_>, dialect: &'static Dialect) -> Box<dyn Carrier> {
        Box::new(Self { http: tools.http.clone(), dialect, pace: Pace::new(dialect.limits) })
    }

    async fn send(&self, letter: &Letter) -> Result<Taken, Trouble> {
        let mut url = Url::parse(&letter.address).map_err(|_| permanent("address invalid"))?;
        if let Err(wait) = self.pace.turn(&letter.address, &letter.message_id, Instant::now()) {
            // Whole seconds, so that it does not come before its turn.
            let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return Err(Trouble { retry_after_secs: u32::try_from(secs).ok(), ..passing(PACED) });
        }
        // Robots check the time against their own clocks.
        let body = (self.dialect.write)(letter, &mut url, machine_now());
        let request = self.http.post(url.as_str())?.header("content-type", "application/json; charset=utf-8");
        let response = ask(request.body(body.to_string())).await?;
        judge(&response)?;
        let answer = said(response).await;
        let Some(code) = answer.get(self.dialect.code).and_then(Value::as_i64) else {
            return Err(passing("answer not understood"));
        };
        let kind = format!("code {code}");
        match self.dialect.passing.iter().find(|(passing, _)| *passing == code) {
            _ if code == 0 => Ok(Taken::of(kind)),
            Some((_, secs)) => Err(Trouble { retry_after_secs: Some(*secs), ..passing(kind) }),
            None => Err(permanent(kind)),
        }
    }
}

impl Carrier for Robots {
    fn carry<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(self.send(letter))
    }
}

/// What is wrong with the address of a robot that checks signatures, if it is told to.
pub(super) fn check(given: &Given<'_>) -> Vec<Fault> {
    url_fault(given).into_iter().collect()
}

/// The subject, the body and the links, in the Markdown that chat systems read; of a digest as many as fit into so many
/// bytes.
pub(super) fn markdown(letter: &Letter, bytes: usize) -> String {
    let links = |links: &[Link]| {
        let links = links.iter().map(|link| format!("[{}]({})", link.label(&letter.language), link.url));
        links.collect::<Vec<_>>().join(" | ")
    };
    let body = if letter.items.is_empty() {
        letter.body.clone()
    } else {
        let room = bytes.saturating_sub(letter.subject.len() + "****\n\n".len());
        within(letter, room, |item| format!("\n\n{}", links(&item.links)))
    };
    let parts = [format!("**{}**", letter.subject), body, links(&letter.links)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
