//! A SQLite log read in one streaming query, on a connection of its own.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio_stream::StreamExt;

use super::{json_list, select};
use crate::columns::before_body;
use crate::scan::{PAGE_ROWS, Scan};
use crate::store::Row;

/// The rows after `after` up to and with `to`. While it runs, the write-ahead log cannot be folded into the file.
pub(super) fn scan(options: &SqliteConnectOptions, after: i64, to: i64, wanted: Option<&[&str]>) -> Scan<'static> {
    let options = options.clone().row_buffer_size(PAGE_ROWS);
    let wanted = wanted.map(json_list);
    Scan::ahead(|mut pages| async move {
        let mut connection = options.connect().await?;
        let query = sqlx::query_as::<_, Row>(select!("WHERE position > ?2 AND position <= ?3 ORDER BY position"));
        let mut rows = query.bind(wanted).bind(after).bind(to).fetch(&mut connection);
        while let Some(row) = rows.try_next().await? {
            pages.push(row).await;
        }
        drop(rows);
        pages.finish().await;
        Ok(connection.close().await?)
    })
}
