//! Secrets of the environment: the same for all tenants, so for one machine only.

use std::collections::BTreeMap;

use super::error::{Error, require_all};
use crate::settings;

pub(super) fn read(names: &[String]) -> Result<BTreeMap<String, String>, Error> {
    require_all(names, settings::secret, |name| format!("set NOFX_SECRET_{name} for the worker"))
}
