//! Cobertura XML: `class[filename]/lines/line[number, hits]`, relative to the `sources`.

use roxmltree::Node;

use super::report::{Report, Unreadable, number};

pub(super) fn read(root: Node<'_, '_>) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    for node in root.descendants() {
        if node.has_tag_name("source") {
            report.roots.extend(node.text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()));
        }
        if !node.has_tag_name("class") {
            continue;
        }
        let path = node.attribute("filename").ok_or_else(|| Unreadable::new("a <class> without a filename"))?;
        report.file(path);
        // Lines below <methods> are repeated in the class; only the latter count.
        for lines in node.children().filter(|child| child.has_tag_name("lines")) {
            for line in lines.children().filter(|child| child.has_tag_name("line")) {
                report.hit(path, number(line, "number")?, number(line, "hits")?);
            }
        }
    }
    report.or_empty(true, "")
}
