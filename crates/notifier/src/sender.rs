//! What touches the world: letters are sent after the event that says so, and their outcome is an event again.
//!
//! The append of `AttemptStarted` is the fence: whoever wrote it sends, and nobody else. Whoever dies in between leaves an
//! attempt without an outcome; once no letter of anybody's can be under way that long, the leading sender records that
//! nobody knows how it ended and tries once more, under the same message id, so that the receiver can tell. Whoever was
//! stopped in between and wakes too late for that sends nothing any more, and leaves the attempt as the dead do. So it
//! does not matter who holds the lease while a letter is under way, and a lease may pass on at any time.

pub mod answers;
pub(crate) mod channel;
mod desk;
mod dingtalk;
mod feishu;
pub(crate) mod hear;
mod http;
mod list;
mod mail;
mod pace;
mod post;
mod push;
mod reach;
mod robot;
mod smpp;
mod sms;
mod twilio;
pub(crate) mod voice;
mod webhook;
mod wecom;
mod window;

use std::sync::Arc;
use std::time::Duration;

use decider::Micros;
use eventlog::{Service, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::command::Notifier;
use crate::link::Links;
use crate::outbox::{self, Owed};
pub use crate::retry::{Taken, Trouble};
use desk::Desk;
pub use hear::Report;
pub use list::Item;
pub use post::{ConfigError, Hearing, Letter, Outside, Post, Posting, SenderConfig};
pub use reach::{NoReach, Reach};
use window::Window;

/// Longest wait without a look at what is owed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Wait after a failure of the log.
const PAUSE: Duration = Duration::from_secs(1);
/// How much the clocks of two machines may differ, and how late a letter may leave after it was to begin; all told.
const SKEW: Duration = Duration::from_secs(10);

/// Sends what is owed, for a running core.
pub struct Sender {
    desk: Desk,
}

impl Sender {
    /// A sender, which rests while its log holds effects or is not released for them.
    pub fn new(notifier: Arc<Service<Notifier>>, post: Arc<dyn Post>) -> Self {
        Self { desk: Desk { notifier, post, links: None } }
    }

    /// The same sender, whose letters carry links.
    #[must_use]
    pub fn with_links(mut self, links: Links) -> Self {
        self.desk.links = Some(Arc::new(links));
        self
    }

    /// Sends what is owed as long as this replica holds the service's lease, until told to stop; then nothing begins any
    /// more, and letters under way are waited for, each at most [`Post::longest`].
    pub async fn run(self, stop: CancellationToken) {
        let mut window = Window::default();
        let mut look_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = window.next() => match ended.and(window.also_ended()) {
                    Ok(()) if self.desk.notifier.leads() => {
                        if let Err(error) = self.fill(&mut window).await {
                            look_at = paused(&error);
                        }
                    }
                    Ok(()) => {}
                    Err(error) => look_at = paused(&error),
                },
                report = self.desk.post.report() => drop(tokio::spawn(self.desk.clone().hear(report))),
                () = tokio::time::sleep_until(look_at) => {
                    look_at = match self.look(&mut window).await {
                        Ok(wait) => Instant::now() + wait,
                        Err(error) => paused(&error),
                    };
                }
            }
        }
        while let Some(ended) = window.next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the end of a letter is not recorded");
            }
        }
    }

    /// A look at what is owed, if this replica holds the service's lease; how long the next may wait.
    async fn look(&self, window: &mut Window) -> Result<Duration, StoreError> {
        if !self.desk.notifier.leads() {
            return Ok(LOOK_EVERY);
        }
        self.take_up(window).await?;
        let clock = self.desk.notifier.clock();
        let next = self.desk.notifier.view(|state| outbox::next_owed(state, clock.now()));
        Ok(next.map_or(LOOK_EVERY, |at| clock.wait(at, LOOK_EVERY)))
    }

    /// Sends everything that is owed now; says when the next is. Letters whose end cannot be recorded are an error, after
    /// all others have ended.
    pub async fn step(&self) -> Result<Option<Micros>, StoreError> {
        let mut window = Window::default();
        let mut outcome = self.take_up(&mut window).await;
        while let Some(ended) = window.next().await {
            outcome = outcome.and(ended).and(window.also_ended());
            if outcome.is_ok() {
                outcome = self.fill(&mut window).await;
            }
        }
        let now = self.desk.notifier.clock().now();
        outcome.map(|()| self.desk.notifier.view(|state| outbox::next_owed(state, now)))
    }

    /// Settles what others left, and begins what is owed.
    async fn take_up(&self, window: &mut Window) -> Result<(), StoreError> {
        window.beside(self.desk.notifier.catch_up()).await?;
        window.look_again();
        let left_behind = self.left_behind(window);
        if !left_behind.is_empty() && self.rests(window).await? {
            return Ok(());
        }
        // One that cannot be settled holds up neither the others nor what is owed.
        let mut settled = Ok(());
        for one in left_behind {
            settled = settled.and(window.beside(self.desk.lost(&one)).await);
        }
        let filled = self.fill(window).await;
        settled.and(filled)
    }

    /// Attempts whose end nobody recorded, and nobody can any more.
    fn left_behind(&self, window: &Window) -> Vec<Owed> {
        let now = self.desk.notifier.clock().now();
        let mut begun = self.desk.notifier.view(outbox::in_flight);
        begun.retain(|one| !window.carries(&one.attempt) && self.is_gone(one.since, now));
        begun
    }

    /// Whether no letter that began at `since` can still be under way, by the business clock: where it runs faster, one
    /// may go out twice, under the same id.
    fn is_gone(&self, since: Micros, now: Micros) -> bool {
        let longest = self.desk.post.longest();
        let longest = if longest.is_zero() { longest } else { longest + SKEW };
        now.saturating_sub(since) >= Micros::try_from(longest.as_micros()).unwrap_or(Micros::MAX)
    }

    /// Begins as many letters as there is room for, unless effects rest.
    async fn fill(&self, window: &mut Window) -> Result<(), StoreError> {
        let owed = self.next(window);
        if owed.is_empty() || self.rests(window).await? {
            return Ok(());
        }
        for one in owed {
            window.begin(one.clone(), self.desk.clone().deliver(one, Instant::now()));
        }
        Ok(())
    }

    /// Whether nothing may leave now.
    async fn rests(&self, window: &mut Window) -> Result<bool, StoreError> {
        let log = self.desk.notifier.log();
        Ok(log.held().is_some() || !window.beside(log.released()).await?)
    }

    /// What may begin.
    fn next(&self, window: &Window) -> Vec<Owed> {
        let now = self.desk.notifier.clock().now();
        let room = |tenant: &_, urgent| window.room(tenant, urgent);
        let owed = self.desk.notifier.view(|state| outbox::shares(state, now, room, |one| window.is_new(one)));
        window.fitting(owed)
    }
}

/// When to look again after a failure of the log.
fn paused(error: &StoreError) -> Instant {
    tracing::error!(%error, "letters cannot be sent now");
    Instant::now() + PAUSE
}
