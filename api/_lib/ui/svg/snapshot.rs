//! Drawings of tests, as they are checked in under `snapshots`.

/// Compares a drawing with what is checked in beside it; `NOFX_UPDATE=1` accepts it as it is.
pub(super) fn same(name: &str, drawn: &maud::Markup) {
    #![expect(clippy::disallowed_methods, reason = "a flag accepts the drawing as it is")]
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/svg/snapshots").join(name);
    let text = drawn.clone().into_string().replace("><", ">\n<") + "\n";
    if std::env::var_os("NOFX_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, &text).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} differs: if the change is meant, run the tests with NOFX_UPDATE=1", path.display());
}
