//! Both generations of yarn. Yarn 1 prints a line of JSON for each advisory and a summary; its exit code is a mask of severities. Yarn 4
//! prints a line for each advisory, or one that says that there are none; yarn 2 and 3 print the report of pnpm.

use std::collections::BTreeMap;

use nofx_shared::gates::Severity;
use serde_json::{Value, json};

use super::auditor::{Lock, Run};
use super::pnpm;
use super::report::{Advisory, Report, id_of_address, lists_what_it_counts, severity, text};
use crate::sbom::yarn_packages;

/// Yarn audits what a project requires. So the project is one that requires all that is locked: one workspace for each version that one
/// package has, and in the lock file nothing but these packages, without the dependencies between them.
pub(super) fn classic_runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    let lists = yarn_packages(lock.text)?;
    // Yarn would ask for a package without an address; this one it never opens.
    let entry = |(name, version): (&String, &String)| {
        let file = name.rsplit('/').next().unwrap_or_default();
        let address = format!("https://packages.invalid/{name}/-/{file}-{version}.tgz");
        format!("\n\"{name}@{version}\":\n  version \"{version}\"\n  resolved \"{address}\"\n")
    };
    let entries: String = lists.iter().flatten().map(entry).collect();
    Ok(vec![project(&lists, "", format!("# yarn lockfile v1\n\n{entries}"))])
}

/// The same for later ones, whose lock file names the workspaces, too.
pub(super) fn berry_runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    let lists = yarn_packages(lock.text)?;
    let version =
        lock.text.lines().skip_while(|line| line.trim_end() != "__metadata:").find_map(|line| line.trim().strip_prefix("version:"));
    let version = version.and_then(|version| version.trim().parse::<u32>().ok()).ok_or("has no version")?;
    let mut entries = BTreeMap::from([("__metadata".to_owned(), json!({"version": version}))]);
    for (name, version) in lists.iter().flatten() {
        let resolution = format!("{name}@npm:{version}");
        let entry = json!({"version": version, "resolution": resolution, "languageName": "node", "linkType": "hard"});
        entries.insert(resolution, entry);
    }
    let mut workspace = |resolution: String, dependencies: Value| {
        let entry = json!({"version": "0.0.0-use.local", "resolution": resolution, "dependencies": dependencies,
            "languageName": "unknown", "linkType": "soft"});
        entries.insert(resolution, entry);
    };
    workspace(format!("{OWN}@workspace:."), json!({}));
    for (at, list) in lists.iter().enumerate() {
        workspace(format!("{OWN}-{at}@workspace:w/{at}"), dependencies(list, "npm:"));
    }
    // JSON is YAML.
    Ok(vec![project(&lists, "npm:", json!(entries).to_string())])
}

/// What the projects are called. npm's registry has no packages in this scope.
const OWN: &str = "@nofx-audit/own";

fn project(lists: &[BTreeMap<String, String>], protocol: &str, lock: String) -> Run {
    let root = json!({"name": OWN, "version": "0.0.0", "private": true, "workspaces": ["w/*"]});
    let workspace = |(at, list): (usize, &BTreeMap<String, String>)| {
        let manifest = json!({"name": format!("{OWN}-{at}"), "version": "0.0.0", "dependencies": dependencies(list, protocol)});
        (format!("w/{at}/package.json"), manifest.to_string())
    };
    let own = [("package.json".to_owned(), root.to_string()), ("yarn.lock".to_owned(), lock)];
    Run { files: own.into_iter().chain(lists.iter().enumerate().map(workspace)).collect(), packages: vec![] }
}

fn dependencies(list: &BTreeMap<String, String>, protocol: &str) -> Value {
    list.iter().map(|(name, version)| (name.clone(), json!(format!("{protocol}{version}")))).collect()
}

/// `yarn audit --json` of yarn 1.
pub(super) fn classic(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let (mut found, mut severities, mut summary) = (vec![], vec![], None);
    for line in report.json_stream()? {
        match line["type"].as_str() {
            Some("auditAdvisory") => {
                let advisory = &line["data"]["advisory"];
                let name = text(advisory, "/module_name")?;
                let mut ids: Vec<String> = advisory["github_advisory_id"].as_str().map(str::to_owned).into_iter().collect();
                ids.extend(id_of_address(&advisory["url"]).filter(|id| !ids.contains(id)));
                ids.extend(advisory["cves"].as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)));
                if ids.is_empty() {
                    return Err(format!("an advisory of {name} has no name"));
                }
                severities.push(advisory["severity"].clone());
                let range = advisory["vulnerable_versions"].as_str().unwrap_or_default();
                let advisory =
                    Advisory::new(ids, severity(&advisory["severity"]), &format!("{name} {range}: {}", text(advisory, "/title")?));
                // There is a line for each path to a package.
                if !found.contains(&advisory) {
                    found.push(advisory);
                }
            }
            Some("auditSummary") => summary = Some(line["data"]["vulnerabilities"].clone()),
            Some("error") => return Err(text(&line, "/data")?.chars().take(200).collect()),
            Some(_) => {}
            None => return Err("a line has no type".to_owned()),
        }
    }
    // Without it, yarn ended before it was done.
    let counts = summary.ok_or("there is no summary")?;
    // Settings (`--audit.level` in .yarnrc) hide whole severities, which are counted all the same. The counts are of paths,
    // for which the lines are not exact.
    lists_what_it_counts(&counts, |severity, _| severities.iter().any(|listed| *listed == *severity))?;
    report.agrees(&found)?;
    Ok(found)
}

