//! `nofx audit verify|export`: proves the record, row by row, on this machine; it believes nothing but the rows.

use nofx_shared::audit::{Chain, AuditEntry, AuditHead};
use nofx_shared::auth::Role;

use crate::api::Api;
use crate::args::{Audit, Target};
use crate::exit::{Error, Exit, Outcome};
use crate::output;

pub(crate) async fn run(target: &Target, command: Audit) -> Outcome {
    let api = Api::find(target, Role::Supervisor)?;
    let mut chain = Chain::default();
    let mut sealed = 0;
    loop {
        let page = api.get(&format!("/api/audit?after={}&limit=1000", chain.seq())).await?;
        let head: AuditHead = serde_json::from_value(page["head"].clone()).map_err(Error::new)?;
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        for row in &rows {
            let entry: AuditEntry = serde_json::from_value(row.clone()).map_err(Error::new)?;
            sealed += u64::from(entry.payload_hash.is_some() && entry.payload.is_none());
            if let Err(wrong) = chain.follow(&entry) {
                return broken(target, &wrong.to_string());
            }
            if matches!(command, Audit::Export) {
                output::line(format_args!("{row}"));
            }
        }
        if rows.is_empty() || chain.seq() >= head.seq {
            if let Err(wrong) = chain.finish(&head) {
                return broken(target, &wrong.to_string());
            }
            break;
        }
    }
    if matches!(command, Audit::Verify) {
        if target.json {
            output::line(format_args!("{}", serde_json::json!({"good": true, "rows": chain.seq(), "payloads_not_opened": sealed})));
        } else {
            output::line(format_args!("{} rows, none changed, none missing", chain.seq()));
            if sealed > 0 {
                eprintln!("nofx: {sealed} payloads could not be decrypted or were deleted; their rows verify");
            }
        }
    }
    Ok(Exit::Succeeded)
}

fn broken(target: &Target, wrong: &str) -> Outcome {
    if target.json {
        output::line(format_args!("{}", serde_json::json!({"good": false, "wrong": wrong})));
    }
    eprintln!("nofx: audit log verification failed: {wrong}");
    Ok(Exit::Failed)
}
