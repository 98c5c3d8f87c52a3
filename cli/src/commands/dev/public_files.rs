//! Serves what Vercel publishes of `public/`, file by file. Beside these files `nofx dev` serves the API alone.

use std::path::Path;

use axum::Router;
use nofx_local::dirs::checkout;
use tower_http::services::ServeFile;

use crate::exit::Error;

pub(super) fn add_to(router: Router) -> Result<Router, Error> {
    let folder = checkout().map_err(Error::new)?.join("public");
    add(router, &folder, "").map_err(Error::new)
}

fn add(mut router: Router, folder: &Path, path: &str) -> std::io::Result<Router> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        router = if entry.path().is_dir() {
            add(router, &entry.path(), &path)?
        } else {
            router.route_service(&path, ServeFile::new(entry.path()))
        };
    }
    Ok(router)
}
