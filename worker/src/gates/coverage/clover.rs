//! Clover XML: `file[path]/line[num, count]`.

use roxmltree::Node;

use super::report::{Report, Unreadable, number};

pub(super) fn read(root: Node<'_, '_>) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    for file in root.descendants().filter(|node| node.has_tag_name("file")) {
        let path = file.attribute("path").or_else(|| file.attribute("name")).ok_or_else(|| Unreadable::new("a <file> without a path"))?;
        report.file(path);
        for line in file.children().filter(|child| child.has_tag_name("line")) {
            report.hit(path, number(line, "num")?, number(line, "count")?);
        }
    }
    report.or_empty(true, "")
}
