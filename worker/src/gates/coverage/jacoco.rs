//! JaCoCo XML: `package[name]/sourcefile[name]/line[nr, ci]`; a line ran when an instruction of it did.

use roxmltree::Node;

use super::report::{Report, Unreadable, number};

pub(super) fn read(root: Node<'_, '_>) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    for package in root.descendants().filter(|node| node.has_tag_name("package")) {
        let folder = package.attribute("name").unwrap_or_default();
        for file in package.children().filter(|child| child.has_tag_name("sourcefile")) {
            let name = file.attribute("name").ok_or_else(|| Unreadable::new("a <sourcefile> without a name"))?;
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            report.file(&path);
            for line in file.children().filter(|child| child.has_tag_name("line")) {
                report.hit(&path, number(line, "nr")?, number(line, "ci")?);
            }
        }
    }
    report.or_empty(true, "")
}