/// `yarn npm audit --all --recursive --json` of later ones.
pub(super) fn berry(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let (mut found, mut says_none) = (vec![], false);
    let lines = report.json_stream()?;
    for line in &lines {
        if line["advisories"].is_object() {
            return if lines.len() == 1 { pnpm::of_value(line, report) } else { Err("there is more than one report".to_owned()) };
        }
        if line["type"] == "info" {
            says_none |= line["data"] == "No audit suggestions";
            continue;
        }
        let name = text(line, "/value")?;
        let details = &line["children"];
        let id = match &details["ID"] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(format!("an advisory of {name} has no ID")),
        };
        // It lists deprecated packages, too, which are not vulnerable.
        let severity = if id.ends_with("(deprecation)") { Severity::Info } else { severity(&details["Severity"]) };
        let message = format!("{name} {}: {}", details["Vulnerable Versions"].as_str().unwrap_or_default(), text(details, "/Issue")?);
        let ids = id_of_address(&details["URL"]).into_iter().chain([id]).collect();
        found.push(Advisory::new(ids, severity, &message));
    }
    if found.is_empty() && !says_none {
        return Err("the report names no advisory and does not say that there are none".to_owned());
    }
    report.agrees(&found)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Severity;

    use super::super::auditor::{Lock, Run};
    use super::super::report::{Advisory, Report};
    use super::{berry, berry_runs, classic, classic_runs};
    use nofx_sandbox::Files;

    /// Yarn 1.22, without the fields that are not read.
    const CLASSIC: &str = r#"{"type":"auditAdvisory","data":{"resolution":{"id":1106913,"path":"lodash","dev":false},"advisory":{"id":1106913,"title":"Prototype Pollution in lodash","module_name":"lodash","cves":["CVE-2019-10744"],"vulnerable_versions":"<4.17.12","severity":"moderate","github_advisory_id":"GHSA-jf85-cpxp-28gg","url":"https://github.com/advisories/GHSA-jf85-cpxp-28gg"}}}
"#;
    const SUMMARY: &str = r#"{"type":"auditSummary","data":{"vulnerabilities":{"info":0,"low":0,"moderate":0,"high":0,"critical":0},"dependencies":1,"devDependencies":0,"totalDependencies":1}}
"#;
    /// Yarn 4.18.
    const BERRY: &str = r#"{"value":"lodash","children":{"ID":1106913,"Issue":"Prototype Pollution in lodash","URL":"https://github.com/advisories/GHSA-jf85-cpxp-28gg","Severity":"critical","Vulnerable Versions":"<4.17.12","Tree Versions":["4.17.11"],"Dependents":["x@workspace:."]}}
"#;
    const NONE: &str = r#"{"type":"info","name":1,"displayName":"YN0001","indent":"","data":"No audit suggestions"}
