//! Secrets of the environment: the same for all tenants, so for one machine only.

use std::collections::BTreeMap;

use super::error::{Error, require_all};
use crate::settings;

/// The values of all these names, or an error for the first that has none.
pub fn of_environment(names: &[String]) -> Result<BTreeMap<String, String>, Error> {
    require_all(names, settings::secret, |name| format!("set NOFX_SECRET_{name}"))
}
