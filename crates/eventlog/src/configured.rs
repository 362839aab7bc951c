//! Configuration documents put in force, or only checked, in the same way by every service that owns some.

use decider::{Core, Tenant};
use ticket::Event;
use ticket::batch::{self, DocumentFault, Draft, Library, Listed};

use crate::ask::{Ask, Failure};
use crate::service::Service;

/// A core that owns kinds of documents.
pub trait Configured: Core<Event = Event> {
    /// What it knows of one tenant's documents.
    type Library: Library + Default;

    /// What it knows of this tenant's, if it knows of any.
    fn library<'a>(state: &'a Self::State, tenant: &Tenant) -> Option<&'a Self::Library>;
    /// The command that puts drafts in force.
    fn apply(drafts: Vec<Draft>) -> Self::Command;
    /// The faults for which that command was refused, or the refusal if it names none.
    fn faults(refusal: Self::Refusal) -> Result<Vec<DocumentFault>, Self::Refusal>;
}

/// What became of a batch of documents.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What changed, or would change; or every fault, and then nothing was written.
    pub outcome: Result<Vec<Listed>, Vec<DocumentFault>>,
    /// A position from which on it is visible.
    pub position: u64,
}

impl<C: Configured> Service<C> {
    /// One tenant's documents in force, in order of kind and name: only of `kind`, unless it is empty.
    pub fn documents(&self, tenant: &Tenant, kind: &str) -> Vec<Listed> {
        self.view(|state| C::library(state, tenant).map(|library| library.listed(kind))).unwrap_or_default()
    }

    /// Puts documents (kind, name, spec as JSON text) in force, all or none; or only checks them, and then those of other
    /// services' kinds count as in force. A reason, if there is one, is kept with each.
    pub async fn apply<'a>(
        &self,
        ask: &Ask,
        given: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
        validate_only: bool,
        reason: &str,
    ) -> Result<Applied, Failure<C::Refusal>> {
        let (mut drafts, unparsed) = batch::parse(<C::Library as Library>::SERVICE, given);
        for draft in &mut drafts {
            draft.reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        }
        if validate_only || !unparsed.is_empty() {
            let nothing = C::Library::default();
            let rehearse = |state: &C::State| {
                let library = C::library(state, &ask.tenant).unwrap_or(&nothing);
                batch::rehearse(library, &drafts, unparsed)
            };
            return Ok(Applied { outcome: self.view(rehearse), position: self.position() });
        }
        match self.ask(ask, &C::apply(drafts)).await {
            Ok(done) => {
                let listed = done.events.iter().filter_map(Listed::applied).collect();
                Ok(Applied { outcome: Ok(listed), position: done.position })
            }
            Err(Failure::Refused(refusal)) => {
                let faults = C::faults(refusal).map_err(Failure::Refused)?;
                Ok(Applied { outcome: Err(faults), position: self.position() })
            }
            Err(failure) => Err(failure),
        }
    }
}
