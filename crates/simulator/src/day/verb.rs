//! What people do, as calls of the public API.

use decider::Micros;
use prost_types::Timestamp;
use proto::dispatch::v1 as dispatch;
use proto::intake::v1 as intake;
use proto::notifier::v1 as notifier;
use proto::sla_monitor::v1 as sla;
use tonic::Status;
use uuid::Uuid;

use super::person::Person;

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    /// The customer opens a ticket.
    Open(Box<intake::Ticket>),
    Take,
    /// Somebody writes, the customer or an agent.
    Write(intake::Author, &'static str),
    Raise,
    Hold(intake::WaitReason),
    Resume,
    Resolve,
    Confirm,
    Reject,
    Close,
    Reopen,
    Cancel,
    Accept,
    Decline,
    Depart,
    Arrive(Option<dispatch::Place>),
    Start,
    Pause,
    Continue,
    /// The work of a visit is done, with so many references.
    Complete(u32),
    Stop(dispatch::StopReason),
    /// A dispatcher gives a visit to an engineer, against the rules if there is a reason.
    Assign {
        engineer: String,
        override_reason: &'static str,
    },
    FallIll,
    Acknowledge,
    Explain {
        clock: String,
        cause: &'static str,
        note: &'static str,
    },
    /// The operator writes down how somebody wants to be told.
    Introduce(Box<notifier::Recipient>),
}

/// Something somebody wants to do.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// When.
    pub(crate) due: Micros,
    /// Which step: with person and target, what makes the request the same when it is made again.
    pub(crate) step: String,
    /// The ticket, visit or reminder it is done to, by its whole name; empty if there is none yet.
    pub(crate) target: String,
    /// When it happened, if that is said.
    pub(crate) occurred_at: Option<Micros>,
    pub(crate) verb: Verb,
}

/// What was answered.
pub(crate) struct Answered {
    pub(crate) log_position: String,
    /// What the request wrote about: the last part of the name is that of a stream.
    pub(crate) about: String,
    /// The ticket, if it was opened.
    pub(crate) ticket: Option<intake::Ticket>,
    /// Whether it is certain that the request wrote something: what holds already is answered without a trace.
    pub(crate) wrote: bool,
}

impl Answered {
    fn about(about: impl Into<String>, log_position: String) -> Self {
        Self { log_position, about: about.into(), ticket: None, wrote: true }
    }
}

/// Business time on the wire.
pub(crate) fn timestamp(at: Micros) -> Timestamp {
    Timestamp { seconds: at.div_euclid(1_000_000), nanos: i32::try_from(at.rem_euclid(1_000_000) * 1_000).unwrap_or(0) }
}

/// Business time off the wire; 0 if unset.
pub(crate) fn micros(at: Option<&Timestamp>) -> Micros {
    at.map_or(0, |at| at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000)
}

/// The ticket of a visit or reminder, or the ticket itself.
pub(crate) fn ticket_of(name: &str) -> &str {
    let parts: Vec<_> = name.match_indices('/').map(|(at, _)| at).collect();
    parts.get(3).map_or(name, |end| &name[..*end])
}

/// Sends it once.
pub(crate) async fn send(person: &Person, wish: &Wish, request: Uuid) -> Result<Answered, Status> {
    match &wish.verb {
        Verb::Open(ticket) => {
            let (ticket, occur_time) = (Some((**ticket).clone()), wish.occurred_at.map(timestamp));
            let asked = intake::OpenTicketRequest { ticket, occur_time, request_id: request.to_string() };
            let answer = person.intake().open_ticket(asked).await?.into_inner();
            let about = answer.ticket.as_ref().map(|ticket| ticket.name.clone()).unwrap_or_default();
            Ok(Answered { log_position: answer.log_position, about, ticket: answer.ticket, wrote: true })
        }
        Verb::Take
        | Verb::Write(..)
        | Verb::Raise
        | Verb::Hold(_)
        | Verb::Resume
        | Verb::Resolve
        | Verb::Confirm
        | Verb::Reject
        | Verb::Close
        | Verb::Reopen
        | Verb::Cancel => on_ticket(person, wish, request).await,
        Verb::Accept
        | Verb::Decline
        | Verb::Depart
        | Verb::Arrive(_)
        | Verb::Start
        | Verb::Pause
        | Verb::Continue
        | Verb::Complete(_)
        | Verb::Stop(_)
        | Verb::Assign { .. } => on_visit(person, wish, request).await,
        Verb::FallIll | Verb::Acknowledge | Verb::Explain { .. } | Verb::Introduce(_) => {
            aside(person, wish, request).await
        }
    }
}

async fn on_ticket(person: &Person, wish: &Wish, request: Uuid) -> Result<Answered, Status> {
    let mut client = person.intake();
    let (name, etag, request_id) = (wish.target.clone(), String::new(), request.to_string());
    let occur_time = wish.occurred_at.map(timestamp);
    let text = |text: &str| text.to_owned();
    macro_rules! call {
        ($method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
            let asked = intake::$request { name, etag, request_id, occur_time, $($field: $value),* };
            client.$method(asked).await?.into_inner().log_position
        }};
    }
    let position = match &wish.verb {
        Verb::Take => call!(take_ticket, TakeTicketRequest {}),
        Verb::Write(author, words) => {
            let author = (*author).into();
            call!(add_comment, AddCommentRequest { text: text(words), internal: false, author: author })
        }
        Verb::Raise => {
            let reason = text("More people are touched than it looked.");
            let priority = intake::Priority::Critical.into();
            call!(set_priority, SetPriorityRequest { impact: 0, urgency: 0, priority: priority, reason: reason })
        }
        Verb::Hold(reason) => {
            call!(hold_ticket, HoldTicketRequest { reasons: vec![(*reason).into()], look_again_time: None })
        }
        Verb::Resume => call!(resume_ticket, ResumeTicketRequest { reasons: Vec::new() }),
        Verb::Resolve => {
            let (solution, evidence) = (text("Repaired and tried together."), vec![text("photo:after.jpg")]);
            call!(resolve_ticket, ResolveTicketRequest { solution: solution, evidence: evidence })
        }
        Verb::Confirm => call!(confirm_ticket, ConfirmTicketRequest {}),
        Verb::Reject => call!(reject_ticket, RejectTicketRequest { reason: text("It does the same again.") }),
        Verb::Close => call!(close_ticket, CloseTicketRequest { review: text("Complete.") }),
        Verb::Reopen => call!(reopen_ticket, ReopenTicketRequest { reason: text("It is back.") }),
        _ => call!(cancel_ticket, CancelTicketRequest { reason: text("Opened by mistake."), force: false }),
    };
    Ok(Answered::about(&wish.target, position))
}

