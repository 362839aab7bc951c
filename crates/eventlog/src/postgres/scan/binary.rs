//! The binary form of COPY, read as rows.

use uuid::Uuid;

use crate::columns::COLUMNS;
use crate::store::{Row, StoreError};

/// How the binary form begins; flags and the length of an extension follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The number of columns that says that no row follows.
const END: i16 = -1;

/// The binary form of COPY, in chunks of whatever size, as rows.
#[derive(Default)]
pub(super) struct Decoder {
    chunks: Vec<u8>,
    /// How many of those bytes were taken.
    taken: usize,
    begun: bool,
    ended: bool,
}

impl Decoder {
    /// Takes the next chunk in.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.chunks.drain(..std::mem::take(&mut self.taken));
        self.chunks.extend_from_slice(chunk);
    }

    /// The next row, if it is there whole.
    pub(super) fn next(&mut self) -> Result<Option<Row>, StoreError> {
        let mut bytes = Bytes(&self.chunks[self.taken..]);
        if !self.begun {
            let Some(head) = bytes.head()? else { return Ok(None) };
            self.begun = true;
            self.taken += head;
        }
        if self.ended {
            return if bytes.0.is_empty() { Ok(None) } else { Err(malformed("bytes behind the end")) };
        }
        let whole = bytes.0.len();
        let Some(columns) = bytes.int::<2>().map(i16::from_be_bytes) else { return Ok(None) };
        if columns == END {
            self.ended = true;
            self.taken += size_of::<i16>();
            return Ok(None);
        }
        if usize::try_from(columns) != Ok(COLUMNS) {
            return Err(malformed("another number of columns"));
        }
        let mut fields = [None; COLUMNS];
        for field in &mut fields {
            if !bytes.field(field) {
                return Ok(None);
            }
        }
        let row = row(&fields)?;
        self.taken += whole - bytes.0.len();
        Ok(Some(row))
    }

    /// Nothing follows: the end must have been among what came.
    pub(super) fn end(&self) -> Result<(), StoreError> {
        if self.ended { Ok(()) } else { Err(malformed("no end")) }
    }
}

fn malformed(what: &str) -> StoreError {
    StoreError::Damaged(format!("a COPY with {what}"))
}

/// Bytes that are taken from the front; none where they are not there yet.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn int<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// Takes a column, a null as nothing; false if it is not there whole.
    fn field(&mut self, into: &mut Option<&'a [u8]>) -> bool {
        match self.int().map(|length| usize::try_from(i32::from_be_bytes(length))) {
            Some(Ok(length)) => *into = self.take(length),
            Some(Err(_)) => return true,
            None => return false,
        }
        into.is_some()
    }

    /// Takes what stands before the first row; answers its length.
    fn head(&mut self) -> Result<Option<usize>, StoreError> {
        let whole = self.0.len();
        let (Some(signature), Some(_flags), Some(extension)) =
            (self.take(SIGNATURE.len()), self.int::<4>(), self.int())
        else {
            return Ok(None);
        };
        if signature != SIGNATURE {
            return Err(malformed("another signature"));
        }
        let extension = usize::try_from(u32::from_be_bytes(extension)).unwrap_or(usize::MAX);
        Ok(self.take(extension).map(|_| whole - self.0.len()))
    }
}

