//! requirements.txt and the files that it names, as what is left of them for an audit: packages of an index, without options.

use std::collections::BTreeSet;

use super::decode;
use super::requirements::{INCLUDES, Requirements, beside, read};
use super::versions::pins;
use crate::sbom::package::Origin;
use nofx_sandbox::Files;

/// Lines of requirements files, without options.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexRequirements {
    pub requirements: Vec<String>,
    pub constraints: Vec<String>,
}

/// What requirements.txt and the files that it includes ask of an index. Where that index is, which they may say as well, is left out. A
/// folder, a file, a repository or an address is an error: what it requires only its own program knows.
pub(crate) fn index_requirements(folder: &Files) -> Result<IndexRequirements, String> {
    let mut all = IndexRequirements::default();
    let first = ("requirements.txt".to_owned(), false);
    let mut known = BTreeSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some((file, is_constraint)) = open.pop() {
        let found = decode(folder, &file).and_then(|text| read(&text.ok_or("does not exist")?));
        let found = found.and_then(|found| plain(&found).map(|lines| (found, lines)));
        let (found, lines) = found.map_err(|error| format!("{file} {error}"))?;
        let list = if is_constraint { &mut all.constraints } else { &mut all.requirements };
        list.extend(lines);
        let named = found.includes.iter().map(|name| (name, is_constraint)).chain(found.constraints.iter().map(|name| (name, true)));
        for (name, is_constraint) in named {
            let next = (beside(&file, name), is_constraint);
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
        if known.len() > INCLUDES {
            return Err(format!("{file} includes another file, but more than {INCLUDES} are not read"));
        }
    }
    Ok(all)
}

/// The lines of packages that an index may have.
fn plain(found: &Requirements) -> Result<Vec<String>, String> {
    let mut lines = vec![];
    for (package, line) in found.packages.iter().zip(&found.lines) {
        // A word with a hyphen before it would be an option, `${…}` a variable of the environment.
        let is_more = line.split_whitespace().any(|word| word.starts_with('-')) || line.contains('$') || line.contains(char::is_control);
        if package.origin != Origin::Registry || package.fault().is_some() || is_more {
            let shown: String = line.chars().take(80).collect();
            return Err(format!("names {shown:?}, which is no package of an index: list what it requires instead"));
        }
        lines.push(line.clone());
    }
    Ok(lines)
}

/// The packages of a requirements file in which each has a version and a hash, so that it names all there are (pip refuses to install any
/// other); none when it is no such file.
pub(crate) fn hashed_requirements(text: &str) -> Option<Result<Vec<Vec<String>>, String>> {
    let found = read(text).ok().filter(|found| !found.packages.is_empty() && found.includes.is_empty())?;
    let is_hashed = found.packages.iter().all(|package| package.version.is_some() && !package.hashes.is_empty());
    is_hashed.then(|| pins(found.packages))
}

#[cfg(test)]
mod tests {
    use super::{IndexRequirements, hashed_requirements, index_requirements};
    use nofx_sandbox::Files;

    fn of(files: &[(&str, &str)]) -> Result<IndexRequirements, String> {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("more")).expect("a folder");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        index_requirements(&Files::own(dir.path()).expect("open"))
    }

    #[test]
    fn files_are_joined_and_their_options_left_out() {
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        let found = of(&[
            ("requirements.txt", "--index-url https://h.example\n-r more/a.txt\nx[y]>=1,<2 ; python_version > '3' # why\n-c more/c.txt\n"),
            ("more/a.txt", &format!("--find-links .\n--pre\na==1 {hash} --config-settings x=y\n-r ../requirements.txt\n")),
            ("more/c.txt", "-r d.txt\nc<3\n"),
            ("more/d.txt", "d==1\n"),
        ]);
        let lines = |of: &[&str]| of.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let expected =
            IndexRequirements { requirements: lines(&["x[y]>=1,<2 ; python_version > '3'", "a==1"]), constraints: lines(&["c<3", "d==1"]) };
        let sorted = found.map(|mut found| {
            found.requirements.sort_by_key(|line| !line.starts_with('x'));
            found.constraints.sort();
            found
        });
        assert_eq!(sorted, Ok(expected));
    }

    /// Each of them is read by pip, which would have named `hidden`.
    #[test]
    fn what_pip_reads_otherwise_is_an_error_and_not_left_out() {
        for text in [
            "# pinned below \\\nhidden==1\n",
            "# x\rhidden==1\n",
            "# x\u{2028}hidden==1\n",
            "# x\u{85}hidden==1\n",
            "# x\u{c}hidden==1\n",
            "--pre -r more/a.txt\n",
            "--pre -e git+https://h.example/a\n",
            "--requirem more/a.txt\n",
            "-r more/a.txt -r more/c.txt\n",
            "a ; python_version > '3'\u{2028}git+https://h.example/hidden\n",
        ] {
            let found = of(&[("requirements.txt", text), ("more/a.txt", "hidden==1\n")]);
            let is_named = found.as_ref().is_ok_and(|found| found.requirements.iter().any(|line| line.contains("hidden")));
            assert!(found.is_err() || is_named, "{text:?}: {found:?}");
        }
        let found = of(&[("requirements.txt", "a==1 \\\n# a comment ends it\nb==1\t# why\n-i https://h.example\n--no-binary :all:\n")]);
        assert_eq!(found.expect("read").requirements, ["a==1", "b==1"]);
    }

    #[test]
    fn what_is_not_of_an_index_is_not_left_out() {
        for line in [
            "-e .",
            "./own",
            "git+https://h.example/a.git#egg=a",
            "a @ https://h.example/a.whl",
            "a==${VERSION}",
            "a==1 -i https://h.example",
            "-r none.txt",
            "-r ../../etc/passwd",
            "-r https://h.example/x.txt",
            "-c none.txt",
            "a==1\n-r more",
        ] {
            assert!(of(&[("requirements.txt", line)]).is_err(), "{line}");
        }
        let many: Vec<String> = (0..100).map(|n| format!("-r more/{n}.txt")).collect();
        assert!(of(&[("requirements.txt", &many.join("\n"))]).is_err_and(|error| error.contains("more than 100")));
    }

    #[test]
    fn a_file_is_complete_when_each_package_has_a_version_and_a_hash() {
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        let found = hashed_requirements(&format!("--index-url https://h.example\nB==1 \\\n  {hash}\na==2 ; python_version < '3' {hash}\n"));
        assert_eq!(found, Some(Ok(vec![vec!["a==2".to_owned(), "b==1".to_owned()]])));
        for text in ["", "a==1", &format!("a>1 {hash}"), &format!("a==1 {hash}\nb==1"), &format!("-r x.txt\na==1 {hash}")] {
            assert_eq!(hashed_requirements(text), None, "{text}");
        }
    }
}
