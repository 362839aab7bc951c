//! What listens behind links. A GET shows what would be done, and does nothing: mail scanners and previews follow every
//! link. A POST does it, once, however often it comes.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use decider::Micros;
use eventlog::Service;
use eventlog::service::{Ask, Failure};
use reqwest::Url;
use ticket::notifier::Verdict;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{hear, voice};
use crate::command::{Command, Notifier};
use crate::link::page::{Says, page};
use crate::link::{Claim, Deed, Links, Shut, Verb};
use crate::outbox::{self, Whose};
use crate::refusal::Refusal;
use crate::retry::Fate;
use crate::view::{self, ReminderView};

const HOUR_US: Micros = 3_600_000_000;
/// Longest form taken, bytes.
const MAX_FORM: usize = 16 * 1_024;
/// Requests at once; more are told to come again.
const AT_ONCE: usize = 64;

/// A page loads nothing, frames nothing, and posts to itself alone; its address is a secret.
const POLICY: &str = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a recipient asks for; what they say of a reminder, if that is it.
type Asked = (Verb, Option<Verdict>);

#[derive(Clone)]
struct Behind {
    notifier: Arc<Service<Notifier>>,
    links: Links,
    room: Arc<Semaphore>,
}

/// Answers links.
pub fn router(notifier: Arc<Service<Notifier>>, links: Links) -> Router {
    let behind = Behind { notifier, links, room: Arc::new(Semaphore::new(AT_ONCE)) };
    let routes = Router::new().route("/l/{tenant}/{token}", get(show).post(act));
    routes.layer(DefaultBodyLimit::max(MAX_FORM)).with_state(behind)
}

async fn show(State(behind): State<Behind>, Path((tenant, token)): Path<(String, String)>) -> Response {
    let Ok(_room) = behind.room.try_acquire() else {
        return shown(StatusCode::SERVICE_UNAVAILABLE, &Says::Later, "en");
    };
    let claim = match behind.open(&tenant, &token) {
        Ok(claim) => claim,
        Err(shut) => return closed(shut),
    };
    match (claim.deed, behind.reminder(&claim)) {
        (Deed::Do(verb), Some(told)) => {
            shown(StatusCode::OK, &Says::Ask(verb, &told.words.subject), &behind.language(&claim, &told))
        }
        _ => closed(Shut::Forged),
    }
}

async fn act(State(behind): State<Behind>, Path((tenant, token)): Path<(String, String)>, body: Bytes) -> Response {
    let Ok(_room) = behind.room.try_acquire() else {
        return shown(StatusCode::SERVICE_UNAVAILABLE, &Says::Later, "en");
    };
    let claim = match behind.open(&tenant, &token) {
        Ok(claim) => claim,
        Err(shut) => return closed(shut),
    };
    let field = |name: &str| field(&body, name);
    match claim.deed {
        Deed::Do(Verb::Judge) => {
            let said = field("verdict").unwrap_or_default();
            let Some(verdict) = Verdict::ALL.into_iter().find(|known| known.name() == said) else {
                return closed(Shut::Forged);
            };
            behind.carry_out(&claim, (Verb::Judge, Some(verdict)), &token).await
        }
        Deed::Do(verb) => behind.carry_out(&claim, (verb, None), &token).await,
        Deed::Answer => behind.answer(&claim, field("Digits").as_deref() == Some("1"), &token).await,
        Deed::Status => {
            let state = field("MessageStatus").or_else(|| field("CallStatus")).unwrap_or_default();
            behind.told(&claim, &state, &field("ErrorCode").unwrap_or_default()).await
        }
    }
}

impl Behind {
    fn open(&self, tenant: &str, token: &str) -> Result<Claim, Shut> {
        self.links.open(tenant, token, self.notifier.clock().now())
    }

    fn reminder(&self, claim: &Claim) -> Option<ReminderView> {
        let (which, now) = ((claim.attempt.ticket, claim.attempt.reminder), self.notifier.clock().now());
        self.notifier.view(|state| view::reminder(state, &claim.tenant, which, now))
    }

    fn language(&self, claim: &Claim, told: &ReminderView) -> String {
        let person = |subject: &String| {
            self.notifier.view(|state| view::person(state, &claim.tenant, subject)).settings.language
        };
        told.recipient.as_ref().map(person).unwrap_or_default()
    }

