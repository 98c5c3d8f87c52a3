//! Who may do how much: API keys, quotas, private networks, tools that may use secrets, tables that steps may write, and the audit log. Served by the function `system`.

mod audit;
mod db_write_rules;
mod keys;
mod networks;
mod quotas;
mod secret_rules;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(keys::list_api_keys, keys::create_api_key))
        .routes(routes!(keys::revoke_api_key))
        .routes(routes!(quotas::get_quota, quotas::set_quota))
        .routes(routes!(networks::list_networks, networks::set_networks))
        .routes(routes!(db_write_rules::list_db_write_rules, db_write_rules::set_db_write_rule))
        .routes(routes!(db_write_rules::delete_db_write_rule))
        .routes(routes!(secret_rules::list_secret_rules, secret_rules::set_secret_rule))
        .routes(routes!(audit::list_audit))
}
