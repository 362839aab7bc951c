//! From messages of the wire to what is asked.

use chassis::refuse::field;
use chassis::wire::{self, micros};
use decider::{Micros, Tenant};
use eventlog::service::Ask;
use proto::analytics::v1 as pb;
use proto::prost::Message;
use proto::prost_types::Timestamp;
use tonic::{Request, Status};

use crate::{Definition, Drill, Window};

/// The Report document that is meant if none is named.
const DEFAULT_REPORT: &str = "default";

/// Who asks.
pub(super) struct Who {
    pub(super) tenant: Tenant,
    wire: wire::Who,
}

impl Who {
    /// Takes a request apart: who asks, and what.
    pub(super) fn of<T>(request: Request<T>) -> Result<(Self, T), Status> {
        let (wire, asked) = wire::Who::of(request)?;
        Ok((Self { tenant: Tenant::new(&wire.caller.tenant), wire }, asked))
    }

    /// The request under which a message is decided.
    pub(super) fn ask(&self, rpc: &str, message: &impl Message, request_id: &str) -> Result<Ask, Status> {
        let wire::Who { caller, trace } = &self.wire;
        let request = self.wire.request(rpc, message, request_id)?;
        Ok(Ask::by_user(&caller.tenant, &caller.subject, request, trace))
    }
}

/// Which report over which tickets.
pub(super) struct Query {
    pub(super) report: String,
    start: Option<Micros>,
    end: Option<Micros>,
    until: Option<Micros>,
    drill: String,
}

impl Query {
    pub(super) fn report(message: pb::GetReportRequest) -> Result<Self, Status> {
        let spans = [message.start_time, message.end_time, message.until_time];
        Self::new(message.report, spans, message.drill)
    }

    pub(super) fn list(message: pb::ListTicketFiguresRequest) -> Result<Self, Status> {
        let spans = [message.start_time, message.end_time, message.until_time];
        Self::new(message.report, spans, message.drill)
    }

    pub(super) fn export(message: pb::ExportTicketFiguresRequest) -> Result<Self, Status> {
        let spans = [message.start_time, message.end_time, message.until_time];
        Self::new(message.report, spans, message.drill)
    }

    fn new(report: String, [start, end, until]: [Option<Timestamp>; 3], drill: String) -> Result<Self, Status> {
        Ok(Self {
            report: if report.is_empty() { DEFAULT_REPORT.to_owned() } else { report },
            start: micros("start_time", start)?,
            end: micros("end_time", end)?,
            until: micros("until_time", until)?,
            drill,
        })
    }

    /// Everything that decides what a listing holds, as one text.
    pub(super) fn filter(&self) -> String {
        format!("{:?} {:?} {:?} {:?} {:?}", self.report, self.start, self.end, self.until, self.drill)
    }

    pub(super) fn window(&self, definition: &Definition) -> Result<Window, Status> {
        let drill = match self.drill.as_str() {
            "" => None,
            text => Some(Drill::parse(text, definition).ok_or_else(|| field("drill", "is no known property"))?),
        };
        Ok(Window { start: self.start, end: self.end, until: self.until, drill })
    }
}
