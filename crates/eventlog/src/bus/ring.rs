//! The newest rows of the log, at hand: a bounded run of consecutive positions.

use std::collections::VecDeque;

use crate::chain;
use crate::store::Row;

/// Most rows at hand.
pub(crate) const MAX_ROWS: usize = 16 * 1024;
/// Most bytes of bodies at hand.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Rows that follow each other without a gap, linked by their hashes; the oldest leave first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    rows: VecDeque<Row>,
    bytes: usize,
    /// Position and hash of the row the next one must follow.
    last: Option<(i64, Vec<u8>)>,
}

/// What became of a row that was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is the next one.
    Taken,
    /// It, or a later one, was here before.
    Known,
    /// Rows before it are missing, or nothing is known yet.
    AfterGap(Box<Row>),
    /// It is the next one by position, but not by its hash.
    Unlinked,
}

impl Ring {
    /// Position and hash of the last row known.
    pub(crate) fn last(&self) -> Option<(i64, &[u8])> {
        self.last.as_ref().map(|(position, hash)| (*position, hash.as_slice()))
    }

    /// Begins anew behind the row with this position and hash.
    pub(crate) fn begin(&mut self, position: i64, hash: Vec<u8>) {
        self.cut();
        self.last = Some((position, hash));
    }

    /// Forgets everything.
    pub(crate) fn cut(&mut self) {
        *self = Self::default();
    }

    /// Takes the row in if it follows the last one.
    pub(crate) fn offer(&mut self, row: Row) -> Offered {
        let Some((position, hash)) = &mut self.last else { return Offered::AfterGap(Box::new(row)) };
        if row.position <= *position {
            return Offered::Known;
        }
        if row.position > *position + 1 {
            return Offered::AfterGap(Box::new(row));
        }
        if row.hash != chain::link(hash, &row) {
            return Offered::Unlinked;
        }
        *position = row.position;
        hash.clone_from(&row.hash);
        self.bytes += row.body.len();
        self.rows.push_back(row);
        while self.rows.len() > MAX_ROWS || self.bytes > MAX_BYTES {
            let oldest = self.rows.pop_front();
            self.bytes -= oldest.map_or(0, |row| row.body.len());
        }
        Offered::Taken
    }

    /// At most `limit` rows after `position`, if the first of them is at hand; as [`crate::Log::read`] would give them.
    pub(crate) fn page(&self, wanted: Option<&[&str]>, position: i64, limit: usize) -> Option<Vec<Row>> {
        let first = self.rows.front()?.position;
        let skipped = usize::try_from(position.checked_add(1)?.checked_sub(first)?).ok()?;
        (skipped < self.rows.len())
            .then(|| self.rows.range(skipped..).take(limit).map(|row| row.next_to(position, wanted)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    /// A log of so many rows, with bodies of so many bytes.
    fn log(length: i64, bytes: usize) -> Vec<Row> {
        let mut hash = chain::GENESIS.to_vec();
        let mut rows = Vec::new();
        for position in 1..=length {
            let request = Uuid::from_u128(position.unsigned_abs().into());
            let mut row = Row {
                position,
                id: chain::event_id(request, 0),
                tenant: "acme".into(),
                stream: "ticket/1".into(),
                version: position,
                kind: if position % 2 == 0 { "Even" } else { "Odd" }.into(),
                schema: 1,
                occurred_us: position,
                recorded_us: position,
                actor: "user/a".into(),
                request,
                content: vec![1; 32],
                causation: None,
                correlation: None,
                trace: String::new(),
                body: vec![b' '; bytes],
                hash: Vec::new(),
            };
            row.hash = chain::link(&hash, &row);
            hash.clone_from(&row.hash);
            rows.push(row);
        }
        rows
    }

    fn begun() -> Ring {
        let mut ring = Ring::default();
        ring.begin(0, chain::GENESIS.to_vec());
        ring
    }

    proptest! {
        /// Whatever is delivered, twice, in whatever order: what is at hand is a piece of the log that ends at the last
        /// position known.
        #[test]
        fn shuffled_and_duplicated_rows_leave_a_piece_of_the_log(deliveries in prop::collection::vec(1i64..=20, 0..200)) {
            let (rows, mut ring) = (log(20, 1), begun());
            for position in deliveries {
                let row = rows[usize::try_from(position - 1).unwrap()].clone();
                let last = ring.last().unwrap().0;
                let expected = match position - last {
                    ..=0 => Offered::Known,
                    1 => Offered::Taken,
                    _ => Offered::AfterGap(Box::new(row.clone())),
                };
                prop_assert_eq!(ring.offer(row), expected);
            }
            let last = usize::try_from(ring.last().unwrap().0).unwrap();
            let at_hand = ring.page(None, 0, 100).unwrap_or_default();
            prop_assert_eq!(&at_hand, &rows[..last]);
        }
    }

    #[test]
    fn a_row_that_was_changed_or_is_of_another_history_is_refused() {
        let (rows, mut ring) = (log(2, 1), begun());
        let changed = Row { actor: "user/b".into(), ..rows[0].clone() };
        assert_eq!(ring.offer(changed), Offered::Unlinked);
        ring.begin(1, vec![7; 32]);
        assert_eq!(ring.offer(rows[1].clone()), Offered::Unlinked);
        assert_eq!(ring.page(None, 0, 1), None);
    }

    #[test]
    fn pages_begin_at_hand_or_not_at_all() {
        let (rows, mut ring) = (log(9, 1), Ring::default());
        assert!(matches!(ring.offer(rows[0].clone()), Offered::AfterGap(_)), "nothing is known yet");
        ring.begin(4, rows[3].hash.clone());
        for row in &rows[4..] {
            assert_eq!(ring.offer(row.clone()), Offered::Taken);
        }
        assert_eq!(ring.page(None, 3, 10), None, "the log has what is before");
        assert_eq!(ring.page(None, 9, 10), None, "an empty page comes from the log alone");
        assert_eq!(ring.page(None, i64::MAX, 10), None);
        assert_eq!(ring.page(None, 4, 2).unwrap(), rows[4..6]);
        let odd = ring.page(Some(&["Odd"]), 6, 10).unwrap();
        assert_eq!(odd.iter().map(|row| row.body.len()).collect::<Vec<_>>(), [1, 0, 1]);
        ring.cut();
        assert_eq!((ring.last(), ring.page(None, 4, 2)), (None, None));
    }

    #[test]
    fn the_oldest_leave_when_there_is_no_room() {
        let mut ring = begun();
        for row in log(i64::try_from(MAX_ROWS).unwrap() + 5, 0) {
            assert_eq!(ring.offer(row), Offered::Taken);
        }
        assert_eq!((ring.rows.len(), ring.rows[0].position), (MAX_ROWS, 6));
        let mut ring = begun();
        for row in log(70, MAX_BYTES / 64) {
            assert_eq!(ring.offer(row), Offered::Taken);
        }
        assert_eq!((ring.rows.len(), ring.bytes, ring.rows[0].position), (64, MAX_BYTES, 7));
    }
}
