//! Reminders on the wire: somebody's own, and those of a ticket.

use chassis::page::page_size;
use chassis::refuse::field;
use chassis::wire;
use eventlog::service::Ask;
use proto::notifier::v1 as pb;
use tonic::Status;
use uuid::Uuid;

use super::parse::{self, Who};
use super::{Grpc, PAGE_DEFAULT, PAGE_MAX, refuse, render};
use crate::command::Command;
use crate::outbox;
use crate::retry::Fate;
use crate::view;

/// Longest status of RFC 3463: three digits at the most in each part.
const MAX_STATUS: usize = 9;

/// A reminder after a command, and the position from which on that is visible.
type Outcome = Result<(Option<pb::Reminder>, String), Status>;

impl Grpc {
    pub(super) async fn inbox(&self, who: &Who, asked: &pb::ListInboxRequest) -> Result<pb::ListInboxResponse, Status> {
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let bound = format!("ListInbox\0{}\0{}", who.subject(), asked.unread);
        let before = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.notifier.clock().now();
        let whose = (&who.tenant, who.subject());
        let (reminders, next) =
            self.notifier.view(|state| view::inbox(state, whose, asked.unread, (before, limit), now));
        let next_page_token = self.token(&who.tenant, &bound, next.as_ref())?;
        let reminders = reminders.into_iter().map(|one| render::reminder(&who.tenant, one)).collect();
        Ok(pb::ListInboxResponse { reminders, next_page_token, log_position })
    }

    pub(super) async fn reminders(
        &self,
        who: &Who,
        asked: &pb::ListRemindersRequest,
    ) -> Result<pb::ListRemindersResponse, Status> {
        let unknown = || refuse::unknown("TICKET_NOT_FOUND");
        let ticket = wire::ticket_id(who.tenant.as_str(), &asked.ticket).ok_or_else(unknown)?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.notifier.clock().now();
        let found = self.notifier.view(|state| view::of_ticket(state, &who.tenant, ticket, now)).ok_or_else(unknown)?;
        let reminders = found.into_iter().map(|one| render::reminder(&who.tenant, one)).collect();
        Ok(pb::ListRemindersResponse { reminders, log_position })
    }

    pub(super) async fn read(&self, who: &Who, ask: &Ask, name: &str) -> Outcome {
        let (ticket, reminder) = who.reminder_id(name)?;
        self.carry(who, ask, (ticket, reminder), &Command::Read { ticket, reminder }).await
    }

    pub(super) async fn acknowledge(&self, who: &Who, ask: &Ask, name: &str) -> Outcome {
        let (ticket, reminder) = who.reminder_id(name)?;
        self.carry(who, ask, (ticket, reminder), &Command::Acknowledge { ticket, reminder }).await
    }

    pub(super) async fn snooze(&self, who: &Who, ask: &Ask, asked: &pb::SnoozeReminderRequest) -> Outcome {
        let (ticket, reminder) = who.reminder_id(&asked.reminder)?;
        let until = wire::micros("until_time", asked.until_time)?;
        let until = until.ok_or_else(|| field("until_time", "is required"))?;
        self.carry(who, ask, (ticket, reminder), &Command::Snooze { ticket, reminder, until }).await
    }

    pub(super) async fn judge(&self, who: &Who, ask: &Ask, asked: &pb::JudgeReminderRequest) -> Outcome {
        let (ticket, reminder) = who.reminder_id(&asked.reminder)?;
        let verdict = parse::verdict(asked.verdict()).ok_or_else(|| field("verdict", "is required"))?;
        self.carry(who, ask, (ticket, reminder), &Command::Judge { ticket, reminder, verdict }).await
    }

    /// A mail came back.
    pub(super) async fn bounced(&self, who: &Who, asked: &pb::ReportBounceRequest) -> Outcome {
        let ask = who.ask("ReportBounce", asked, &asked.request_id)?;
        let permanent = asked.status.starts_with(['4', '5']) && asked.status.len() <= MAX_STATUS;
        if !permanent || !asked.status.chars().all(|letter| letter.is_ascii_digit() || letter == '.') {
            return Err(field("status", "must be a failure's status such as 5.1.1").into());
        }
        let id = asked.message_id.trim().trim_start_matches('<');
        let id = id.split('@').next().unwrap_or_default();
        self.notifier.catch_up().await.map_err(refuse::store)?;
        let found = self.notifier.view(|state| outbox::by_message_id(state, &who.tenant, id));
        let attempt = found.ok_or_else(|| refuse::unknown("REMINDER_NOT_FOUND"))?.attempt;
        let which = (attempt.ticket, attempt.reminder);
        let fate = Fate::Returned(format!("bounced {}", asked.status));
        self.carry(who, &ask, which, &Command::Hear(attempt, fate)).await
    }

    async fn carry(&self, who: &Who, ask: &Ask, which: (Uuid, Uuid), command: &Command) -> Outcome {
        let done = self.notifier.ask(ask, command).await.map_err(|failure| refuse::status(&failure))?;
        let now = self.notifier.clock().now();
        let found = self.notifier.view(|state| view::reminder(state, &who.tenant, which, now));
        Ok((found.map(|one| render::reminder(&who.tenant, one)), self.mark(done.position).await?))
    }
}
