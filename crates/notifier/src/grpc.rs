//! The public API of notifier: the only file (with those below it) that knows both the wire and the rules.

mod documents;
mod effect;
mod inbox;
mod parse;
mod recipient;
mod refuse;
mod render;
mod replay;
mod watch;

use std::sync::Arc;

use chassis::access::Access;
use chassis::page::PageKey;
use chassis::refuse::internal;
use chassis::serve::MESSAGE_MAX_BYTES;
use chassis::token::Role;
use decider::Tenant;
use eventlog::Service;
use proto::notifier::v1 as pb;
use proto::notifier::v1::notifier_service_server::{NotifierService, NotifierServiceServer};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::command::Notifier;
use crate::sender::Reach;
use parse::Who;

pub use refuse::REASONS;

/// Every role: everybody may be told something.
const ANYONE: &[Role] =
    &[Role::Requester, Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];
/// Those on our side.
const STAFF: &[Role] = &[Role::Agent, Role::Engineer, Role::Dispatcher, Role::Supervisor, Role::Manager, Role::Admin];

/// Those who answer for how others are told.
const OVERSEERS: &[Role] = &[Role::Supervisor, Role::Manager, Role::Admin];

/// Which roles may call what.
pub const ACCESS: Access = &[
    ("docket.notifier.v1.NotifierService/ListInbox", ANYONE),
    ("docket.notifier.v1.NotifierService/WatchInbox", ANYONE),
    ("docket.notifier.v1.NotifierService/ReadReminder", ANYONE),
    ("docket.notifier.v1.NotifierService/AcknowledgeReminder", ANYONE),
    ("docket.notifier.v1.NotifierService/SnoozeReminder", ANYONE),
    ("docket.notifier.v1.NotifierService/JudgeReminder", ANYONE),
    ("docket.notifier.v1.NotifierService/ListReminders", STAFF),
    ("docket.notifier.v1.NotifierService/GetReminderEffect", OVERSEERS),
    ("docket.notifier.v1.NotifierService/ReplayReminders", OVERSEERS),
    ("docket.notifier.v1.NotifierService/SetRecipient", ANYONE),
    ("docket.notifier.v1.NotifierService/GetRecipient", ANYONE),
    ("docket.notifier.v1.NotifierService/ListRecipients", STAFF),
    ("docket.notifier.v1.NotifierService/ReportBounce", &[Role::Admin]),
    ("docket.notifier.v1.NotifierService/ReportPresence", ANYONE),
    ("docket.notifier.v1.NotifierService/SetDoNotDisturb", ANYONE),
    ("docket.notifier.v1.NotifierService/ApplyDocuments", &[Role::Admin]),
    ("docket.notifier.v1.NotifierService/ListDocuments", STAFF),
];

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The API over a running core.
#[derive(Clone)]
pub struct Grpc {
    notifier: Arc<Service<Notifier>>,
    pages: PageKey,
    reach: Reach,
    /// One replay at a time: each holds two states in memory.
    replays: Arc<Semaphore>,
}

