//! What really arrived at the mail and webhook server, beside what notifier recorded of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use proto::notifier::v1::{ListRemindersRequest, Medium};
use simulator::day::Stage;

use crate::client::{Client, explain};

/// Looks at the evening's last arrivals, and the time between them.
const LOOKS: u32 = 20;
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What one server took.
pub(crate) struct Taken {
    /// Every message, as often as it came.
    pub(crate) raw: usize,
    /// Message-IDs, as their receiver de-duplicates by them.
    pub(crate) different: BTreeSet<String>,
}

impl Taken {
    /// Reads a file of arrivals; none if nothing ever arrived.
    pub(crate) fn read(file: &Path) -> Self {
        let lines = std::fs::read_to_string(file).unwrap_or_default();
        let ids: Vec<_> = lines.lines().filter_map(|line| line.split('\t').nth(1)).map(bare).collect();
        Self { raw: ids.len(), different: ids.into_iter().collect() }
    }
}

/// Messages that notifier recorded as taken by the other side, by their ids.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) mails: BTreeSet<String>,
    pub(crate) hooks: BTreeSet<String>,
    /// Tries that failed.
    pub(crate) failed: u64,
}

/// Asks for the reminders of every ticket.
pub(crate) async fn recorded(client: &Client, tickets: &[String]) -> anyhow::Result<Recorded> {
    let mut recorded = Recorded::default();
    for ticket in tickets {
        let asked = ListRemindersRequest { ticket: ticket.clone(), min_position: String::new() };
        let answer = client.notifier().list_reminders(asked).await.map_err(|status| explain(&status))?.into_inner();
        for attempt in answer.reminders.iter().flat_map(|reminder| &reminder.attempts) {
            match (attempt.succeeded, attempt.medium()) {
                (true, Medium::Email) => drop(recorded.mails.insert(bare(&attempt.message_id))),
                (true, Medium::Webhook) => drop(recorded.hooks.insert(bare(&attempt.message_id))),
                (false, _) if attempt.end_time.is_some() => recorded.failed += 1,
                _ => {}
            }
        }
    }
    Ok(recorded)
}

/// Waits until nothing more arrives, or long enough.
pub(crate) async fn settled(stage: &Stage) -> anyhow::Result<()> {
    let count = || Taken::read(&stage.sink().join("mails.tsv")).raw;
    let mut before = count();
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = count();
        if now == before {
            break;
        }
        before = now;
    }
    Ok(())
}

/// A Message-ID without its brackets and without the host that notifier adds to it.
fn bare(id: &str) -> String {
    let id = id.trim_matches(['<', '>']);
    id.split_once('@').map_or(id, |(id, _)| id).to_owned()
}