/// A row of columns in the order in which [`Row`] declares them.
fn row(fields: &[Option<&[u8]>; COLUMNS]) -> Result<Row, StoreError> {
    let bytes = |n: usize| fields[n].ok_or_else(|| malformed("a null"));
    let int = |n| bytes(n)?.try_into().map(i64::from_be_bytes).map_err(|_| malformed("an integer of another size"));
    let id = |bytes| Uuid::from_slice(bytes).map_err(|_| malformed("an id of another size"));
    let text = |n| String::from_utf8(bytes(n)?.to_vec()).map_err(|_| malformed("a text that is none"));
    Ok(Row {
        position: int(0)?,
        id: id(bytes(1)?)?,
        tenant: text(2)?,
        stream: text(3)?,
        version: int(4)?,
        kind: text(5)?,
        schema: int(6)?,
        occurred_us: int(7)?,
        recorded_us: int(8)?,
        actor: text(9)?,
        request: id(bytes(10)?)?,
        content: bytes(11)?.to_vec(),
        causation: fields[12].map(id).transpose()?,
        correlation: fields[13].map(id).transpose()?,
        trace: text(14)?,
        body: bytes(15)?.to_vec(),
        hash: bytes(16)?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let texts = vec(".{0,20}", 5);
        let ints = prop::array::uniform5(any::<i64>());
        let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<Option<[u8; 16]>>(), any::<Option<[u8; 16]>>());
        let bytes = (vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..40));
        let row = (texts, ints, ids, bytes).prop_map(|(texts, ints, ids, (content, body, hash))| {
            let [tenant, stream, kind, actor, trace] = texts.try_into().unwrap();
            let [position, version, schema, occurred_us, recorded_us] = ints;
            let (id, request) = (Uuid::from_bytes(ids.0), Uuid::from_bytes(ids.1));
            let (causation, correlation) = (ids.2.map(Uuid::from_bytes), ids.3.map(Uuid::from_bytes));
            Row {
                position,
                id,
                tenant,
                stream,
                version,
                kind,
                schema,
                occurred_us,
                recorded_us,
                actor,
                request,
                content,
                causation,
                correlation,
                trace,
                body,
                hash,
            }
        });
        vec(row, 0..6)
    }

    /// The binary form by its description.
    fn copied(rows: &[Row]) -> Vec<u8> {
        let mut bytes = [SIGNATURE, &[0; 4], &3u32.to_be_bytes(), b"ext"].concat();
        for row in rows {
            bytes.extend(17i16.to_be_bytes());
            let mut field = |field: Option<&[u8]>| {
                bytes.extend(field.map_or(-1, |field| i32::try_from(field.len()).unwrap()).to_be_bytes());
                bytes.extend(field.unwrap_or_default());
            };
            field(Some(&row.position.to_be_bytes()));
            field(Some(row.id.as_bytes()));
            field(Some(row.tenant.as_bytes()));
            field(Some(row.stream.as_bytes()));
            field(Some(&row.version.to_be_bytes()));
            field(Some(row.kind.as_bytes()));
            field(Some(&row.schema.to_be_bytes()));
            field(Some(&row.occurred_us.to_be_bytes()));
            field(Some(&row.recorded_us.to_be_bytes()));
            field(Some(row.actor.as_bytes()));
            field(Some(row.request.as_bytes()));
            field(Some(&row.content));
            field(row.causation.as_ref().map(|id| &id.as_bytes()[..]));
            field(row.correlation.as_ref().map(|id| &id.as_bytes()[..]));
            field(Some(row.trace.as_bytes()));
            field(Some(&row.body));
            field(Some(&row.hash));
        }
        bytes.extend(END.to_be_bytes());
        bytes
    }

    fn decoded(bytes: &[u8], chunk: usize) -> Result<Vec<Row>, StoreError> {
        let (mut decoder, mut rows) = (Decoder::default(), Vec::new());
        for chunk in bytes.chunks(chunk) {
            decoder.feed(chunk);
            while let Some(row) = decoder.next()? {
                rows.push(row);
            }
        }
        decoder.end().map(|()| rows)
    }

    proptest! {
        #[test]
        fn rows_come_back_however_they_are_cut(rows in rows(), chunk in 1usize..700) {
            prop_assert_eq!(decoded(&copied(&rows), chunk).unwrap(), rows);
        }

        #[test]
        fn a_copy_that_was_broken_off_is_noticed(rows in rows(), missing in 1usize..40, chunk in 1usize..700) {
            let bytes = copied(&rows);
            let whole = bytes.len().saturating_sub(missing);
            prop_assert!(decoded(&bytes[..whole], chunk).is_err());
        }

        #[test]
        fn any_bytes_are_taken_without_a_panic(bytes in vec(any::<u8>(), 0..400), rows in rows(), at in any::<usize>()) {
            let _refused = decoded(&bytes, 64);
            let mut damaged = copied(&rows);
            let place = at % damaged.len();
            damaged[place] ^= 0x41;
            let _either = decoded(&damaged, 64);
        }
    }
}
