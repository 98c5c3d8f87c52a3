//! `nofx workspace`: the repository that runs of a tenant work on when their plan names none.

use clap::Subcommand;
use nofx_shared::auth::Role;
use serde_json::{Value, json};

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(Subcommand)]
pub(crate) enum Workspace {
    /// Show it.
    Show,
    /// Set it, for plans that are submitted from now on.
    Set(SetWorkspace),
    /// Remove it: such plans start with an empty folder.
    Clear,
}

#[derive(clap::Args)]
pub(crate) struct SetWorkspace {
    /// URL of a git repository, or an absolute path on the workers' machine that their operator allows.
    pub git: String,
    /// Branch, tag or commit. Default: the repository's HEAD.
    #[arg(long = "ref")]
    pub reference: Option<String>,
}

const PATH: &str = "/api/workspace";

pub(crate) async fn run(target: &Target, command: Workspace) -> Outcome {
    let answer = match command {
        Workspace::Show => Api::find(target, Role::Viewer)?.get(PATH).await?,
        Workspace::Set(SetWorkspace { git, reference }) => set(target, &json!({"git": git, "ref": reference})).await?,
        Workspace::Clear => set(target, &Value::Null).await?,
    };
    let workspace = &answer["workspace"];
    match workspace["git"].as_str() {
        _ if target.json => output::line(format_args!("{answer}")),
        None => output::note(format_args!("nofx: there is no default workspace")),
        Some(git) => output::line(format_args!("{git} {}", workspace["ref"].as_str().unwrap_or("HEAD"))),
    }
    Ok(Exit::Succeeded)
}

async fn set(target: &Target, workspace: &Value) -> Result<Value, Error> {
    Api::find(target, Role::Admin)?.post(PATH, &json!({"workspace": workspace})).await
}
