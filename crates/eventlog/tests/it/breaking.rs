//! Connections that break around commits, with a real server: no request is lost, none is written twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventlog::store::Select;
use eventlog::verify::verify;
use eventlog::{Keys, Log, Postgres, Rejected};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::place::{Place, append};

const WRITERS: u128 = 6;
/// How often a caller asks again before the test fails.
const MOST_TRIES: u32 = 200;
const KILLS: u32 = 60;

/// Ends one connection after the other, whatever it is at, and counts them.
async fn kill(url: String, enough: Arc<AtomicBool>) -> u32 {
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut killed = 0;
    while killed < KILLS {
        let query = sqlx::query_as(
            "SELECT count(pg_terminate_backend(pid)) FROM (
                 SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                 ORDER BY state = 'idle', random() LIMIT 1) victim",
        );
        let (victims,): (i64,) = query.fetch_one(&mut connection).await.unwrap();
        killed += u32::try_from(victims).unwrap();
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    enough.store(true, Ordering::SeqCst);
    killed
}

/// Appends request after request until enough was killed, each until it is answered; how many, and how often nobody knew.
async fn ask(log: Arc<Log>, writer: u128, enough: Arc<AtomicBool>) -> (u128, u32) {
    let (mut asked, mut unknown) = (0, 0);
    while !enough.load(Ordering::SeqCst) {
        let request = append(writer * 1_000_000 + asked, &[&format!("ticket/{writer}"), "work/shared"]);
        let mut tries = 0;
        loop {
            match log.append(request.clone()).await {
                Ok(committed) => break assert_eq!(committed.rows().len(), 2),
                Err(Rejected::Store(_)) => unknown += 1,
                Err(other) => panic!("{other}"),
            }
            tries += 1;
            assert!(tries < MOST_TRIES, "request {asked} of {writer}");
        }
        asked += 1;
    }
    (asked, unknown)
}

/// Proves part of: X5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_lose_and_double_nothing() {
    let Some(place) = Place::postgres().await else { return };
    let Place::Postgres(url) = &place else { panic!("not in PostgreSQL") };
    let enough = Arc::new(AtomicBool::new(false));
    let mut logs = Vec::new();
    for _ in 0..2 {
        logs.push(Log::open(Arc::new(Postgres::open(url).await.unwrap()), Keys::memory(1)));
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let log = &logs[usize::try_from(writer).unwrap() % logs.len()];
        let asking = ask(Arc::clone(log), writer, Arc::clone(&enough));
        writers.spawn(async move { (writer, asking.await) });
    }
    let killed = kill(url.clone(), enough).await;
    let asked: BTreeMap<_, _> = writers.join_all().await.into_iter().collect();
    let log = place.log().await;
    let mut requests = BTreeMap::new();
    let mut after = 0;
    loop {
        let rows = log.read(&Select::All, None, after, 1_000).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.position;
        for row in &rows {
            *requests.entry(row.request.as_u128()).or_insert(0) += 1;
        }
    }
    let all = asked.iter().flat_map(|(writer, (asked, _))| (0..*asked).map(move |n| writer * 1_000_000 + n));
    let expected: BTreeMap<_, _> = all.map(|request| (request, 2)).collect();
    assert!(requests == expected, "{killed} killed, {asked:?}");
    verify(&log).await.unwrap();
}

/// Whoever asks after a while of rest, in which the server was started anew, is answered at once.
#[tokio::test]
async fn connections_that_broke_while_nobody_used_them_are_replaced() {
    let Some(place) = Place::postgres().await else { return };
    let Place::Postgres(url) = &place else { panic!("not in PostgreSQL") };
    let log = Log::open(Arc::new(Postgres::open(url).await.unwrap()), Keys::memory(1));
    log.append(append(1, &["ticket/a"])).await.unwrap();
    let heads = (0..4).map(|_| async { log.head().await.unwrap().position });
    assert_eq!(futures_util::future::join_all(heads).await, [1; 4]);
    let all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (killed,): (i64,) = sqlx::query_as(all).fetch_one(&mut connection).await.unwrap();
    assert!(killed >= 2, "{killed}: one that listens, and one at hand at least");
    // For as long as a connection is believed without asking it.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for request in 2..8 {
        assert_eq!(log.head().await.unwrap().position, i64::try_from(request).unwrap() - 1);
        log.append(append(request, &["ticket/a"])).await.unwrap();
    }
}
