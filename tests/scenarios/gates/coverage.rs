//! Coverage of changed lines, compared with diff-cover of Python on repositories that are made here.
#![expect(clippy::disallowed_methods, reason = "runs diff-cover")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Command;

use nofx_tests::people::{status, step};
use nofx_tests::repository::{Repository, git, path_with_tools};
use nofx_tests::{Person, Tenant};
use serde_json::{Value, json};

/// A deterministic source of random numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// File → line → how often it ran.
type Hits = BTreeMap<String, BTreeMap<usize, u64>>;

/// A repository whose branch `work` changes, renames, deletes and adds files, and how often its lines ran.
fn repository(dice: &mut Dice, names: &[&str]) -> (Repository, Hits) {
    let lines = |dice: &mut Dice, n: u64| (0..n).map(|at| format!("line {at} {}\n", dice.roll(1 << 30))).collect::<Vec<_>>();
    let mut texts: BTreeMap<String, Vec<String>> = names.iter().map(|name| ((*name).to_owned(), lines(dice, 30))).collect();
    let whole =
        |texts: &BTreeMap<String, Vec<String>>| texts.iter().map(|(name, lines)| (name.clone(), lines.concat())).collect::<Vec<_>>();
    let first = whole(&texts);
    let repository = Repository::new(&first.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>());
    repository.branch("work");
    for (index, name) in names.iter().enumerate() {
        let mut text = texts.remove(*name).expect("a file");
        match index % 5 {
            // Renamed with a change; deleted; without an end of line; with carriage returns; in many places.
            0 => {
                text[3] = format!("changed {}\n", dice.roll(1 << 30));
                repository.git(&["rm", "-q", "--", name]);
                texts.insert(name.replace("src/", "src/moved "), text);
                continue;
            }
            1 if index > 4 => {
                repository.git(&["rm", "-q", "--", name]);
                continue;
            }
            2 => text.push("the last".to_owned()),
            3 => text.iter_mut().skip(10).for_each(|line| *line = line.replace('\n', "\r\n")),
            _ => {}
        }
        for _ in 0..6 {
            let at = dice.roll(text.len() as u64 - 1) as usize;
            match dice.roll(3) {
                0 => drop(text.remove(at)),
                1 => text[at] = format!("--- {}\n", dice.roll(1 << 30)),
                _ => text.insert(at, format!("+++ new {}\n", dice.roll(1 << 30))),
            }
        }
        texts.insert((*name).to_owned(), text);
    }
    texts.insert("src/new.py".to_owned(), lines(dice, 12));
    let mut hits = Hits::new();
    for (name, lines) in &texts {
        let measured = (1..=lines.len()).filter(|_| dice.roll(5) > 0).collect::<Vec<_>>();
        hits.insert(name.clone(), measured.into_iter().map(|line| (line, dice.roll(3))).collect());
    }
    let changed = whole(&texts);
    repository.commit(&changed.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>());
    (repository, hits)
}

fn escape(name: &str) -> String {
    name.replace('&', "&amp;").replace('\'', "&apos;")
}

/// The report in a format: the file's name and its text.
fn report(format: &str, hits: &Hits) -> (&'static str, String) {
    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("text");
    match format {
        "lcov" => {
            for (file, lines) in hits {
                put(format_args!("TN:\nSF:{file}\nFN:1,main\nFNDA:1,main\n"));
                lines.iter().for_each(|(line, n)| put(format_args!("DA:{line},{n}\n")));
                put(format_args!("end_of_record\n"));
            }
            ("lcov.info", out)
        }
        "cobertura" => {
            put(format_args!("<?xml version='1.0'?><coverage><sources><source>.</source></sources><packages><package><classes>"));
            for (file, lines) in hits {
                put(format_args!("<class filename='{}'><methods/><lines>", escape(file)));
                lines.iter().for_each(|(line, n)| put(format_args!("<line number='{line}' hits='{n}'/>")));
                put(format_args!("</lines></class>"));
            }
            put(format_args!("</classes></package></packages></coverage>"));
            ("coverage.xml", out)
        }
        "clover" => {
            put(format_args!("<?xml version='1.0'?><coverage generated='1' clover='4.4.1'><project>"));
            for (file, lines) in hits {
                put(format_args!("<file name='{0}' path='{0}'>", escape(file)));
                lines.iter().for_each(|(line, n)| put(format_args!("<line num='{line}' type='stmt' count='{n}'/>")));
                put(format_args!("</file>"));
            }
            put(format_args!("</project></coverage>"));
            ("clover.xml", out)
        }
        "jacoco" => {
            put(format_args!("<?xml version='1.0'?><report name='x'>"));
            for (file, lines) in hits {
                let (folder, name) = file.rsplit_once('/').expect("a folder");
                put(format_args!("<package name='{}'><sourcefile name='{}'>", escape(folder), escape(name)));
                lines.iter().for_each(|(line, n)| put(format_args!("<line nr='{line}' mi='1' ci='{n}' mb='0' cb='0'/>")));
                put(format_args!("</sourcefile></package>"));
            }
            put(format_args!("</report>"));
            ("jacoco.xml", out)
        }
        other => panic!("no format {other}"),
    }
}

