//! `nofx audit verify|export`: verifies the audit log, row by row, on this machine; it trusts nothing but the rows.

use clap::Subcommand;
use nofx_shared::audit::{AuditEntry, AuditHead, Chain};
use nofx_shared::auth::Role;

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(Subcommand, Clone, Copy)]
pub(crate) enum Audit {
    /// Verify the audit log's hash chain; exits 1 if a row was changed or removed.
    Verify,
    /// Print the audit log as JSON lines, verifying it on the way.
    Export,
}

pub(crate) async fn run(target: &Target, command: Audit) -> Outcome {
    let api = Api::find(target, Role::Supervisor)?;
    let mut chain = Chain::default();
    let mut sealed = 0;
    loop {
        let page = api.list("/api/audit", &[("after", &chain.seq().to_string()), ("limit", "1000")]).await?;
        let head: AuditHead = serde_json::from_value(page["head"].clone()).map_err(Error::new)?;
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        for row in &rows {
            let entry: AuditEntry = serde_json::from_value(row.clone()).map_err(Error::new)?;
            sealed += u64::from(entry.payload_hash.is_some() && entry.payload.is_none());
            if let Err(error) = chain.follow(&entry) {
                return fail(target, &error.to_string());
            }
            if matches!(command, Audit::Export) {
                output::line(format_args!("{row}"));
            }
        }
        if rows.is_empty() || chain.seq() >= head.seq {
            if let Err(error) = chain.finish(&head) {
                return fail(target, &error.to_string());
            }
            break;
        }
    }
    if matches!(command, Audit::Verify) {
        if target.json {
            output::line(format_args!("{}", serde_json::json!({"valid": true, "rows": chain.seq(), "payloads_not_decrypted": sealed})));
        } else {
            output::line(format_args!("{} rows, none changed, none missing", chain.seq()));
            if sealed > 0 {
                output::note(format_args!("nofx: {sealed} payloads could not be decrypted or were deleted; their rows verify"));
            }
        }
    }
    Ok(Exit::Succeeded)
}

fn fail(target: &Target, reason: &str) -> Outcome {
    if target.json {
        output::line(format_args!("{}", serde_json::json!({"valid": false, "error": reason})));
    }
    output::note(format_args!("nofx: audit log verification failed: {reason}"));
    Ok(Exit::Failed)
}
