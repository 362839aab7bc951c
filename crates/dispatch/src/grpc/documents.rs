//! Configuration documents on the wire.

use chassis::refuse::field;
use decider::Tenant;
use eventlog::configured::{Applied, Configured};
use proto::config::v1::{Document, DocumentFault};
use proto::dispatch::v1::{ApplyDocumentsRequest, ApplyDocumentsResponse, ListDocumentsRequest, ListDocumentsResponse};
use ticket::batch::{self, Draft, Listed, MAX_BATCH, MAX_REASON};
use tonic::Status;

use super::call::Who;
use super::{Grpc, refuse};
use crate::board::Board;
use crate::{Command, Dispatch, Refusal, State};

impl Configured for Dispatch {
    type Library = Board;

    fn library<'a>(state: &'a State, tenant: &Tenant) -> Option<&'a Board> {
        state.board(tenant)
    }

    fn apply(drafts: Vec<Draft>) -> Command {
        Command::Apply(drafts)
    }

    fn faults(refusal: Refusal) -> Result<Vec<batch::DocumentFault>, Refusal> {
        match refusal {
            Refusal::Documents(faults) => Ok(faults),
            other => Err(other),
        }
    }
}

impl Grpc {
    pub(super) async fn apply(
        &self,
        who: &Who,
        asked: ApplyDocumentsRequest,
    ) -> Result<ApplyDocumentsResponse, Status> {
        if asked.documents.len() > MAX_BATCH {
            return Err(field("documents", &format!("must be at most {MAX_BATCH}")).into());
        }
        if asked.reason.chars().count() > MAX_REASON {
            return Err(field("reason", &format!("must be at most {MAX_REASON} letters")).into());
        }
        let ask = who.ask("ApplyDocuments", &asked, &asked.request_id)?;
        self.reached(&asked.min_position).await?;
        let given = asked.documents.iter().map(|one| (one.kind.as_str(), one.name.as_str(), one.spec_json.as_str()));
        let applied = self.dispatch.apply(&ask, given, asked.validate_only, &asked.reason).await;
        let Applied { outcome, position } = applied.map_err(|failure| refuse::status(&failure))?;
        let (documents, faults) = match outcome {
            Ok(documents) => (documents.into_iter().map(document).collect(), Vec::new()),
            Err(faults) => (Vec::new(), faults.into_iter().map(fault).collect()),
        };
        Ok(ApplyDocumentsResponse { faults, documents, log_position: self.mark(position).await? })
    }

    pub(super) async fn documents(
        &self,
        who: &Who,
        asked: &ListDocumentsRequest,
    ) -> Result<ListDocumentsResponse, Status> {
        self.reached(&asked.min_position).await?;
        let listed = self.dispatch.documents(&who.tenant, &asked.kind);
        Ok(ListDocumentsResponse { documents: listed.into_iter().map(document).collect() })
    }
}

fn document(listed: Listed) -> Document {
    Document { kind: listed.kind, name: listed.name, spec_json: listed.spec, version: listed.version }
}

fn fault(found: batch::DocumentFault) -> DocumentFault {
    DocumentFault { kind: found.kind, name: found.name, path: found.fault.path, message: found.fault.message }
}