/// The gRPC server of a running core; `pages` authenticates page tokens, the same on every replica; `reach` is where
/// webhooks may lead.
pub fn service(notifier: Arc<Service<Notifier>>, pages: PageKey, reach: Reach) -> NotifierServiceServer<Grpc> {
    let replays = Arc::new(Semaphore::new(1));
    NotifierServiceServer::new(Grpc { notifier, pages, reach, replays }).max_decoding_message_size(MESSAGE_MAX_BYTES)
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl NotifierService for Grpc {
    type WatchInboxStream = ReceiverStream<Result<pb::WatchInboxResponse, Status>>;

    async fn list_inbox(&self, request: Request<pb::ListInboxRequest>) -> Answer<pb::ListInboxResponse> {
        let (who, asked) = Who::of(request)?;
        self.inbox(&who, &asked).await.map(Response::new)
    }

    async fn watch_inbox(&self, request: Request<pb::WatchInboxRequest>) -> Answer<Self::WatchInboxStream> {
        let (who, asked) = Who::of(request)?;
        self.watch(who, &asked).await.map(Response::new)
    }

    async fn read_reminder(&self, request: Request<pb::ReadReminderRequest>) -> Answer<pb::ReadReminderResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("ReadReminder", &asked, &asked.request_id)?;
        let (reminder, log_position) = self.read(&who, &ask, &asked.reminder).await?;
        Ok(Response::new(pb::ReadReminderResponse { reminder, log_position }))
    }

    async fn acknowledge_reminder(
        &self,
        request: Request<pb::AcknowledgeReminderRequest>,
    ) -> Answer<pb::AcknowledgeReminderResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("AcknowledgeReminder", &asked, &asked.request_id)?;
        let (reminder, log_position) = self.acknowledge(&who, &ask, &asked.reminder).await?;
        Ok(Response::new(pb::AcknowledgeReminderResponse { reminder, log_position }))
    }

    async fn snooze_reminder(&self, request: Request<pb::SnoozeReminderRequest>) -> Answer<pb::SnoozeReminderResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("SnoozeReminder", &asked, &asked.request_id)?;
        let (reminder, log_position) = self.snooze(&who, &ask, &asked).await?;
        Ok(Response::new(pb::SnoozeReminderResponse { reminder, log_position }))
    }

    async fn judge_reminder(&self, request: Request<pb::JudgeReminderRequest>) -> Answer<pb::JudgeReminderResponse> {
        let (who, asked) = Who::of(request)?;
        let ask = who.ask("JudgeReminder", &asked, &asked.request_id)?;
        let (reminder, log_position) = self.judge(&who, &ask, &asked).await?;
        Ok(Response::new(pb::JudgeReminderResponse { reminder, log_position }))
    }

    async fn list_reminders(&self, request: Request<pb::ListRemindersRequest>) -> Answer<pb::ListRemindersResponse> {
        let (who, asked) = Who::of(request)?;
        self.reminders(&who, &asked).await.map(Response::new)
    }

    async fn get_reminder_effect(
        &self,
        request: Request<pb::GetReminderEffectRequest>,
    ) -> Answer<pb::GetReminderEffectResponse> {
        let (who, asked) = Who::of(request)?;
        self.effect(who, asked).await.map(Response::new)
    }

    async fn replay_reminders(
        &self,
        request: Request<pb::ReplayRemindersRequest>,
    ) -> Answer<pb::ReplayRemindersResponse> {
        let (who, asked) = Who::of(request)?;
        self.replay(&who, asked).await.map(Response::new)
    }

    async fn set_recipient(&self, request: Request<pb::SetRecipientRequest>) -> Answer<pb::SetRecipientResponse> {
        let (who, asked) = Who::of(request)?;
        self.set(&who, asked).await.map(Response::new)
    }

    async fn get_recipient(&self, request: Request<pb::GetRecipientRequest>) -> Answer<pb::GetRecipientResponse> {
        let (who, asked) = Who::of(request)?;
        self.get(&who, &asked).await.map(Response::new)
    }

    async fn list_recipients(&self, request: Request<pb::ListRecipientsRequest>) -> Answer<pb::ListRecipientsResponse> {
        let (who, asked) = Who::of(request)?;
        self.list(&who, &asked).await.map(Response::new)
    }

    async fn report_bounce(&self, request: Request<pb::ReportBounceRequest>) -> Answer<pb::ReportBounceResponse> {
        let (who, asked) = Who::of(request)?;
        let (reminder, log_position) = self.bounced(&who, &asked).await?;
        Ok(Response::new(pb::ReportBounceResponse { reminder, log_position }))
    }

    async fn report_presence(&self, request: Request<pb::ReportPresenceRequest>) -> Answer<pb::ReportPresenceResponse> {
        let (who, asked) = Who::of(request)?;
        let (recipient, log_position) = self.presence(&who, &asked).await?;
        Ok(Response::new(pb::ReportPresenceResponse { recipient: Some(recipient), log_position }))
    }

    async fn set_do_not_disturb(
        &self,
        request: Request<pb::SetDoNotDisturbRequest>,
    ) -> Answer<pb::SetDoNotDisturbResponse> {
        let (who, asked) = Who::of(request)?;
        let (recipient, log_position) = self.do_not_disturb(&who, &asked).await?;
        Ok(Response::new(pb::SetDoNotDisturbResponse { recipient: Some(recipient), log_position }))
    }

    async fn apply_documents(&self, request: Request<pb::ApplyDocumentsRequest>) -> Answer<pb::ApplyDocumentsResponse> {
        let (who, asked) = Who::of(request)?;
        self.apply(&who, asked).await.map(Response::new)
    }

    async fn list_documents(&self, request: Request<pb::ListDocumentsRequest>) -> Answer<pb::ListDocumentsResponse> {
        let (who, asked) = Who::of(request)?;
        self.documents(&who, &asked).await.map(Response::new)
    }
}

impl Grpc {
    /// The token of the page behind this cursor; empty if there is none.
    fn token<T: Serialize>(&self, tenant: &Tenant, bound: &str, next: Option<&T>) -> Result<String, Status> {
        let seal = |cursor| self.pages.seal(tenant.as_str(), bound, cursor).map_err(internal);
        Ok(next.map(seal).transpose()?.unwrap_or_default())
    }

    /// The opaque text of a position.
    async fn mark(&self, position: u64) -> Result<String, Status> {
        self.notifier.mark_at(position).await.map_err(refuse::store)
    }

    /// Waits until what the caller has seen is folded; answers the opaque text of what is.
    async fn reached(&self, min_position: &str) -> Result<String, Status> {
        self.notifier.reach_mark(min_position).await.map_err(refuse::unreached)
    }
}
