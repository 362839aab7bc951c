//! A process' life: named tasks in two ranks, one way to stop them, and the reason it stopped.

use std::error::Error;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

type Cause = Box<dyn Error + Send + Sync>;
type Rank = JoinSet<(&'static str, Result<(), Cause>)>;

/// Why a process must exit with a failure.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// A task ended before it was told to.
    #[error("task {task} died: {cause}")]
    Died {
        /// Its name.
        task: &'static str,
        /// What it died of.
        cause: Cause,
    },
    /// Tasks were ended by force.
    #[error("{tasks} tasks did not end within {} s", grace.as_secs())]
    Overdue {
        /// How many.
        tasks: usize,
        /// The time they had.
        grace: Duration,
    },
}

/// The tasks of a process. Every task is meant to live until its token is cancelled: one that ends earlier, well or not,
/// stops the whole process.
#[derive(Default)]
pub struct Lifecycle {
    front: Rank,
    back: Rank,
    stopping: CancellationToken,
    drained: CancellationToken,
}

impl Lifecycle {
    /// A process without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that lets work in, such as a server; it is told to stop first.
    pub fn front<F, E>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cause> + Send + 'static,
    {
        spawn(&mut self.front, name, task(self.stopping.clone()));
    }

    /// Starts a task that the front relies on, such as a follower of the log; it is told to stop when the front has
    /// ended.
    pub fn back<F, E>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cause> + Send + 'static,
    {
        spawn(&mut self.back, name, task(self.drained.clone()));
    }

    /// Lives until `shutdown` or the first death, then stops the front and then the back, within `grace` altogether;
    /// what has not ended by then is aborted.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>, grace: Duration) -> Result<(), LifecycleError> {
        let died = tokio::select! {
            () = shutdown => None,
            Some(end) = self.front.join_next() => Some(end),
            Some(end) = self.back.join_next() => Some(end),
        };
        let mut outcome = died.map_or(Ok(()), |end| Err(death(end)));
        tracing::info!(because = outcome.as_ref().err().map(tracing::field::display), "stopping");
        if timeout(grace, self.stop(&mut outcome)).await.is_err() {
            let overdue = LifecycleError::Overdue { tasks: self.front.len() + self.back.len(), grace };
            tracing::error!(error = %overdue, "tasks are ended by force");
            outcome = outcome.and(Err(overdue));
        }
        outcome
    }

    async fn stop(&mut self, outcome: &mut Result<(), LifecycleError>) {
        for (token, rank) in [(&self.stopping, &mut self.front), (&self.drained, &mut self.back)] {
            token.cancel();
            while let Some(end) = rank.join_next().await {
                if !matches!(end, Ok((_, Ok(())))) && outcome.is_ok() {
                    *outcome = Err(death(end));
                }
            }
        }
    }
}

fn spawn<E: Into<Cause> + Send + 'static>(
    rank: &mut Rank,
    name: &'static str,
    task: impl Future<Output = Result<(), E>> + Send + 'static,
) {
    // A task of its own within the rank's, so that a panic comes back with the name.
    let task = AbortOnDropHandle::new(tokio::spawn(task));
    rank.spawn(async move {
        let end = match task.await {
            Ok(end) => end.map_err(Into::into),
            Err(panic) => Err(Cause::from(panic)),
        };
        (name, end)
    });
}

fn death(end: Result<(&'static str, Result<(), Cause>), tokio::task::JoinError>) -> LifecycleError {
    let (task, cause) = match end {
        Ok((task, Ok(()))) => (task, Cause::from("it ended before it was told to")),
        Ok((task, Err(cause))) => (task, cause),
        Err(error) => ("unnamed", Cause::from(error)),
    };
    LifecycleError::Died { task, cause }
}

/// SIGTERM or SIGINT, heard from this call on.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    const GRACE: Duration = Duration::from_secs(5);

    async fn until(stop: CancellationToken) -> Result<(), io::Error> {
        stop.cancelled().await;
        Ok(())
    }

    #[tokio::test]
    async fn the_back_stops_after_the_front() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str, wait: u64| {
            let order = Arc::clone(&order);
            move |stop: CancellationToken| async move {
                stop.cancelled().await;
                tokio::time::sleep(Duration::from_millis(wait)).await;
                order.lock().unwrap().push(name);
                Ok::<(), io::Error>(())
            }
        };
        let mut life = Lifecycle::new();
        life.back("follower", note("follower", 0));
        life.front("grpc", note("grpc", 50));
        life.run(async {}, GRACE).await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["grpc", "follower"]);
    }

    #[tokio::test]
    async fn a_task_that_fails_stops_the_others_and_is_named() {
        let mut life = Lifecycle::new();
        life.front("grpc", until);
        life.back("follower", |_| async { Err(io::Error::other("log unreachable")) });
        let error = life.run(pending(), GRACE).await.unwrap_err();
        assert_eq!(error.to_string(), "task follower died: log unreachable");
    }

    #[tokio::test]
    async fn a_panic_and_a_silent_end_are_deaths_too() {
        for silent in [true, false] {
            let mut life = Lifecycle::new();
            life.front("grpc", until);
            life.back("follower", move |_| async move {
                assert!(silent, "out of luck");
                Ok::<(), io::Error>(())
            });
            let error = life.run(pending(), GRACE).await.unwrap_err();
            assert!(error.to_string().starts_with("task follower died"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_grace_period_is_an_end() {
        let mut life = Lifecycle::new();
        life.front("grpc", until);
        life.back("stuck", |_| pending::<Result<(), io::Error>>());
        let error = life.run(async {}, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, LifecycleError::Overdue { tasks: 1, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_failure_while_stopping_is_told() {
        let mut life = Lifecycle::new();
        life.front("grpc", |stop| async move {
            stop.cancelled().await;
            Err(io::Error::other("not drained"))
        });
        let error = life.run(async {}, GRACE).await.unwrap_err();
        assert_eq!(error.to_string(), "task grpc died: not drained");
    }
}
