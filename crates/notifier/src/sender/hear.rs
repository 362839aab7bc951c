//! What another side tells later of a letter it took: that it reached somebody, or that it came back.

use std::time::Duration;

use decider::Core;
use eventlog::service::Ask;
use eventlog::{Service, StoreError};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::command::{Attempt, Command, Notifier};
use crate::outbox::Whose;
use crate::retry::Fate;
use crate::state::State;
use ticket::notifier::Medium;

/// Reports that wait to be recorded; more wait with the other side.
const MAX_WAITING: usize = 256;
/// How often it is looked whether the outcome of the attempt itself is recorded, which a report may overtake.
const MAX_LOOKS: u32 = 20;
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A report of what became of a letter.
pub struct Report {
    pub(super) medium: Medium,
    /// What the other side calls the letter.
    pub(super) reference: String,
    pub(super) fate: Fate,
    /// Told once it is recorded, or nobody knows of such a letter; dropped where it cannot be recorded now.
    pub(super) recorded: oneshot::Sender<()>,
}

/// Where carriers tell what they hear.
#[derive(Clone)]
pub(super) struct Mouth(mpsc::Sender<Report>);

/// Where it is heard.
pub(super) struct Ear(tokio::sync::Mutex<mpsc::Receiver<Report>>);

pub(super) fn mouth_and_ear() -> (Mouth, Ear) {
    let (mouth, ear) = mpsc::channel(MAX_WAITING);
    (Mouth(mouth), Ear(tokio::sync::Mutex::new(ear)))
}

impl Mouth {
    /// Tells of a letter; whether it need not be told again.
    pub(super) async fn tell(&self, medium: Medium, reference: String, fate: Fate) -> bool {
        let (recorded, heard) = oneshot::channel();
        let report = Report { medium, reference, fate, recorded };
        self.0.send(report).await.is_ok() && heard.await.is_ok()
    }
}

impl Ear {
    /// The next report.
    pub(super) async fn next(&self) -> Report {
        match self.0.lock().await.recv().await {
            Some(report) => report,
            // No carrier is left that could tell anything.
            None => std::future::pending().await,
        }
    }
}

/// Records what became of an attempt, once its own outcome is known; whether there is such an attempt.
pub(crate) async fn record(
    notifier: &Service<Notifier>,
    find: impl Fn(&State) -> Option<Whose>,
    fate: &Fate,
) -> Result<bool, StoreError> {
    for _ in 0..MAX_LOOKS {
        notifier.catch_up().await?;
        if let Some(Whose { tenant, attempt }) = notifier.view(&find) {
            let Attempt { reminder, medium, number, .. } = &attempt;
            let name = format!("{}\0notifier\0{reminder}/{fate:?}/{number}/{medium:?}", tenant.as_str());
            let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
            let ask = Ask::by_itself(Notifier::NAME, tenant, request);
            match notifier.ask(&ask, &Command::Hear(attempt, fate.clone())).await {
                Ok(_) => return Ok(true),
                Err(failure) => tracing::info!(%failure, "a report of a letter waits"),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(false)
}
