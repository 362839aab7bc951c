//! Reading tickets: one, many, and one's timeline.

use chassis::page::page_size;
use chassis::refuse::internal;
use eventlog::position;
use eventlog::store::Select;
use proto::intake::v1::{
    GetTicketRequest, GetTicketResponse, ListTicketsRequest, ListTicketsResponse, ListTimelineRequest,
    ListTimelineResponse,
};
use tonic::Status;

use super::call::Who;
use super::history::{self, Upto};
use super::{Grpc, refuse, render};
use crate::filter::Filter;
use crate::view::{self, Listing};

const TICKETS_DEFAULT: usize = 50;
const TICKETS_MAX: usize = 200;
const ENTRIES_DEFAULT: usize = 100;
const ENTRIES_MAX: usize = 500;

impl Grpc {
    pub(super) async fn get(&self, who: &Who, asked: GetTicketRequest) -> Result<GetTicketResponse, Status> {
        let (upto, _) = Self::upto(asked.as_of_time)?;
        let log_position = self.reached(&asked.min_position).await?;
        let id = self.known(who, &asked.name)?;
        let ticket = self.ticket(&who.tenant, id, upto).await?;
        Ok(GetTicketResponse { ticket: Some(ticket), log_position })
    }

    pub(super) async fn list(&self, who: &Who, asked: ListTicketsRequest) -> Result<ListTicketsResponse, Status> {
        let filter = filter(&asked.filter)?;
        let limit = page_size(asked.page_size, TICKETS_DEFAULT, TICKETS_MAX)?;
        // A token is bound to who may see what as well: another caller's pages may hold other tickets.
        let bound = format!("ListTickets\0{:?}\0{}\0{filter}", who.reach, who.actor);
        let after = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?;
        let log_position = self.reached(&asked.min_position).await?;
        let listing = Listing { actor: &who.actor, reach: who.reach, filter: &filter, after, limit };
        let page = self.intake.view(|state| state.house(&who.tenant).map(|house| view::list(house, listing)));
        let (ids, next) = page.unwrap_or_default();
        let entities = history::entities(self.intake.log(), &who.tenant, &ids, Upto::Last).await;
        let tickets = entities.map_err(refuse::store)?;
        let seal = |cursor| self.pages.seal(who.tenant.as_str(), &bound, &cursor).map_err(internal);
        Ok(ListTicketsResponse {
            tickets: tickets.iter().map(|entity| render::ticket(&who.tenant, entity)).collect(),
            next_page_token: next.map(seal).transpose()?.unwrap_or_default(),
            log_position,
        })
    }

    pub(super) async fn timeline(&self, who: &Who, asked: ListTimelineRequest) -> Result<ListTimelineResponse, Status> {
        let (_, as_of) = Self::upto(asked.as_of_time)?;
        let limit = page_size(asked.page_size, ENTRIES_DEFAULT, ENTRIES_MAX)?;
        self.reached(&asked.min_position).await?;
        let ticket = self.known(who, &asked.name)?;
        let bound = format!("ListTimeline\0{ticket}\0{as_of}");
        let after: i64 = self.pages.open(who.tenant.as_str(), &bound, &asked.page_token)?.unwrap_or_default();
        let log = self.intake.log();
        let select = Select::Correlation { tenant: who.tenant.to_string(), ticket };
        let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut rows = log.read(&select, None, after, one_more).await.map_err(refuse::store)?;
        rows.truncate(rows.iter().take_while(|row| row.recorded_us <= as_of).count());
        let more = rows.len() > limit;
        rows.truncate(limit);
        let bodies = history::opened(log, &who.tenant, &rows).await.map_err(refuse::store)?;
        let head = log.head().await.map_err(refuse::store)?;
        let entry = |(row, body)| {
            let row: &eventlog::Row = row;
            render::timeline_entry(row, body, position::encode(&head, row.position.unsigned_abs()))
        };
        let next = rows.last().filter(|_| more).map(|row| row.position);
        let seal = |cursor| self.pages.seal(who.tenant.as_str(), &bound, &cursor).map_err(internal);
        Ok(ListTimelineResponse {
            entries: rows.iter().zip(&bodies).map(entry).collect(),
            next_page_token: next.map(seal).transpose()?.unwrap_or_default(),
        })
    }
}

/// The filter a text stands for.
pub(super) fn filter(text: &str) -> Result<Filter, Status> {
    Filter::parse(text).map_err(|error| {
        let refused = refuse::listed("FILTER_INVALID", error.to_string());
        refused.with("character", error.at.to_string()).field("filter", error.to_string()).into_status()
    })
}
