//! How people want to be told, on the wire. Addresses are opened for the person themselves and for administrators.

use chassis::page::page_size;
use chassis::refuse::{field, listed};
use chassis::token::Role;
use chassis::wire;
use proto::notifier::v1 as pb;
use tonic::Status;

use super::parse::{self, Who};
use super::{Grpc, PAGE_DEFAULT, PAGE_MAX, STAFF, refuse, render};
use crate::command::Command;
use crate::view::{self, PersonView};

const HOUR_US: i64 = 3_600_000_000;
/// Longest token subject that is told anything, bytes.
const MAX_SUBJECT: usize = 255;

impl Grpc {
    pub(super) async fn set(
        &self,
        who: &Who,
        asked: pb::SetRecipientRequest,
    ) -> Result<pb::SetRecipientResponse, Status> {
        let ask = who.ask("SetRecipient", &asked, &asked.request_id)?;
        let wanted = asked.recipient.ok_or_else(|| field("recipient", "is required"))?;
        let subject = if wanted.subject.is_empty() { who.subject() } else { &wanted.subject };
        if subject != who.subject() && !who.is_one_of(&[Role::Admin]) {
            let refused = listed(&[], "ROLE_REQUIRED", "only administrators say how others want to be told");
            return Err(refused.with("roles", Role::Admin.name()).into());
        }
        if subject.len() > MAX_SUBJECT || subject.contains('/') {
            return Err(field("recipient.subject", "must be a token subject").into());
        }
        let settings = parse::settings((&wanted, subject), &who.tenant, self.notifier.log(), &self.reach)?;
        let position = if asked.validate_only {
            self.notifier.position()
        } else {
            let command = Command::SetRecipient { subject: subject.to_owned(), settings };
            self.notifier.ask(&ask, &command).await.map_err(|failure| refuse::status(&failure))?.position
        };
        let recipient = Some(self.opened(who, subject).await?);
        Ok(pb::SetRecipientResponse { recipient, log_position: self.mark(position).await? })
    }

    pub(super) async fn get(
        &self,
        who: &Who,
        asked: &pb::GetRecipientRequest,
    ) -> Result<pb::GetRecipientResponse, Status> {
        let log_position = self.reached(&asked.min_position).await?;
        let subject = if asked.subject.is_empty() { who.subject() } else { &asked.subject };
        if subject != who.subject() && !who.is_one_of(STAFF) {
            return Err(refuse::unknown("RECIPIENT_NOT_FOUND"));
        }
        let recipient = if subject == who.subject() || who.is_one_of(&[Role::Admin]) {
            self.opened(who, subject).await?
        } else {
            closed(self.notifier.view(|state| view::person(state, &who.tenant, subject)), self.notifier.clock().now())
        };
        Ok(pb::GetRecipientResponse { recipient: Some(recipient), log_position })
    }

    pub(super) async fn list(
        &self,
        who: &Who,
        asked: &pb::ListRecipientsRequest,
    ) -> Result<pb::ListRecipientsResponse, Status> {
        let limit = page_size(asked.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let after: Option<String> = self.pages.open(who.tenant.as_str(), "ListRecipients", &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.notifier.clock().now();
        let page = |state: &_| view::people(state, &who.tenant, after.as_deref(), limit);
        let (people, next) = self.notifier.view(page);
        let next_page_token = self.token(&who.tenant, "ListRecipients", next.as_ref())?;
        let recipients = people.into_iter().map(|person| closed(person, now)).collect();
        Ok(pb::ListRecipientsResponse { recipients, next_page_token, log_position })
    }

    pub(super) async fn presence(
        &self,
        who: &Who,
        asked: &pb::ReportPresenceRequest,
    ) -> Result<(pb::Recipient, String), Status> {
        let presence = parse::presence(asked.presence());
        let presence = presence.ok_or_else(|| field("presence", "must be ONLINE, BUSY or AWAY"))?;
        let until = wire::micros("until_time", asked.until_time)?;
        let until = until.unwrap_or_else(|| self.notifier.clock().now() + HOUR_US);
        let ask = who.ask("ReportPresence", asked, &asked.request_id)?;
        let device = parse::device(asked.device());
        self.said(who, &ask, &Command::ReportPresence { presence, until, device }).await
    }

    pub(super) async fn do_not_disturb(
        &self,
        who: &Who,
        asked: &pb::SetDoNotDisturbRequest,
    ) -> Result<(pb::Recipient, String), Status> {
        let until = wire::micros("until_time", asked.until_time)?;
        let ask = who.ask("SetDoNotDisturb", asked, &asked.request_id)?;
        self.said(who, &ask, &Command::SetDoNotDisturb { until }).await
    }

    /// Something the caller says about themselves.
    async fn said(
        &self,
        who: &Who,
        ask: &eventlog::service::Ask,
        command: &Command,
    ) -> Result<(pb::Recipient, String), Status> {
        let done = self.notifier.ask(ask, command).await.map_err(|failure| refuse::status(&failure))?;
        Ok((self.opened(who, who.subject()).await?, self.mark(done.position).await?))
    }

    /// Somebody with their addresses.
    async fn opened(&self, who: &Who, subject: &str) -> Result<pb::Recipient, Status> {
        let person = self.notifier.view(|state| view::person(state, &who.tenant, subject));
        let mut addresses = Vec::with_capacity(person.settings.ways.len());
        for way in &person.settings.ways {
            let address = self.notifier.log().reveal_text(&who.tenant, &way.address).await;
            addresses.push(address.map_err(refuse::store)?);
        }
        Ok(render::person(person, addresses, self.notifier.clock().now()))
    }
}

/// Somebody without their addresses.
fn closed(person: PersonView, now: i64) -> pb::Recipient {
    render::person(person, Vec::new(), now)
}