    /// Does what a recipient asks for, as them.
    async fn carry_out(&self, claim: &Claim, asked: Asked, token: &str) -> Response {
        let Some(told) = self.reminder(claim) else { return closed(Shut::Forged) };
        let language = self.language(claim, &told);
        match self.does(claim, asked, token, &told).await {
            Ok(()) => shown(StatusCode::OK, &Says::Done(asked.0), &language),
            Err(Failure::Refused(_)) => shown(StatusCode::CONFLICT, &Says::Settled, &language),
            Err(failure) => {
                tracing::warn!(%failure, "a link could not be followed");
                shown(StatusCode::SERVICE_UNAVAILABLE, &Says::Later, &language)
            }
        }
    }

    async fn does(
        &self,
        claim: &Claim,
        asked: Asked,
        token: &str,
        told: &ReminderView,
    ) -> Result<(), Failure<Refusal>> {
        let Some(subject) = &told.recipient else { return Err(Failure::Refused(Refusal::ReminderUnknown)) };
        let (ticket, reminder) = (claim.attempt.ticket, claim.attempt.reminder);
        let command = match asked {
            (Verb::Judge, verdict) => {
                let verdict = verdict.ok_or(Failure::Refused(Refusal::ReminderUnknown))?;
                Command::Judge { ticket, reminder, verdict }
            }
            (Verb::Acknowledge, _) => Command::Acknowledge { ticket, reminder },
            (Verb::Snooze, _) => {
                let until = self.notifier.clock().now().saturating_add(HOUR_US);
                Command::Snooze { ticket, reminder, until }
            }
            (Verb::Accept, _) => Command::TakeOffer { ticket, reminder },
        };
        // One link is one request: followed again, it answers again and does nothing more; of what can be said, each once.
        let content = [token, asked.1.map_or("", Verdict::name)].concat().into_bytes();
        let request = Uuid::new_v5(&Uuid::NAMESPACE_URL, &content);
        let ask = Ask::by_user(claim.tenant.as_str(), subject, (request, content), "");
        self.notifier.ask(&ask, &command).await.map(drop)
    }

    /// A key was pressed on the telephone, or none.
    async fn answer(&self, claim: &Claim, pressed: bool, token: &str) -> Response {
        let Some(told) = self.reminder(claim) else { return closed(Shut::Forged) };
        let chinese = self.language(claim, &told).starts_with("zh");
        let either = |english: &'static str, chinese_text: &'static str| if chinese { chinese_text } else { english };
        let said = if !pressed {
            either("Not acknowledged.", "未确认。")
        } else if self.does(claim, (Verb::Acknowledge, None), token, &told).await.is_ok() {
            either("Acknowledged. Thank you.", "已确认，谢谢。")
        } else {
            either("That was not possible.", "暂时无法确认。")
        };
        let twiml = format!("<Response>{}</Response>", voice::say(said, chinese));
        ([(CONTENT_TYPE, "application/xml; charset=utf-8")], twiml).into_response()
    }

    /// A provider says what became of a letter.
    async fn told(&self, claim: &Claim, state: &str, code: &str) -> Response {
        let code: String = code.chars().filter(char::is_ascii_digit).take(8).collect();
        let fate = match state {
            "delivered" | "read" | "completed" => Fate::Delivered(format!("status {state}")),
            "undelivered" | "failed" | "busy" | "no-answer" | "canceled" => {
                Fate::Returned(format!("status {state} {code}").trim_end().to_owned())
            }
            // It goes on.
            _ => return StatusCode::NO_CONTENT.into_response(),
        };
        let whose = Whose { tenant: claim.tenant.clone(), attempt: claim.attempt.clone() };
        match hear::record(&self.notifier, |state| outbox::ended(state, &whose), &fate).await {
            Ok(true) => StatusCode::NO_CONTENT.into_response(),
            Ok(false) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

/// A field of a form.
fn field(body: &[u8], name: &str) -> Option<String> {
    let form = Url::parse(&format!("form:?{}", String::from_utf8_lossy(body))).ok()?;
    form.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn closed(shut: Shut) -> Response {
    let status = if shut == Shut::Over { StatusCode::GONE } else { StatusCode::NOT_FOUND };
    shown(status, &Says::Shut(shut), "en")
}

fn shown(status: StatusCode, says: &Says<'_>, language: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, page(says, language)).into_response()
}
