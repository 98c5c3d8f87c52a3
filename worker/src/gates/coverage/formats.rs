//! The formats of coverage reports: how each is recognised, and its reader.

use serde_json::Value;

use super::report::{Report, Unreadable};
use super::{clover, cobertura, istanbul, jacoco, lcov, llvm_cov};

/// Recognises the format of a report and reads it; returns the format's name too.
pub(super) fn read(text: &str) -> Result<(&'static str, Report), Unreadable> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('{') {
        let value: Value = serde_json::from_str(start).map_err(|error| Unreadable::new(format!("not JSON: {error}")))?;
        if value["type"] == "llvm.coverage.json.export" {
            return llvm_cov::read(&value).map(|report| ("llvm-cov", report));
        }
        return istanbul::read(&value).map(|report| ("istanbul", report));
    }
    if start.starts_with('<') {
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        let document =
            roxmltree::Document::parse_with_options(start, options).map_err(|error| Unreadable::new(format!("not XML: {error}")))?;
        let root = document.root_element();
        let is_clover =
            root.has_attribute("clover") || root.descendants().any(|node| node.has_tag_name("line") && node.has_attribute("num"));
        return match root.tag_name().name() {
            "coverage" if is_clover => clover::read(root).map(|report| ("clover", report)),
            "coverage" => cobertura::read(root).map(|report| ("cobertura", report)),
            "report" => jacoco::read(root).map(|report| ("jacoco", report)),
            other => Err(Unreadable::new(format!("<{other}> is not the root of a coverage report"))),
        };
    }
    if start.starts_with("TN:") || start.starts_with("SF:") {
        return lcov::read(start).map(|report| ("lcov", report));
    }
    Err(Unreadable::new("the report is neither LCOV, Cobertura, Clover, JaCoCo, Istanbul nor llvm-cov JSON"))
}

#[cfg(test)]
mod tests {
    use super::read;

    fn lines(text: &str, path: &str) -> Vec<(u32, u64)> {
        let (_, report) = read(text).expect("a report");
        report.files[path].iter().map(|(line, hits)| (*line, *hits)).collect()
    }

    #[test]
    fn lcov_with_records_of_version_2_is_read() {
        let text = "TN:\nSF:src/a.rs\nFNL:0,1,5\nFNA:0,2,main\nBRDA:1,e0,0,-\nMCDC:1,2,t,1,0,x\nDA:1,2\nDA:1,3,checksum\nDA:2,0\nDA:3,-1\nLF:2\nend_of_record\n";
        assert_eq!(lines(text, "src/a.rs"), [(1, 5), (2, 0), (3, 0)]);
        assert!(read("SF:a\nDA:1,x\nend_of_record").is_err() && read("SF:a\nDA:1,1\n").is_err() && read("TN:\n").is_err());
    }

    #[test]
    fn cobertura_jacoco_and_clover_are_told_apart() {
        let cobertura = "<?xml version='1.0'?><!DOCTYPE coverage SYSTEM 'x.dtd'><coverage><sources><source>/w/src</source></sources><packages><package>\
            <classes><class filename='a.py'><methods><method><lines><line number='9' hits='1'/></lines></method></methods>\
            <lines><line number='1' hits='0'/><line number='2' hits='3' branch='true' condition-coverage='50% (1/2)'/></lines></class></classes></package></packages></coverage>";
        assert_eq!(lines(cobertura, "a.py"), [(1, 0), (2, 3)]);
        assert_eq!(read(cobertura).expect("a report").1.roots, ["/w/src"]);
        let jacoco = "<report name='x'><group><package name='com/acme'><sourcefile name='A.java'><line nr='3' mi='2' ci='0'/>\
            <line nr='4' mi='1' ci='1'/></sourcefile></package></group></report>";
        assert_eq!(lines(jacoco, "com/acme/A.java"), [(3, 0), (4, 1)]);
        let clover = "<coverage generated='1'><project><file name='a.php' path='/w/a.php'><line num='1' type='stmt' count='0'/>\
            <line num='2' type='method' count='2'/></file></project></coverage>";
        assert_eq!(lines(clover, "/w/a.php"), [(1, 0), (2, 2)]);
    }

    #[test]
    fn istanbul_and_llvm_cov_are_read() {
        let istanbul = r#"{"/w/a.js": {"path": "/w/a.js", "statementMap": {"0": {"start": {"line": 1, "column": 0}, "end": {"line": 3}},
            "1": {"start": {"line": 1, "column": 9}}, "2": {"start": {"line": 2}}}, "s": {"0": 0, "1": 4, "2": 0}}}"#;
        assert_eq!(lines(istanbul, "/w/a.js"), [(1, 4), (2, 0)]);
        let llvm = r#"{"type": "llvm.coverage.json.export", "version": "2.0.1", "data": [{"files": [{"filename": "/w/a.rs", "segments": [
            [1, 1, 5, true, true, false], [2, 9, 0, true, true, false], [2, 20, 5, true, false, false], [4, 2, 0, false, false, false],
            [6, 1, 0, true, true, false], [7, 2, 0, false, false, false]]}]}]}"#;
        assert_eq!(lines(llvm, "/w/a.rs"), [(1, 5), (2, 5), (3, 5), (4, 5), (6, 0), (7, 0)]);
        assert!(read("{}").is_err() && read("{\"a\": 1}").is_err() && read("<html/>").is_err() && read("hello").is_err());
    }
}