/// The result of diff-cover: per file, covered and uncovered lines.
fn diff_cover(repository: &Repository, reports: &[&str]) -> BTreeMap<String, (BTreeSet<u64>, BTreeSet<u64>)> {
    let out = repository.dir.join("diff-cover.json");
    let done = Command::new(nofx_tests::stack::target().join("python/bin/diff-cover"))
        .args(reports)
        .args(["--compare-branch", "main", "--format"])
        .arg(format!("json:{}", out.display()))
        // The source root of JaCoCo's packages; other formats do not use it.
        .arg("--src-roots")
        .arg(&repository.dir)
        .current_dir(&repository.dir)
        .output()
        .expect("diff-cover runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(out).expect("its report")).expect("JSON");
    let lines = |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect::<BTreeSet<_>>();
    let files = report["src_stats"].as_object().expect("files").iter();
    files.map(|(file, stats)| (file.clone(), (lines(&stats["covered_lines"]), lines(&stats["violation_lines"])))).collect()
}

/// The result of the gate, in the same form.
fn ours(evidence: &Value) -> BTreeMap<String, (BTreeSet<u64>, BTreeSet<u64>)> {
    let lines = |value: &Value| {
        let ranges = value.as_array().expect("ranges").iter();
        ranges.flat_map(|range| range[0].as_u64().expect("a line")..=range[1].as_u64().expect("a line")).collect::<BTreeSet<_>>()
    };
    let files = evidence["coverage"]["files"].as_object().expect("files").iter();
    files.map(|(file, one)| (file.clone(), (lines(&one["covered"]), lines(&one["uncovered"])))).collect()
}

async fn judge(person: &Person, repository: &Repository, inputs: Value) -> (Value, Value) {
    let run = person
        .run(json!({"goal": "coverage", "workspace": repository.workspace("work"), "steps": [
            {"name": "gate", "tool": "gate:coverage", "inputs": inputs, "env": {"PATH": path_with_tools()}}]}))
        .await;
    (person.evidence(&run, "gate").await, run)
}

#[tokio::test]
async fn its_figures_are_those_of_diff_cover_in_every_format_that_it_reads() {
    let person = Tenant::new().await.contributor();
    let names = ["src/a.py", "src/b c.py", "src/é.py", "src/deep/d.py", "src/e.py", "src/f.py", "src/g's & h.py", "src/i.py"];
    for (seed, formats) in [
        (1, &["lcov"][..]),
        (2, &["cobertura"]),
        (3, &["clover"]),
        (4, &["jacoco"]),
        (5, &["lcov"]),
        (6, &["cobertura", "clover"]),
        (7, &["jacoco", "cobertura", "clover"]),
    ] {
        let mut dice = Dice(seed);
        let (repository, hits) = repository(&mut dice, &names);
        let mut reports = vec![];
        for format in formats {
            // Each of several reports contains its own part.
            let part: Hits = hits
                .iter()
                .map(|(file, lines)| (file.clone(), lines.iter().map(|(line, n)| (*line, n * dice.roll(2))).collect()))
                .collect();
            let (name, text) = report(format, if formats.len() == 1 { &hits } else { &part });
            repository.commit(&[(name, &text)]);
            reports.push(name);
        }
        let (evidence, _) = judge(&person, &repository, json!({"base": "main", "reports": reports, "threshold": 50})).await;
        let theirs = diff_cover(&repository, &reports);
        assert_eq!(ours(&evidence), theirs, "seed {seed}, {formats:?}: {evidence}");
        let covered: usize = theirs.values().map(|(covered, _)| covered.len()).sum();
        let all: usize = theirs.values().map(|(covered, uncovered)| covered.len() + uncovered.len()).sum();
        assert!(all > 20 && theirs.len() > 4, "the repository has changed too little to compare: {theirs:?}");
        assert_eq!(
            (evidence["coverage"]["covered"].as_u64(), evidence["coverage"]["coverable"].as_u64()),
            (Some(covered as u64), Some(all as u64))
        );
        assert_eq!(evidence["verdict"], if covered * 2 >= all { "pass" } else { "fail" });
    }
}

#[tokio::test]
async fn a_changed_file_that_no_report_contains_keeps_the_gate_closed() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[("a.py", "x = 1\n"), ("docs.md", "hello\n")]);
    repository.branch("work");
    repository.commit(&[
        ("a.py", "x = 1\ny = 2\n"),
        ("b.py", "z = 3\n"),
        ("docs.md", "hi\n"),
        ("lcov.info", "SF:a.py\nDA:1,1\nDA:2,1\nend_of_record\n"),
    ]);
    let (evidence, run) = judge(&person, &repository, json!({"base": "main"})).await;
    assert_eq!((status(&run, "gate"), evidence["verdict"].as_str()), ("failed", Some("inconclusive")));
    assert_eq!(
        (&evidence["coverage"]["unmeasured"], &evidence["coverage"]["left_out"]["docs.md"]),
        (&json!(["b.py"]), &json!("not source"))
    );
    let (evidence, run) = judge(&person, &repository, json!({"base": "main", "exclude": ["b.py"]})).await;
    assert_eq!(
        (status(&run, "gate"), evidence["verdict"].as_str(), &evidence["coverage"]["covered"]),
        ("succeeded", Some("pass"), &json!(1))
    );

    repository.commit(&[
        ("a.py", "x = 1\ny = 2\nw = 4\n"),
        ("b.py", ""),
        ("lcov.info", "SF:a.py\nDA:1,1\nDA:2,1\nDA:3,0\nend_of_record\nSF:/elsewhere/z.py\nDA:1,1\nend_of_record\n"),
    ]);
    let (evidence, run) = judge(&person, &repository, json!({"base": "main"})).await;
    assert_eq!(evidence["findings"][0]["message"], "line 3 is not covered");
    assert_eq!((status(&run, "gate"), &evidence["coverage"]["unmapped"]), ("failed", &json!(["/elsewhere/z.py"])));
    assert!(step(&run, "gate")["error"]["message"].as_str().is_some_and(|text| text.contains("1 of 2 changed lines are covered")), "{run}");
}

