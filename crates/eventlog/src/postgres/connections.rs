//! Connections kept at hand. The pool asks the server at both ends of each use whether the connection still stands, two
//! round trips more for every question of one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;
use sqlx::{Connection, PgPool};
use tokio::time::{Instant, timeout};

/// A connection unused for so long is asked whether it still stands.
const DOUBTED: Duration = Duration::from_secs(1);
/// One that does not answer that for so long is given up: the other end may be gone without a word.
const ANSWER: Duration = Duration::from_secs(2);

/// A pool, and some of its connections at hand.
#[derive(Debug)]
pub(crate) struct Connections {
    pool: PgPool,
    /// Most that are kept: fewer than the pool may open, so that it can always give one to others.
    most: usize,
    /// Each with when it was last used, the latest last.
    idle: Mutex<Vec<(PoolConnection<Postgres>, Instant)>>,
}

impl Connections {
    /// Keeps at most so many of the pool's connections.
    pub(crate) fn of(pool: PgPool, most: usize) -> Self {
        Self { pool, most, idle: Mutex::default() }
    }

    /// The pool, for what is seldom asked.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection that stands, as far as anybody can know. Whoever is done with it gives it to [`Connections::keep`];
    /// dropped, it is the pool's again, which looks at what became of it.
    pub(crate) async fn take(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        while let Some((mut connection, since)) = self.last() {
            if since.elapsed() < DOUBTED || matches!(timeout(ANSWER, connection.ping()).await, Ok(Ok(()))) {
                return Ok(connection);
            }
            drop(connection.detach());
        }
        self.pool.acquire().await
    }

    /// Keeps a connection at hand on which nothing is under way.
    pub(crate) fn keep(&self, connection: PoolConnection<Postgres>) {
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push((connection, Instant::now()));
        }
    }

    fn last(&self) -> Option<(PoolConnection<Postgres>, Instant)> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(PoolConnection<Postgres>, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
