//! Proves that a record is whole: no row changed, none missing, none added behind its end.

use serde::{Deserialize, Serialize};

use super::Entry;

/// The last row of an audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

/// What is wrong with a record, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("row {missing} is missing: row {found} follows row {}", missing - 1)]
    Missing { missing: i64, found: i64 },
    #[error("row {0}, or a row before it, was changed: the hash does not match")]
    Changed(i64),
    #[error("the payload of row {0} was changed")]
    Payload(i64),
    #[error("the audit log should end with row {expected} but ends with row {found}")]
    Cut { expected: i64, found: i64 },
    #[error("the last row is not the recorded head of the audit log")]
    End,
}

/// A record, checked row by row.
pub struct Chain(Head);

impl Default for Chain {
    fn default() -> Self {
        Self(Head { seq: 0, hash: "0".repeat(64) })
    }
}

impl Chain {
    /// The last row that was checked; 0 for none.
    pub fn seq(&self) -> i64 {
        self.0.seq
    }

    /// Checks the next row.
    pub fn follow(&mut self, row: &Entry) -> Result<(), Break> {
        if row.seq != self.0.seq + 1 {
            return Err(Break::Missing { missing: self.0.seq + 1, found: row.seq });
        }
        if row.hash_after(&self.0.hash) != row.hash {
            return Err(Break::Changed(row.seq));
        }
        if !row.payload_is_good() {
            return Err(Break::Payload(row.seq));
        }
        self.0 = Head { seq: row.seq, hash: row.hash.clone() };
        Ok(())
    }

    /// Checks that nothing is missing at the end. `head` is the record's end as it was before the last page was read.
    pub fn finish(&self, head: &Head) -> Result<(), Break> {
        if self.0.seq < head.seq {
            return Err(Break::Cut { expected: head.seq, found: self.0.seq });
        }
        if self.0.seq == head.seq && self.0.hash != head.hash { Err(Break::End) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Break, Chain, Head};
    use crate::audit::Entry;

    fn record(n: i64) -> (Vec<Entry>, Head) {
        let mut rows: Vec<Entry> = vec![];
        for seq in 1..=n {
            let before = rows.last().map_or_else(|| "0".repeat(64), |row| row.hash.clone());
            let mut row = Entry {
                tenant_id: Uuid::nil(),
                seq,
                id: Uuid::from_u128(seq.unsigned_abs().into()),
                actor: "an admin".to_owned(),
                action: "key.minted".to_owned(),
                target: "x".to_owned(),
                run_id: None,
                step_id: None,
                request_id: None,
                address: None,
                payload_hash: None,
                at: 1_700_000_000_000_000 + seq,
                hash: String::new(),
                payload: None,
                sealed: None,
                key_id: None,
                wrapped_key: None,
            };
            row.hash = row.hash_after(&before);
            rows.push(row);
        }
        let last = rows.last().expect("a row");
        let head = Head { seq: last.seq, hash: last.hash.clone() };
        (rows, head)
    }

    fn check(rows: &[Entry], head: &Head) -> Result<(), Break> {
        let mut chain = Chain::default();
        rows.iter().try_for_each(|row| chain.follow(row))?;
        chain.finish(head)
    }

    #[test]
    fn a_row_that_was_changed_taken_out_or_put_in_is_found() {
        let (rows, head) = record(5);
        assert_eq!(check(&rows, &head), Ok(()));
        let mut changed = rows.clone();
        changed[2].actor = "somebody else".to_owned();
        assert_eq!(check(&changed, &head), Err(Break::Changed(3)));
        let mut missing = rows.clone();
        missing.remove(1);
        assert_eq!(check(&missing, &head), Err(Break::Missing { missing: 2, found: 3 }));
        assert_eq!(check(&rows[..4], &head), Err(Break::Cut { expected: 5, found: 4 }));
        let mut forged = rows.clone();
        forged[4].target = "y".to_owned();
        forged[4].hash = forged[4].hash_after(&rows[3].hash);
        assert_eq!(check(&forged, &head), Err(Break::End), "a last row that was made again, hash and all");
        let mut payload = rows;
        payload[0].payload = Some("{}".to_owned());
        assert_eq!(check(&payload, &head), Err(Break::Payload(1)));
    }
}
