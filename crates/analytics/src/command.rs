//! What analytics can be asked to decide: which reports are in force.

use decider::{At, Decided, Read};
use serde_json::Value;
use ticket::Event;
use ticket::batch::{self, DocumentFault, Draft, Library, on_shelf};
use ticket::document::Fault;

use crate::definition::Spec;
use crate::state::{Ledger, REPORT, State};

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Put documents in force: all of them, or none.
    Apply(Vec<Draft>),
}

/// Why it may be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Documents cannot be put in force: every fault of every one.
    #[error("{} faults in the documents", .0.len())]
    Documents(Vec<DocumentFault>),
}

/// Decides a command against what was read.
pub(crate) fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let Command::Apply(drafts) = command;
    let nothing = Ledger::default();
    let ledger = read.look().ledger(&at.tenant).unwrap_or(&nothing);
    batch::decide(ledger, drafts, read).map_err(Refusal::Documents)
}

impl Library for Ledger {
    const SERVICE: &'static str = "analytics";

    fn in_force(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
        self.document(kind, name)
    }

    fn own(&self) -> Vec<(&'static str, &str)> {
        on_shelf(REPORT, &self.reports).collect()
    }

    fn faults(_: &str, spec: &Value) -> Vec<Fault> {
        Spec::read(spec).err().unwrap_or_default()
    }
}
