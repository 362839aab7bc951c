//! Two tenants of one log: what one waits while the other floods.

use tokio::time::Instant;

use crate::append::docket::{self, Writer};
use crate::figure::{Book, Case, Figure};
use crate::load;
use crate::server::Server;
use crate::target::Target;

/// Tenant B's writers.
const CALM: usize = 16;
/// Tenant A's.
const FLOOD: usize = 1024;

const WHAT: &str = "tenant B, 16 writers";
const ALONE: &str = "docket, nobody else";
const FLOODED: &str = "docket, 1024 writers of tenant A";

/// One round of both.
pub(crate) async fn round(server: &mut Server, book: &mut Book) -> anyhow::Result<()> {
    for (who, others) in [(ALONE, 0), (FLOODED, FLOOD)] {
        let url = server.database().await?;
        docket::prepare(&url).await?;
        server.checkpoint().await?;
        let log = docket::open(&url).await?;
        let writers = |tenant, count| (0..count).map(|_| Writer::of(&log, tenant)).collect::<Vec<_>>();
        let begin = Instant::now();
        let calm = load::drive(writers("b", CALM), begin);
        if others == 0 {
            book.note(Case::new(WHAT, who), calm.await?.measure());
        } else {
            let (calm, flood) = tokio::try_join!(calm, load::drive(writers("a", others), begin))?;
            book.note(Case::new(WHAT, who), calm.measure());
            book.note(Case::new("tenant A meanwhile", who), flood.measure());
        }
        drop(log);
        server.remove(&url).await?;
    }
    Ok(())
}

/// What B may lose.
pub(crate) fn targets() -> Vec<Target> {
    let p99 = |who| (Case::new(WHAT, who), Figure::P99Ms);
    vec![Target::at_most(2.0, p99(FLOODED), p99(ALONE))]
}
