//! Verifies an audit log: no row changed, none missing, none added after its end.

use super::{AuditEntry, AuditHead};

/// Why an audit log does not verify, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
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

/// The hash chain of an audit log, verified row by row.
pub struct Chain(AuditHead);

impl Default for Chain {
    fn default() -> Self {
        Self(AuditHead { seq: 0, hash: "0".repeat(64) })
    }
}

impl Chain {
    /// The last row that was verified; 0 for none.
    pub fn seq(&self) -> i64 {
        self.0.seq
    }

    /// Verifies the next row.
    pub fn follow(&mut self, row: &AuditEntry) -> Result<(), ChainError> {
        if row.seq != self.0.seq + 1 {
            return Err(ChainError::Missing { missing: self.0.seq + 1, found: row.seq });
        }
        if row.hash_after(&self.0.hash) != row.hash {
            return Err(ChainError::Changed(row.seq));
        }
        if !row.payload_is_valid() {
            return Err(ChainError::Payload(row.seq));
        }
        self.0 = AuditHead { seq: row.seq, hash: row.hash.clone() };
        Ok(())
    }

    /// Verifies that nothing is missing at the end. `head` is the end of the log as it was before the last page was read.
    pub fn finish(&self, head: &AuditHead) -> Result<(), ChainError> {
        if self.0.seq < head.seq {
            return Err(ChainError::Cut { expected: head.seq, found: self.0.seq });
        }
        if self.0.seq == head.seq && self.0.hash != head.hash { Err(ChainError::End) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{AuditHead, Chain, ChainError};
    use crate::audit::AuditEntry;

    fn log(n: i64) -> (Vec<AuditEntry>, AuditHead) {
        let mut rows: Vec<AuditEntry> = vec![];
        for seq in 1..=n {
            let before = rows.last().map_or_else(|| "0".repeat(64), |row| row.hash.clone());
            let mut row = AuditEntry {
                tenant_id: Uuid::nil(),
                seq,
                id: Uuid::from_u128(seq.unsigned_abs().into()),
                actor: "an admin".to_owned(),
                action: "api_key.created".to_owned(),
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
        let head = AuditHead { seq: last.seq, hash: last.hash.clone() };
        (rows, head)
    }

    fn check(rows: &[AuditEntry], head: &AuditHead) -> Result<(), ChainError> {
        let mut chain = Chain::default();
        rows.iter().try_for_each(|row| chain.follow(row))?;
        chain.finish(head)
    }

    #[test]
    fn a_row_that_was_changed_taken_out_or_put_in_is_found() {
        let (rows, head) = log(5);
        assert_eq!(check(&rows, &head), Ok(()));
        let mut changed = rows.clone();
        changed[2].actor = "somebody else".to_owned();
        assert_eq!(check(&changed, &head), Err(ChainError::Changed(3)));
        let mut missing = rows.clone();
        missing.remove(1);
        assert_eq!(check(&missing, &head), Err(ChainError::Missing { missing: 2, found: 3 }));
        assert_eq!(check(&rows[..4], &head), Err(ChainError::Cut { expected: 5, found: 4 }));
        let mut forged = rows.clone();
        forged[4].target = "y".to_owned();
        forged[4].hash = forged[4].hash_after(&rows[3].hash);
        assert_eq!(check(&forged, &head), Err(ChainError::End), "a last row that was made again, hash and all");
        let mut payload = rows;
        payload[0].payload = Some("{}".to_owned());
        assert_eq!(check(&payload, &head), Err(ChainError::Payload(1)));
    }
}
