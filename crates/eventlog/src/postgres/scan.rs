//! A PostgreSQL log read by one COPY in binary form, on a connection of its own.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio_stream::StreamExt;

use super::LOG_ID;
use crate::columns::before_body;
use crate::scan::Scan;

mod binary;

use binary::Decoder;

/// Rows come in the order of the index, however large the planner thinks the table; and they may take their time.
const SETTINGS: &str = "SET enable_sort = off; SET enable_seqscan = off; SET jit = off; SET statement_timeout = 0";

/// The rows after `after` up to and with `to`.
pub(super) fn scan(options: &PgConnectOptions, after: i64, to: i64, wanted: Option<&[&str]>) -> Scan<'static> {
    let options = options.clone();
    let copy = format!(
        "COPY (SELECT {}, {}, hash FROM docket.event WHERE log_id = {LOG_ID} AND position > {after} AND position <= {to}
         ORDER BY position) TO STDOUT (FORMAT binary)",
        before_body!(),
        body(wanted)
    );
    Scan::ahead(|mut pages| async move {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        let mut chunks = connection.copy_out_raw(&copy).await?;
        let mut decoder = Decoder::default();
        while let Some(chunk) = chunks.try_next().await? {
            decoder.feed(&chunk);
            while let Some(row) = decoder.next()? {
                pages.push(row).await;
            }
        }
        drop(chunks);
        decoder.end()?;
        pages.finish().await;
        Ok(connection.close().await?)
    })
}

/// The column of bodies: empty for a kind that is not wanted.
fn body(wanted: Option<&[&str]>) -> String {
    let Some(kinds) = wanted else { return "body".into() };
    let kinds: Vec<_> = kinds.iter().map(|kind| format!("'{}'", kind.replace('\'', "''"))).collect();
    format!("CASE WHEN kind = ANY(ARRAY[{}]::text[]) THEN body ELSE ''::bytea END", kinds.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_quoted() {
        assert_eq!(body(None), "body");
        assert_eq!(body(Some(&[])), "CASE WHEN kind = ANY(ARRAY[]::text[]) THEN body ELSE ''::bytea END");
        let odd = body(Some(&["A", "it's"]));
        assert_eq!(odd, "CASE WHEN kind = ANY(ARRAY['A','it''s']::text[]) THEN body ELSE ''::bytea END");
    }
}