#[tokio::test]
async fn what_the_run_itself_changed_counts_and_a_command_may_make_the_report() {
    let person = Tenant::new().await.contributor();
    let repository = Repository::new(&[("a.js", "one();\n")]);
    repository.branch("work");
    let istanbul = json!({"a.js": {"path": "a.js", "statementMap": {"0": {"start": {"line": 2, "column": 0}, "end": {"line": 2, "column": 5}}}, "s": {"0": 1}}});
    let command = format!("mkdir coverage && echo '{istanbul}' > coverage/coverage-final.json");
    let covered = async |command: String| {
        let run = person
            .run(json!({"goal": "coverage", "workspace": repository.workspace("work"), "steps": [
                {"name": "write", "tool": "bash", "inputs": {"script": "echo 'two();' >> a.js"}},
                {"name": "gate", "tool": "gate:coverage", "inputs": {"base": "main", "command": command}}]}))
            .await;
        person.evidence(&run, "gate").await
    };
    let evidence = covered(command.clone()).await;
    assert_eq!(
        (evidence["verdict"].as_str(), &evidence["coverage"]["files"]),
        (Some("pass"), &json!({"a.js": {"covered": [[2, 2]], "uncovered": []}})),
        "{evidence}"
    );
    let evidence = covered(format!("{command} && kill -9 $$")).await;
    assert_eq!(
        (evidence["verdict"].as_str(), evidence["summary"].as_str()),
        (Some("inconclusive"), Some("the command was killed by a signal")),
        "the report is there, but who made it did not end: {evidence}"
    );
    let (evidence, _) = judge(&person, &repository, json!({"base": "main", "command": "exit 3"})).await;
    assert_eq!(evidence["verdict"], "inconclusive");
    assert!(git(&repository.dir, &["status", "--porcelain"]).is_empty(), "the repository itself is not touched");
}
