//! All functions of a build output as a client meets them: one URL, and what the platform does to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::function::{Function, Invocation};
use super::gateway::{self, Gateway};
use super::routes::Routes;

pub struct Deployment {
    pub url: String,
    gateway: Arc<Gateway>,
    /// Where the functions may write beside /tmp, which is nowhere: empty unless they broke that.
    pub home: tempfile::TempDir,
}

impl Deployment {
    /// Starts all functions of a build output with these settings and nothing else in their environment.
    pub async fn start(output: &Path, settings: &[(String, String)]) -> Self {
        let routes = Routes::read(output);
        let home = tempfile::tempdir().expect("a folder");
        let mut functions = BTreeMap::new();
        for entry in std::fs::read_dir(output.join("functions/api")).expect("built functions") {
            let folder = entry.expect("an entry").path();
            let name = folder.file_stem().expect("a name").to_string_lossy().into_owned();
            functions.insert(format!("/api/{name}"), Function::start(&folder, home.path(), settings).await);
        }
        assert!(!functions.is_empty(), "{}: no function was built", output.display());
        let gateway = Arc::new(Gateway::new(routes, functions, output.join("static")));
        let url = gateway::serve(Arc::clone(&gateway)).await;
        Self { url, gateway, home }
    }

    /// The requests of the functions and when each invocation ended, by function.
    pub fn invocations(&self) -> BTreeMap<String, Vec<Invocation>> {
        self.gateway.functions().map(|(path, function)| (path.clone(), function.invocations())).collect()
    }

    /// Asks a function to stop, as the platform does.
    pub fn terminate(&self, function: &str) {
        self.gateway.function(function).terminate();
    }

    /// Whether a function's process has ended with success.
    pub async fn ended_well(&self, function: &str) -> bool {
        self.gateway.function(function).ended_well().await
    }
}