async fn on_visit(person: &Person, wish: &Wish, request: Uuid) -> Result<Answered, Status> {
    let mut client = person.dispatch();
    let (visit, etag, request_id) = (wish.target.clone(), String::new(), request.to_string());
    let occur_time = wish.occurred_at.map(timestamp);
    let text = |text: &str| text.to_owned();
    macro_rules! call {
        ($method:ident, $request:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
            let asked = dispatch::$request { visit, etag, request_id, $($field $(: $value)?),* };
            client.$method(asked).await?.into_inner().log_position
        }};
    }
    let position = match &wish.verb {
        Verb::Accept => call!(accept_offer, AcceptOfferRequest {}),
        Verb::Decline => {
            call!(decline_offer, DeclineOfferRequest { reason: text("The tools for it are not with me.") })
        }
        Verb::Depart => call!(depart_to_visit, DepartToVisitRequest { occur_time }),
        Verb::Arrive(place) => call!(arrive_at_visit, ArriveAtVisitRequest { occur_time, place: *place }),
        Verb::Start => call!(start_work, StartWorkRequest { occur_time }),
        Verb::Pause => call!(pause_work, PauseWorkRequest { occur_time, reason: text("Fetching a tool.") }),
        Verb::Continue => call!(continue_work, ContinueWorkRequest { occur_time }),
        Verb::Complete(references) => {
            let evidence = (0..*references).map(|n| format!("photo:{n}.jpg")).collect();
            let report = text("Exchanged the worn part and tried it together.");
            call!(complete_visit, CompleteVisitRequest { occur_time, report: report, evidence: evidence })
        }
        Verb::Stop(reason) => {
            let (reason, note) = ((*reason).into(), text("To be gone on with."));
            call!(stop_visit, StopVisitRequest { occur_time, reason: reason, note: note })
        }
        Verb::Assign { engineer, override_reason } => {
            let (engineer, reason) = (engineer.clone(), text(override_reason));
            let asked = dispatch::AssignVisitRequest {
                visit,
                engineer,
                arrive_time: None,
                override_reason: reason,
                etag,
                request_id,
            };
            client.assign_visit(asked).await?.into_inner().log_position
        }
        other => return Err(Status::internal(format!("{other:?} is not done to a visit"))),
    };
    Ok(Answered::about(ticket_of(&wish.target), position))
}

/// What is done to no ticket and no visit.
async fn aside(person: &Person, wish: &Wish, request: Uuid) -> Result<Answered, Status> {
    let request_id = request.to_string();
    match &wish.verb {
        Verb::FallIll => {
            let reason = dispatch::OffDutyReason::Sick.into();
            let asked = dispatch::EndDutyRequest { engineer: String::new(), reason, back_time: None, request_id };
            let answer = person.dispatch().end_duty(asked).await?.into_inner();
            Ok(Answered::about(format!("engineers/{}", person.subject), answer.log_position))
        }
        Verb::Explain { clock, cause, note } => {
            let (ticket, clock) = (wish.target.clone(), clock.clone());
            let (cause, note) = ((*cause).to_owned(), (*note).to_owned());
            let asked = sla::ExplainBreachRequest { ticket, clock, cause, note, request_id };
            let answer = person.sla().explain_breach(asked).await?.into_inner();
            Ok(Answered::about(&wish.target, answer.log_position))
        }
        Verb::Introduce(recipient) => {
            let about = format!("recipients/{}", recipient.subject);
            let recipient = Some((**recipient).clone());
            let asked = notifier::SetRecipientRequest { recipient, validate_only: false, request_id };
            let answer = person.notifier().set_recipient(asked).await?.into_inner();
            Ok(Answered::about(about, answer.log_position))
        }
        _ => {
            let asked = notifier::AcknowledgeReminderRequest { reminder: wish.target.clone(), request_id };
            let answer = person.notifier().acknowledge_reminder(asked).await?.into_inner();
            // Recalled meanwhile, it needs no answer any more.
            let wrote = answer.reminder.is_some_and(|it| it.state() == notifier::ReminderState::Acknowledged);
            Ok(Answered { wrote, ..Answered::about(ticket_of(&wish.target), answer.log_position) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticket_is_the_first_four_parts_of_a_name() {
        assert_eq!(ticket_of("tenants/t/tickets/1/visits/2"), "tenants/t/tickets/1");
        assert_eq!(ticket_of("tenants/t/tickets/1"), "tenants/t/tickets/1");
    }

    #[test]
    fn time_goes_over_the_wire_and_back() {
        assert_eq!(micros(Some(&timestamp(1_700_000_000_123_456))), 1_700_000_000_123_456);
        assert_eq!(micros(None), 0);
    }
}
