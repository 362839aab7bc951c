//! Appending: one event a command by so many writers, ours beside the peers and the limits.

mod bare;
mod disintegrate;
pub(crate) mod docket;
pub(crate) mod event;
mod lanes;
mod message_db;
mod postgres_es;
pub(crate) mod processes;
mod sqlite;

use std::path::Path;

use crate::figure::{Book, Case, Figure, Measure, OURS};
use crate::load::Load;
use crate::server::{Server, own_cpu_us};
use crate::target::Target;

/// So many writers at once.
const WRITERS: [usize; 5] = [1, 16, 64, 256, 1024];
/// At the limit one prepares its rows while the other's are written.
const TWO: usize = 2;
/// Where several processes or single statements are compared.
const MANY: usize = 256;

const INSERT: &str = "bare INSERT";
const UNNEST: &str = "UNNEST";
const COPY: &str = "COPY";
const POSTGRES_ES: &str = "postgres-es 0.5.0";
const DISINTEGRATE: &str = "disintegrate-postgres 4.0.1";
const MESSAGE_DB: &str = "message-db 1.3.1";
const THREE: &str = "docket, three processes";
const ROW_BY_ROW: &str = "a statement a row";

/// Where the limits are.
const LIMIT: &str = "append, 1000 rows a transaction";
const ON_SQLITE: &str = "append on SQLite, 256 writers";

fn what(writers: usize) -> String {
    format!("append, {writers} writers")
}

/// One round of every case.
pub(crate) async fn round(server: &mut Server, dir: &Path, message_db: &Path, book: &mut Book) -> anyhow::Result<()> {
    for writers in WRITERS {
        for who in [OURS, INSERT, MESSAGE_DB, POSTGRES_ES, DISINTEGRATE] {
            case(server, Case::new(what(writers), who), writers, message_db, book).await?;
        }
    }
    case(server, Case::new(what(MANY), THREE), MANY, message_db, book).await?;
    for who in [UNNEST, COPY] {
        case(server, Case::new(LIMIT, who), TWO, message_db, book).await?;
    }
    for who in [OURS, ROW_BY_ROW] {
        let files = tempfile::tempdir_in(dir)?;
        let before = own_cpu_us()?;
        let load = match who {
            OURS => sqlite::docket(files.path(), MANY).await?,
            _ => sqlite::row_by_row(files.path(), MANY).await?,
        };
        let client_us = (own_cpu_us()? - before) / f64::from(load.all);
        let mut measure = load.measure();
        measure.insert(Figure::ClientUs, client_us);
        book.note(Case::new(ON_SQLITE, who), measure);
    }
    Ok(())
}

/// Measures one case in a database of its own. What a peer cannot do is a remark; our own failure ends the run.
async fn case(
    server: &mut Server,
    case: Case,
    writers: usize,
    message_db: &Path,
    book: &mut Book,
) -> anyhow::Result<()> {
    let url = server.database().await?;
    match measured(server, &url, &case.who, writers, message_db).await {
        Ok(measure) => book.note(case, measure),
        Err(error) if case.who == OURS => return Err(error),
        Err(error) => book.remark(format!("{}, {} could not run: {error:#}", case.what, case.who)),
    }
    server.remove(&url).await
}

async fn measured(server: &Server, url: &str, who: &str, writers: usize, message_db: &Path) -> anyhow::Result<Measure> {
    match who {
        MESSAGE_DB => message_db::prepare(url, message_db).await?,
        POSTGRES_ES => postgres_es::prepare(url).await?,
        DISINTEGRATE => disintegrate::prepare(url).await?,
        INSERT | UNNEST | COPY => bare::prepare(url).await?,
        _ => docket::prepare(url).await?,
    }
    server.checkpoint().await?;
    let before = server.spent().await?;
    let load: Load = match who {
        MESSAGE_DB => message_db::run(url, writers).await?,
        POSTGRES_ES => postgres_es::run(url, writers).await?,
        DISINTEGRATE => disintegrate::run(url, writers).await?,
        INSERT => bare::run(url, writers, bare::How::Insert).await?,
        UNNEST => bare::run(url, writers, bare::How::Unnest).await?,
        COPY => bare::run(url, writers, bare::How::Copy).await?,
        THREE => processes::run(url, writers, 3).await?,
        _ => docket::run(url, writers).await?,
    };
    let mut measure = server.spent().await?.since(&before, load.all);
    measure.extend(load.measure());
    Ok(measure)
}

/// What our log is to reach.
pub(crate) fn targets() -> Vec<Target> {
    use Figure::{Fsyncs, P50Ms, PerSec};
    let ours = |writers| Case::ours(what(writers));
    let than = |writers, who| Case::new(what(writers), who);
    let limit = || Case::new(LIMIT, COPY);
    vec![
        Target::at_least(0.8, (ours(1), PerSec), (than(1, INSERT), PerSec)),
        Target::at_least(2.5, (ours(16), PerSec), (than(16, POSTGRES_ES), PerSec)),
        Target::at_least(5.0, (ours(16), PerSec), (than(16, MESSAGE_DB), PerSec)),
        Target::at_least(1.0, (ours(16), PerSec), (than(16, INSERT), PerSec)),
        Target::at_most(3.0, (ours(16), P50Ms), (than(1, INSERT), P50Ms)),
        Target::bound(0.07, (ours(16), Fsyncs)),
        Target::at_least(0.5, (ours(256), PerSec), (limit(), PerSec)),
        Target::bound(0.01, (ours(256), Fsyncs)),
        Target::at_least(0.7, (ours(1024), PerSec), (limit(), PerSec)),
        Target::at_least(2.5, (Case::ours(ON_SQLITE), PerSec), (Case::new(ON_SQLITE, ROW_BY_ROW), PerSec)),
    ]
}
