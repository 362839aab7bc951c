//! What everybody shares: the clock, the orders, what was done already, and the file of acknowledgements.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use decider::Micros;
use eventlog::Clock;
use tokio::sync::{Semaphore, watch};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::board::Board;
use super::cast::{Cast, People};
use super::plan::{self, DAY_MINUTES, MINUTE_US, Order};
use super::verb::{self, Answered, Wish};
use super::{LOOK_EVERY, Setting};

/// Calls under way at once.
const MAX_CALLS: usize = 32;
/// How often a call is repeated that the server asks to repeat: for about half a minute, in which a process that died is
/// back.
const MAX_TRIES: u32 = 40;
/// The longest wait between two of them, in doublings of 25 ms.
const MAX_DOUBLINGS: u32 = 5;

/// How far the day is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Tickets there are.
    pub opened: usize,
    /// Of them closed or cancelled.
    pub ended: usize,
    /// Calls that were answered.
    pub calls: u64,
}

/// The day as it is played.
pub struct Stage {
    pub(crate) people: People,
    pub(crate) orders: Vec<Order>,
    pub(crate) board: Board,
    pub(crate) setting: Setting,
    /// Requests that need not be made again.
    done: Mutex<BTreeSet<Uuid>>,
    /// Refusals of what came too late, by reason.
    late: Mutex<BTreeMap<String, u64>>,
    acks: Option<tokio::sync::Mutex<File>>,
    calls: Semaphore,
    answered: AtomicU64,
    /// The position of the last answer that wrote something.
    written: watch::Sender<String>,
}

