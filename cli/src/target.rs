//! Finds the NOFX to call, and the file that `nofx dev` writes for others to find it.

use std::collections::BTreeMap;
use std::path::Path;

use clap::builder::FalseyValueParser;
use nofx_shared::auth::Role;
use serde::{Deserialize, Serialize};

use crate::exit::Error;
use crate::output;

/// Which NOFX to talk to. Without these, the one that `nofx dev` runs below this folder.
#[derive(clap::Args, Clone)]
pub(crate) struct Target {
    /// API base URL.
    #[arg(long, global = true, env = "NOFX_API_URL", hide_env_values = true)]
    pub api_url: Option<String>,
    /// A Supabase JWT or an API key.
    #[arg(long, global = true, env = "NOFX_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// For jobs that nobody watches: each default that is used is named on standard error, and no password is shown.
    #[arg(long, global = true, env = "NON_INTERACTIVE_MODE", value_parser = FalseyValueParser::new())]
    pub non_interactive: bool,
}

/// `DATA_DIR/dev.json`
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DevFile {
    pub api_url: String,
    pub supabase_url: String,
    /// PostgREST without the gateway before it.
    pub rest_url: String,
    pub db_url: String,
    pub jwt_secret: String,
    pub anon_key: String,
    pub service_role_key: String,
    pub internal_api_key: String,
    /// What calls of the function that executes steps are signed with.
    pub function_key: String,
    /// What workers beside this stack sign with.
    pub signing_key: String,
    /// What payloads of the audit log are sealed with.
    pub encryption_keys: String,
    pub metrics_url: String,
    /// The settings of the queue, for hosts and workers beside this stack.
    #[serde(default)]
    pub queue: BTreeMap<String, String>,
    pub tokens: BTreeMap<String, String>,
    /// Who can sign in with a password.
    pub people: Vec<nofx_local::Person>,
    pub pids: Pids,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pids {
    pub postgres: i32,
    pub postgrest: i32,
    /// Redis or the emulator of AWS; 0 when there is none.
    #[serde(default)]
    pub queue: i32,
    pub api: u32,
    pub workers: Vec<i32>,
}

/// The API's URL and a token: those of the command line, or of the nearest `.nofx/dev.json`, which has one for each role.
pub(crate) fn find(target: &Target, role: Role) -> Result<(String, String), Error> {
    let url = target.api_url.clone().map_or_else(|| local(target).map(|dev| dev.api_url), Ok)?;
    let token = match &target.token {
        Some(token) => token.clone(),
        None => local(target)?
            .tokens
            .get(&format!("{role:?}").to_lowercase())
            .cloned()
            .ok_or_else(|| Error::new(".nofx/dev.json has no token; pass --token"))?,
    };
    Ok((url, token))
}

/// The stack that `nofx dev` runs below this folder.
pub(crate) fn local(target: &Target) -> Result<DevFile, Error> {
    let here = std::env::current_dir().map_err(Error::new)?;
    let path = here.ancestors().map(|dir| dir.join(".nofx/dev.json")).find(|path| path.is_file());
    let path = path.ok_or_else(|| Error::new("no NOFX stack found: start `nofx dev` here, or pass --api-url and --token"))?;
    target.name_default(&format!("the stack of {}", path.display()));
    read(&path)
}

impl Target {
    /// A job's log shows what it used without being given it.
    pub(crate) fn name_default(&self, what: &str) {
        if self.non_interactive {
            output::note(format_args!("nofx: not given, so this is used: {what}"));
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<DevFile, Error> {
    let text = std::fs::read(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| Error::new(format!("{}: {error}", path.display())))
}
