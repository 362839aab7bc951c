//! A ticket's own stream read back from the log, its personal data opened where the keys are still there.

use decider::{Micros, Tenant};
use eventlog::service::recorded;
use eventlog::store::Select;
use eventlog::{Log, Row, StoreError, seal};
use serde_json::{Value, json};
use ticket::stream;
use uuid::Uuid;

use crate::view::Entity;

/// What stands in the place of erased text.
pub(crate) const ERASED_TEXT: &str = "(erased)";
/// Rows read at once.
const PAGE: i64 = 1_000;

/// Up to which of its events a ticket is folded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Upto {
    /// The last one.
    Last,
    /// The one with this version.
    Version(u64),
    /// The last one recorded until then.
    Recorded(Micros),
}

impl Upto {
    fn includes(self, row: &Row) -> bool {
        match self {
            Self::Last => true,
            Self::Version(version) => row.version.unsigned_abs() <= version,
            Self::Recorded(at) => row.recorded_us <= at,
        }
    }
}

/// Each of these tickets, folded so far; those that had not begun by then are left out.
pub(crate) async fn entities(log: &Log, tenant: &Tenant, ids: &[Uuid], upto: Upto) -> Result<Vec<Entity>, StoreError> {
    let mut rows = Vec::new();
    for id in ids {
        let select = Select::Stream { tenant: tenant.to_string(), stream: stream::ticket(*id).to_string() };
        rows.push(stream_rows(log, &select, upto).await?);
    }
    let mut flat: Vec<Row> = rows.iter().flatten().cloned().collect();
    let mut bodies = opened(log, tenant, &flat).await?;
    for (row, body) in flat.iter_mut().zip(&mut bodies) {
        veil(body, "");
        row.body = body.to_string().into_bytes();
    }
    let events = flat.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
    Ok(events.chunk_by(|a, b| a.stream == b.stream).filter_map(Entity::fold).collect())
}

/// The bodies of rows of one tenant, personal data opened; what was erased stands as `{"erased":{"subject"}}`.
pub(crate) async fn opened(log: &Log, tenant: &Tenant, rows: &[Row]) -> Result<Vec<Value>, StoreError> {
    let parse = |row: &Row| {
        serde_json::from_slice(&row.body)
            .map_err(|error| StoreError::Damaged(format!("position {}: {error}", row.position)))
    };
    let mut bodies = Value::Array(rows.iter().map(parse).collect::<Result<_, _>>()?);
    log.reveal(tenant, &mut bodies).await?;
    match bodies {
        Value::Array(bodies) => Ok(bodies),
        _ => Ok(Vec::new()),
    }
}

async fn stream_rows(log: &Log, select: &Select, upto: Upto) -> Result<Vec<Row>, StoreError> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.position);
        let page = log.read(select, None, after, PAGE).await?;
        let whole = page.len();
        rows.extend(page.into_iter().take_while(|row| upto.includes(row)));
        if whole == 0 || rows.last().is_none_or(|row| row.position == after) {
            return Ok(rows);
        }
    }
}

/// Puts words in the place of what was erased, in the form the field has.
fn veil(value: &mut Value, name: &str) {
    match value {
        Value::Object(object) => {
            if let (1, Some(erased)) = (object.len(), object.get(seal::ERASED)) {
                let words = if name == "contact" {
                    json!({ "name": ERASED_TEXT, "phone": ERASED_TEXT, "email": ERASED_TEXT })
                } else {
                    json!(ERASED_TEXT)
                };
                *value = json!({ seal::PLAIN: { "subject": erased["subject"], "value": words } });
                return;
            }
            object.iter_mut().for_each(|(name, below)| veil(below, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|below| veil(below, name)),
        _ => {}
    }
}
