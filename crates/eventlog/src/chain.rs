//! The hash chain and the ids of events: what ties a row to its predecessor and to its request.

use aws_lc_rs::digest::{Context, SHA256};
use uuid::Uuid;

use crate::store::Row;

/// The predecessor's hash of the first event.
pub const GENESIS: [u8; 32] = [0; 32];

/// The id of a request's event: `UUIDv5` with the request as namespace and the index from 0, a big-endian `u32`, as name.
pub fn event_id(request: Uuid, index: u32) -> Uuid {
    Uuid::new_v5(&request, &index.to_be_bytes())
}

/// SHA-256 over the predecessor's hash and every column of the row but its hash, in the order in which [`Row`] declares
/// them. Each is preceded by its length as a big-endian `u64`; integers are big-endian `i64`, ids their 16 bytes, an
/// absent id no bytes.
pub fn link(previous: &[u8], row: &Row) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let mut column = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    column(previous);
    column(&row.position.to_be_bytes());
    column(row.id.as_bytes());
    column(row.tenant.as_bytes());
    column(row.stream.as_bytes());
    column(&row.version.to_be_bytes());
    column(row.kind.as_bytes());
    column(&row.schema.to_be_bytes());
    column(&row.occurred_us.to_be_bytes());
    column(&row.recorded_us.to_be_bytes());
    column(row.actor.as_bytes());
    column(row.request.as_bytes());
    column(&row.content);
    column(row.causation.as_ref().map_or(&[], |id| id.as_bytes()));
    column(row.correlation.as_ref().map_or(&[], |id| id.as_bytes()));
    column(row.trace.as_bytes());
    column(&row.body);
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn row() -> Row {
        Row {
            position: 1,
            id: event_id(Uuid::from_u128(7), 0),
            tenant: "acme".into(),
            stream: "ticket/1".into(),
            version: 1,
            kind: "Received".into(),
            schema: 1,
            occurred_us: 10,
            recorded_us: 11,
            actor: "user/a".into(),
            request: Uuid::from_u128(7),
            content: vec![1; 32],
            causation: None,
            correlation: Some(Uuid::from_u128(9)),
            trace: String::new(),
            body: b"{}".to_vec(),
            hash: Vec::new(),
        }
    }

    /// The values were computed by another program from the description above.
    #[test]
    fn is_pinned_for_ever() {
        assert_eq!(STANDARD.encode(link(&GENESIS, &row())), "t77g31/1jbzNyA5OWTI7kfNIgph3UfHiXnLmKYWdJ9E=");
        assert_eq!(row().id.to_string(), "1352c9d5-0ca5-5a6b-831e-291d2c769cb9");
    }

    #[test]
    fn tells_apart_what_moved_between_columns() {
        let moved = Row { tenant: "acm".into(), stream: "eticket/1".into(), ..row() };
        assert_ne!(link(&GENESIS, &row()), link(&GENESIS, &moved));
        let swapped = Row { causation: row().correlation, correlation: None, ..row() };
        assert_ne!(link(&GENESIS, &row()), link(&GENESIS, &swapped));
    }
}
