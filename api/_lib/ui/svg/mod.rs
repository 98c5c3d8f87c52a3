//! Drawings, laid out here and not in the browser: data in, SVG out, the same for the same data.

mod axis;
mod chart;
mod layered;
mod scale;
mod waterfall;

pub(super) use chart::{Minute, chart};
pub(super) use layered::{Node, layered};
pub(super) use scale::Scale;
pub(super) use waterfall::{Kind, Lane, Row, Segment, waterfall};

/// Compares a drawing with what is checked in beside it; `NOFX_UPDATE=1` accepts it as it is.
#[cfg(test)]
fn same(name: &str, drawn: &maud::Markup) {
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
