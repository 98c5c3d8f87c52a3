//! Each format, read as it comes out of its tool.

use nofx_shared::gates::{Finding, Severity, TestCount};

use super::{Format, ToolOutput, read, recognise};

/// The format that is recognised, the findings in short, and the tests.
fn reading(text: &str) -> (Option<Format>, Vec<String>, Option<TestCount>) {
    let output = ToolOutput { stdout: text, output: text };
    let format = recognise(&output);
    let reading = format.map(|format| read(format, &output).expect("what was recognised can be read")).unwrap_or_default();
    let short = |one: &Finding| {
        let place = [one.line, one.column].map(|n| n.map_or_else(|| "-".to_owned(), |n| n.to_string())).join(":");
        let level = match one.severity {
            Severity::Error => "E",
            Severity::Warning => "W",
            Severity::Info => "I",
        };
        format!("{level} {}:{place} {}: {}", one.file.as_deref().unwrap_or("-"), one.rule.as_deref().unwrap_or("-"), one.message)
    };
    (format, reading.findings.iter().map(short).collect(), reading.tests)
}

#[test]
fn compiler_messages_and_tests_of_cargo() {
    let text = concat!(
        r#"{"reason":"compiler-artifact","target":{}}"#,
        "\n",
        r#"{"reason":"compiler-message","message":{"code":{"code":"unused_variables"},"level":"warning","message":"unused variable: `x`","spans":[{"file_name":"src/lib.rs","line_start":2,"column_start":9,"is_primary":true}]}}"#,
        "\n",
        r#"{"reason":"compiler-message","message":{"code":null,"level":"error","message":"aborting due to 1 previous error","spans":[]}}"#,
        "\n",
        r#"{"reason":"build-finished","success":true}"#,
        "\n",
        "running 2 tests\ntest a::good ... ok\ntest a::bad ... FAILED\n\nfailures:\n\n---- a::bad stdout ----\n\n",
        "thread 'a::bad' (7) panicked at src/lib.rs:9:5:\nassertion failed: 1 == 2\n\n",
        "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
    );
    let (format, findings, tests) = reading(text);
    assert_eq!(format, Some(Format::Cargo));
    assert_eq!(findings, ["W src/lib.rs:2:9 unused_variables: unused variable: `x`", "E src/lib.rs:9:5 a::bad: assertion failed: 1 == 2"]);
    assert_eq!(tests, Some(TestCount { passed: 1, failed: 1, skipped: 0 }));
}

#[test]
fn typescript_and_eslint() {
    let (format, findings, _) = reading("src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.\n  more\n");
    assert_eq!(
        (format, findings[0].as_str()),
        (Some(Format::Tsc), "E src/a.ts:3:7 TS2322: Type 'string' is not assignable to type 'number'.")
    );
    let eslint = r#"[{"filePath":"/w/a.js","messages":[{"ruleId":"no-undef","severity":2,"message":"'x' is not defined.","line":1,"column":5},
        {"ruleId":null,"fatal":true,"severity":2,"message":"Parsing error","line":2,"column":1},{"ruleId":"semi","severity":1,"message":"Missing","line":3,"column":1}],
        "errorCount":2,"warningCount":1}]"#;
    let (format, findings, _) = reading(eslint);
    assert_eq!(format, Some(Format::Eslint));
    assert_eq!(findings, ["E /w/a.js:1:5 no-undef: 'x' is not defined.", "E /w/a.js:2:1 -: Parsing error", "W /w/a.js:3:1 semi: Missing"]);
}

#[test]
fn ruff_pytest_and_plain_lines() {
    let ruff = r#"[{"code":"F401","filename":"/w/a.py","location":{"row":1,"column":8},"message":"`os` imported but unused"},
        {"code":null,"filename":"/w/b.py","location":{"row":2,"column":1},"message":"SyntaxError"}]"#;
    assert_eq!(reading(ruff).1, ["E /w/a.py:1:8 F401: `os` imported but unused", "E /w/b.py:2:1 -: SyntaxError"]);
    let pytest =
        "F.s\nFAILED tests/test_a.py::test_x[1] - assert 1 == 2\nERROR tests/test_b.py\n1 failed, 1 passed, 1 skipped, 1 error in 0.02s\n";
    let (format, findings, tests) = reading(pytest);
    assert_eq!((format, tests), (Some(Format::Pytest), Some(TestCount { passed: 1, failed: 2, skipped: 1 })));
    assert_eq!(
        findings,
        [
            "E tests/test_a.py:-:- tests/test_a.py::test_x[1]: assert 1 == 2",
            "E tests/test_b.py:-:- tests/test_b.py: the test could not be run"
        ]
    );
    let (format, findings, _) =
        reading("a.py:3:5: error: Incompatible types  [assignment]\na.py:9:1: note: see\nb.go:4: x declared and not used\n");
    assert_eq!(format, Some(Format::Lines));
    assert_eq!(findings, ["E a.py:3:5 assignment: Incompatible types", "I a.py:9:1 -: see", "E b.go:4:- -: x declared and not used"]);
}

#[test]
fn junit_counts_and_names_what_failed() {
    let text = r#"<?xml version="1.0"?><testsuites><testsuite name="s" tests="4"><testcase classname="t.test_a" name="ok" time="0.1"/>
        <testcase classname="t.test_a" name="bad" file="t/test_a.py" line="6"><failure message="assert 1 == 2">long</failure></testcase>
        <testcase classname="t" name="broken"><error message="boom"/></testcase><testcase classname="t" name="not"><skipped/></testcase></testsuite></testsuites>"#;
    let (format, findings, tests) = reading(text);
    assert_eq!((format, tests), (Some(Format::Junit), Some(TestCount { passed: 1, failed: 2, skipped: 1 })));
    assert_eq!(findings, ["E t/test_a.py:6:- t.test_a::bad: assert 1 == 2", "E -:-:- t::broken: boom"]);
}

#[test]
fn sarif_levels_places_and_suppressions() {
    let text = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x","rules":[{"id":"R1","defaultConfiguration":{"level":"error"}}]}},
        "results":[{"ruleId":"R1","message":{"text":"bad"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"file:///w/a.py"},"region":{"startLine":4,"startColumn":2}}}]},
        {"ruleId":"R2","level":"note","message":{"text":"fyi"}},{"ruleId":"R1","suppressions":[{"kind":"inSource"}],"message":{"text":"known"}},{"ruleId":"R3","message":{"text":"hm"}}]}]}"#;
    assert_eq!(reading(text).1, ["E /w/a.py:4:2 R1: bad", "I -:-:- R2: fyi", "W -:-:- R3: hm"]);
    let broken = r#"{"version":"2.1.0","runs":[{"invocations":[{"executionSuccessful":false}],"results":[]}]}"#;
    assert!(read(Format::Sarif, &ToolOutput { stdout: broken, output: broken }).is_err());
}

#[test]
fn other_texts_have_no_format() {
    for text in ["", "all good\n", "{\"hello\": 1}", "[1, 2]", "<html/>", "http://example.com:80/ was fetched"] {
        assert_eq!(reading(text), (None, vec![], None), "{text}");
    }
}