"#;

    #[test]
    fn yarn_1_ends_with_a_summary() {
        let of = |stdout: &str, exit_code| classic(&Report { stdout, exit_code });
        let ids = ["GHSA-jf85-cpxp-28gg", "CVE-2019-10744"].map(str::to_owned).to_vec();
        let expected = Advisory::new(ids, Severity::Warning, "lodash <4.17.12: Prototype Pollution in lodash");
        let counted = SUMMARY.replace("\"moderate\":0", "\"moderate\":2");
        assert_eq!(of(&format!("{CLASSIC}{CLASSIC}{counted}"), 4), Ok(vec![expected]), "one advisory on two paths is one");
        assert_eq!(of(SUMMARY, 0), Ok(vec![]));
        let hidden = counted.replace("\"critical\":0", "\"critical\":1");
        let refused = of(&format!("{CLASSIC}{CLASSIC}{hidden}"), 20).expect_err("a severity is hidden");
        assert!(refused.contains("not listed (critical: 1)"), "{refused}");
        let error = r#"{"type":"error","data":"Error: returned a 405"}"#;
        for (stdout, code) in
            [("", 0), (CLASSIC, 4), (counted.as_str(), 4), (SUMMARY, 1), (error, 1), (&*format!("{error}{SUMMARY}"), 0), ("Usage: yarn", 0)]
        {
            assert!(of(stdout, code).is_err(), "{stdout}");
        }
    }

    #[test]
    fn yarn_4_says_so_when_there_is_nothing() {
        let of = |stdout: &str, exit_code| berry(&Report { stdout, exit_code });
        let ids = ["GHSA-jf85-cpxp-28gg", "1106913"].map(str::to_owned).to_vec();
        assert_eq!(of(BERRY, 1), Ok(vec![Advisory::new(ids, Severity::Error, "lodash <4.17.12: Prototype Pollution in lodash")]));
        let deprecated = r#"{"value":"old","children":{"ID":"old (deprecation)","Issue":"use new","Severity":"moderate"}}"#;
        assert_eq!(of(deprecated, 1).map(|found| found[0].severity), Ok(Severity::Info));
        assert_eq!(of(NONE, 0), Ok(vec![]));
        for (stdout, code) in [("", 0), ("", 1), (NONE, 1), ("Internal Error: x@workspace:.: …", 1), (r#"{"value":"a","children":{}}"#, 1)]
        {
            assert!(of(stdout, code).is_err(), "{stdout}");
        }
        let older = r#"{"actions":[],"advisories":{},"muted":[],"metadata":{"vulnerabilities":{"high":0}}}"#;
        assert_eq!(of(older, 0), Ok(vec![]));
        assert!(of(&format!("{older}{older}"), 0).is_err());
    }

    fn of(runs: fn(&Lock<'_>) -> Result<Vec<Run>, String>, text: &str) -> Result<Vec<(String, String)>, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Files::own(dir.path()).expect("open");
        let mut runs = runs(&Lock { file: "yarn.lock", text, folder: &folder, has_database: false })?;
        assert_eq!(runs.len(), 1);
        Ok(runs.remove(0).files)
    }

    /// With these files yarn 1.22 asked its registry about each version.
    #[test]
    fn yarn_1_gets_all_that_is_locked_and_nothing_else() {
        let text = "# yarn lockfile v1\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    \"@s/b\" \"1\"\na@2:\n  version \"2.0.0\"\n\"@s/b@1\":\n  version \"1.1.0\"\n";
        let files = of(classic_runs, text).expect("files");
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["package.json", "yarn.lock", "w/0/package.json", "w/1/package.json"]);
        assert!(
            files[2].1.contains(r#""dependencies":{"@s/b":"1.1.0","a":"1.0.0"}"#) && files[3].1.contains(r#""dependencies":{"a":"2.0.0"}"#)
        );
        let lock = &files[1].1;
        let entry = "\"@s/b@1.1.0\":\n  version \"1.1.0\"\n  resolved \"https://packages.invalid/@s/b/-/b-1.1.0.tgz\"\n";
        assert!(lock.contains(entry) && lock.matches("resolved").count() == 3 && !lock.contains("dependencies"), "{lock}");
    }

    /// With these files yarn 4.18 asked its registry about each version.
    #[test]
    fn yarn_4_gets_all_that_is_locked_and_nothing_else() {
        let entry = |key: &str, version: &str, more: &str| {
            format!(
                "\"{key}\":\n  version: {version}\n  resolution: \"{}@npm:{version}\"\n{more}",
                key.split("@npm").next().unwrap_or_default()
            )
        };
        let packages =
            [entry("a@npm:^1, a@npm:1", "1.0.0", "  dependencies:\n    b: \"npm:^9\"\n"), entry("a@npm:2", "2.0.0", "")].concat();
        let own = "\"own@workspace:.\":\n  version: 0.0.0\n  resolution: \"own@workspace:.\"\n";
        let files = of(berry_runs, &format!("__metadata:\n  version: 10\n  cacheKey: 10c0\n{packages}{own}")).expect("files");
        let lock: serde_json::Value = serde_json::from_str(&files[1].1).expect("JSON");
        let keys: Vec<&String> = lock.as_object().expect("an object").keys().collect();
        let (root, first, second) = ("@nofx-audit/own@workspace:.", "@nofx-audit/own-0@workspace:w/0", "@nofx-audit/own-1@workspace:w/1");
        assert_eq!(keys, [first, second, root, "__metadata", "a@npm:1.0.0", "a@npm:2.0.0"]);
        assert_eq!(lock["__metadata"], serde_json::json!({"version": 10}));
        assert_eq!((&lock[first]["dependencies"]["a"], &lock[second]["dependencies"]["a"]), (&"npm:1.0.0".into(), &"npm:2.0.0".into()));
        assert_eq!(lock["a@npm:1.0.0"].get("dependencies"), None);
        assert!(files[3].1.contains(r#""dependencies":{"a":"npm:2.0.0"}"#));
        assert!(of(berry_runs, "__metadata:\n  version: 8, x\n").is_err());
    }
}
