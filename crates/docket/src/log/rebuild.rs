//! `docket log rebuild`: services' folds built from nothing, to prove their snapshots or to keep new ones.

use std::process::ExitCode;

use analytics::Analytics;
use decider::Core;
use dispatch::Dispatch;
use eventlog::Log;
use eventlog::rebuild::{self, Proof};
use intake::Intake;
use notifier::Notifier;
use sla_monitor::SlaMonitor;
use ticket::Event;

use crate::out;

/// The services by name, as the command line takes them.
pub(crate) const SERVICES: [&str; 5] =
    [Intake::NAME, Dispatch::NAME, SlaMonitor::NAME, Notifier::NAME, Analytics::NAME];

/// Which services, and whether their snapshots are compared instead of replaced.
pub(crate) struct Wanted<'a> {
    pub(crate) service: Option<&'a str>,
    pub(crate) check: bool,
}

pub(crate) async fn run(log: &Log, wanted: &Wanted<'_>) -> anyhow::Result<ExitCode> {
    let same = [
        one::<Intake>(log, wanted).await?,
        one::<Dispatch>(log, wanted).await?,
        one::<SlaMonitor>(log, wanted).await?,
        one::<Notifier>(log, wanted).await?,
        one::<Analytics>(log, wanted).await?,
    ];
    Ok(if same.iter().all(|same| *same) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One service, if it is wanted; false if its snapshot is not what the log says.
async fn one<C: Core<Event = Event>>(log: &Log, wanted: &Wanted<'_>) -> anyhow::Result<bool> {
    let service = C::NAME;
    if wanted.service.is_some_and(|wanted| wanted != service) {
        return Ok(true);
    }
    if !wanted.check {
        let position = rebuild::keep::<C>(log).await?;
        out::say(format!("{service}: rebuilt, snapshot kept at position {position}"));
        return Ok(true);
    }
    let proof = rebuild::check::<C>(log).await?;
    out::say(match proof {
        Proof::Same { snapshot, head } => {
            format!("{service}: the snapshot at position {snapshot} is what the log says, and so is position {head}")
        }
        Proof::None => format!("{service}: no snapshot"),
        Proof::Differs { position } => format!("{service}: DIFFERS from the log at position {position}"),
    });
    Ok(!matches!(proof, Proof::Differs { .. }))
}