impl Stage {
    /// Connects everybody and draws the orders.
    pub async fn set(setting: Setting, cast: &Cast) -> anyhow::Result<Self> {
        let channels = setting.endpoints.connect().await?;
        let people = People::new(cast, &channels, (&setting.key, &setting.tenant))?;
        let acks = match &setting.acks {
            Some(path) => Some(tokio::sync::Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)),
            None => None,
        };
        let orders = plan::day(setting.seed, setting.start_us, setting.orders, people.customers.len());
        Ok(Self {
            board: Board::new(&orders),
            orders,
            people,
            setting,
            done: Mutex::default(),
            late: Mutex::default(),
            acks,
            calls: Semaphore::new(MAX_CALLS),
            answered: AtomicU64::new(0),
            written: watch::Sender::default(),
        })
    }

    /// The business clock.
    pub fn clock(&self) -> &Clock {
        &self.setting.clock
    }

    /// When everybody goes home.
    pub fn evening_us(&self) -> Micros {
        self.setting.start_us + DAY_MINUTES * MINUTE_US
    }

    /// How far the day is.
    pub fn progress(&self) -> Progress {
        let (opened, ended) = self.board.count();
        Progress { opened, ended, calls: self.answered.load(Ordering::Relaxed) }
    }

    /// Calls that came too late for the state they met, by the reason of their refusal.
    pub fn too_late(&self) -> BTreeMap<String, u64> {
        self.late.lock().map(|late| late.clone()).unwrap_or_default()
    }

    /// The tickets whose facts come hours after they happened, as far as they were opened.
    pub fn late_tickets(&self) -> Vec<String> {
        let late = |order: &&Order| matches!(order.fate, plan::Fate::Offline | plan::Fate::RecordedLate);
        self.orders.iter().filter(late).filter_map(|order| self.board.name(order.number)).collect()
    }

    /// Every ticket of the day.
    pub fn tickets(&self) -> Vec<String> {
        self.board.names()
    }

    /// Where the mail and webhook server keeps its files.
    pub fn sink(&self) -> &std::path::Path {
        &self.setting.sink
    }

    /// Follows the position of the last answer that wrote something.
    pub fn last_position(&self) -> watch::Receiver<String> {
        self.written.subscribe()
    }

    /// Whether this very step was made already, or refused as too late.
    pub(crate) fn is_done(&self, subject: &str, target: &str, step: &str) -> bool {
        let request = self.request(subject, target, step);
        self.done.lock().is_ok_and(|done| done.contains(&request))
    }

    /// Does it, however often the server asks to repeat; nothing if the world had moved on.
    pub(crate) async fn perform(&self, who: &super::person::Person, wish: &Wish) -> anyhow::Result<Option<Answered>> {
        let request = self.request(&who.subject, &wish.target, &wish.step);
        let _call = self.calls.acquire().await?;
        match patiently(|| verb::send(who, wish, request)).await {
            Ok(answered) => {
                self.acknowledged(request, &answered).await?;
                self.over(request);
                Ok(Some(answered))
            }
            Err(status) if moved_on(&status) => {
                self.over(request);
                if let Ok(mut late) = self.late.lock() {
                    *late.entry(reason(&status)).or_default() += 1;
                }
                Ok(None)
            }
            Err(status) => {
                let what = format!("{} wants {} of {}: {:?}", who.subject, wish.step, wish.target, wish.verb);
                Err(explain(&status)).context(what)
            }
        }
    }

    /// Has a supervisor explain every breach that nobody explained yet.
    pub async fn explain_breaches(&self) -> anyhow::Result<()> {
        super::office::explain_once(self, self.people.reader()?, None).await
    }

    /// Waits until it is due, at most until the next look at the clock.
    pub(crate) async fn wait(&self, until: Micros) {
        tokio::time::sleep(self.clock().wait(until, LOOK_EVERY)).await;
    }

    fn request(&self, subject: &str, target: &str, step: &str) -> Uuid {
        let name = format!("day/{}/{subject}/{target}/{step}", self.setting.seed);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
    }

    fn over(&self, request: Uuid) {
        if let Ok(mut done) = self.done.lock() {
            done.insert(request);
        }
    }

    /// Keeps what was acknowledged where a crash of this process cannot take it back.
    async fn acknowledged(&self, request: Uuid, answered: &Answered) -> anyhow::Result<()> {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if answered.wrote {
            self.written.send_replace(answered.log_position.clone());
        }
        if let Some(acks) = self.acks.as_ref().filter(|_| answered.wrote) {
            let mut file = acks.lock().await;
            file.write_all(format!("{request}\t{}\t{}\n", answered.log_position, answered.about).as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }
}

/// Makes a call, again and again as long as the server asks to repeat it.
pub(crate) async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    for tries in 0..MAX_TRIES {
        match call().await {
            Err(status) if asks_again(&status) => {
                tokio::time::sleep(Duration::from_millis(25 << tries.min(MAX_DOUBLINGS))).await;
            }
            answered => return answered,
        }
    }
    call().await
}

/// Whether the same call may do better in a moment.
pub(crate) fn asks_again(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Aborted | Code::ResourceExhausted | Code::DeadlineExceeded)
}

/// Whether somebody else was faster: right when it was wished, wrong when it came.
fn moved_on(status: &Status) -> bool {
    matches!(status.code(), Code::FailedPrecondition | Code::NotFound | Code::Aborted | Code::PermissionDenied)
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone())
}

/// A status in words: its reason and every field at fault.
pub(crate) fn explain(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let mut text = format!("{}: {}", reason(status), status.message());
    for fault in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
        text.extend(["\n  ", &fault.field, ": ", &fault.description]);
    }
    anyhow!(text)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_passes_does_not_end_the_day() {
        for code in [Code::Unavailable, Code::Aborted, Code::ResourceExhausted, Code::DeadlineExceeded] {
            let calls = Cell::new(0_u32);
            let answer = patiently(|| {
                calls.set(calls.get() + 1);
                let over = calls.get() == 3;
                async move { if over { Ok(7) } else { Err(Status::new(code, "later")) } }
            });
            assert_eq!((answer.await.unwrap(), calls.get()), (7, 3));
        }
        let calls = Cell::new(0_u32);
        let refused = patiently(|| {
            calls.set(calls.get() + 1);
            async { Err::<(), _>(Status::new(Code::NotFound, "no")) }
        });
        assert_eq!((refused.await.unwrap_err().code(), calls.get()), (Code::NotFound, 1), "what does not pass does");
    }
}
