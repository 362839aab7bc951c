//! What waits for the writer, and which of it is written together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::closed;
use crate::append::{Committed, Rejected};
use crate::batch::Prepared;
use crate::gather::{Gather, MAX_BATCH, MAX_WAITING};

/// From so many callers on, half of them are written at once.
const MANY: usize = 128;
/// How often those who were answered are given a turn before the next batch is taken.
const MAX_TURNS: u32 = 64;

/// An append on its way to the writer. Whether anybody still waits for the answer does not matter to the others.
#[derive(Debug)]
struct Waiting {
    append: Prepared,
    answer: Answer,
}

type Settled = Result<Committed, Rejected>;
type Answer = oneshot::Sender<Settled>;

/// Appends that are written together, and who waits for them.
pub(super) struct Crowd {
    pub(super) appends: Vec<Prepared>,
    pub(super) answers: Vec<Answer>,
    /// How many others are known to write: they wait already, or were answered and will be back.
    others: usize,
}

/// What waits for the writer; nothing once it was closed.
#[derive(Debug)]
struct Queue {
    gather: Mutex<Option<Gather<Waiting>>>,
    filled: Notify,
}

/// One end of the queue: when either is dropped, whatever waits is turned away.
#[derive(Debug)]
pub(super) struct End(Arc<Queue>);

/// A queue, by its two ends.
pub(super) fn new() -> (End, End) {
    let queue = Arc::new(Queue { gather: Mutex::new(Some(Gather::new(MAX_WAITING))), filled: Notify::new() });
    (End(Arc::clone(&queue)), End(queue))
}

impl Drop for End {
    fn drop(&mut self) {
        *self.0.gather() = None;
        self.0.filled.notify_one();
    }
}

impl Queue {
    fn gather(&self) -> MutexGuard<'_, Option<Gather<Waiting>>> {
        self.gather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait; none when nothing comes any more.
    fn waiting(&self) -> Option<usize> {
        self.gather().as_ref().map(Gather::waiting)
    }

    fn is_shared(&self) -> bool {
        self.gather().as_ref().is_none_or(Gather::is_shared)
    }

    fn take(&self, all: usize) -> Option<Crowd> {
        let (appends, answers): (Vec<_>, Vec<_>) = {
            let taken = self.gather().as_mut()?.take_batch();
            taken.into_iter().map(|waiting| (waiting.append, waiting.answer)).unzip()
        };
        let others = all.saturating_sub(appends.len());
        Some(Crowd { appends, answers, others })
    }
}

impl End {
    /// Lets the append wait, or turns it away at once where too much does; the answer comes later.
    pub(super) fn push(&self, append: Prepared) -> Result<oneshot::Receiver<Settled>, Rejected> {
        let Self(queue) = self;
        let (answer, answered) = oneshot::channel();
        let (tenant, load) = (append.tenant.clone(), append.load());
        let waiting = Waiting { append, answer };
        match queue.gather().as_mut().map(|gather| gather.push(&tenant, load, waiting)) {
            Some(true) => queue.filled.notify_one(),
            Some(false) => return Err(Rejected::Busy),
            None => return Err(closed().into()),
        }
        Ok(answered)
    }

    /// The next crowd, once there is one; none when nothing comes any more. Those who were answered last are given a turn
    /// to come along with whoever came first: else the crowds would take turns for ever, one of them often a single
    /// caller, each waiting for the other's commit. After one caller nobody is waited for, and of one tenant's many only
    /// for half, so that one half works while the other is written.
    pub(super) async fn next(&self, answered: usize) -> Option<Crowd> {
        let Self(queue) = self;
        let all = queue.waiting()? + answered;
        let halves = all >= MANY && !queue.is_shared();
        let enough = if halves { all.div_ceil(2).min(MAX_BATCH.appends) } else { all };
        while queue.waiting()? == 0 {
            queue.filled.notified().await;
        }
        for _ in 0..MAX_TURNS {
            if queue.waiting()? >= enough {
                break;
            }
            tokio::task::yield_now().await;
        }
        queue.take(all)
    }

    /// The crowd after one that is being written, once all others that are known are there: never, where they are few,
    /// who had better come along with those that are being written, or where tenants share the log, who had not to wait
    /// for more than one batch.
    pub(super) async fn ahead(&self, written: &Crowd) -> Option<Crowd> {
        let Self(queue) = self;
        let enough = written.others.min(MAX_BATCH.appends);
        if queue.is_shared() || enough < MANY / 2 {
            return std::future::pending().await;
        }
        while queue.waiting()? < enough {
            queue.filled.notified().await;
        }
        queue.take(written.appends.len() + written.others)
    }
}
