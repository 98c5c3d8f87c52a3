//! A package index of Python with one wheel, as pip asks it
//! (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>), whose answers may be kept. It counts downloads.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::registries::listen;

/// A wheel with the module `own_lib`.
const MAKE: &str = "import sys, zipfile\n\
    wheel = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)\n\
    for name, text in [('own_lib.py', 'x = 42\\n'), ('own_lib-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: own-lib\\nVersion: 1.0\\n'),\n\
    \x20   ('own_lib-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py2-none-any\\nTag: py3-none-any\\n'),\n\
    \x20   ('own_lib-1.0.dist-info/RECORD', '')]: wheel.writestr(name, text)\n\
    wheel.close()";
const NAME: &str = "own_lib-1.0-py2.py3-none-any.whl";
const KEPT: [(&str, &str); 1] = [("cache-control", "max-age=365000000, immutable, public")];

pub struct PackageIndex {
    pub url: String,
    /// A line of a requirements file.
    pub requirement: String,
    downloads: Arc<AtomicU32>,
}

impl PackageIndex {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        let made = Command::new("python3").args(["-c", MAKE]).arg(&path).status().expect("python3");
        assert!(made.success(), "a wheel");
        let wheel = std::fs::read(path).expect("a wheel");
        let sum = hex::encode(Sha256::digest(&wheel));
        let page = format!("<!DOCTYPE html><a href=\"/files/{NAME}#sha256={sum}\">{NAME}</a>");
        let downloads: Arc<AtomicU32> = Arc::default();
        let counted = Arc::clone(&downloads);
        let file = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::ready((KEPT, wheel.clone()))
        };
        let router = Router::new()
            .route("/simple/own-lib/", get(move || std::future::ready(Html(page.clone()))))
            .route(&format!("/files/{NAME}"), get(file));
        let listener = listen().await;
        let url = format!("http://{}/simple", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requirement: format!("own-lib==1.0 --hash=sha256:{sum}"), downloads }
    }

    /// How often the wheel was downloaded.
    pub fn downloads(&self) -> u32 {
        self.downloads.load(Ordering::SeqCst)
    }
}
