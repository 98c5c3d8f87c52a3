//! requirements.txt and the files that it names, as what is left of them for an audit: packages of an index, without options.

use std::collections::BTreeSet;

use super::requirements::{INCLUDES, Requirements, beside, read};
use super::versions::pins;
use crate::sbom::content;
use crate::sbom::package::Origin;
use crate::sbom::packages::PACKAGES;
use nofx_sandbox::Files;

/// What a requirements.txt asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Required {
    /// Each package has a version and a hash, so that it names all there are (pip refuses to install any other): lines `name==version`, in
    /// as many lists as one package has versions.
    Hashed(Vec<Vec<String>>),
    /// What an index is asked for. Where that index is, which the files may say as well, is left out.
    OfIndex(IndexRequirements),
}

/// Lines of requirements files, without options.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexRequirements {
    pub requirements: Vec<String>,
    pub constraints: Vec<String>,
}

/// What a requirements.txt with this text asks for, and the files that it includes. A folder, a file, a repository or an address is an
/// error: what it requires only its own program knows.
pub(crate) fn required(folder: &Files, text: &str) -> Result<Required, String> {
    let found = read(text)?;
    let packages = found.packages.as_slice();
    let is_complete = !packages.is_empty() && found.includes.is_empty();
    if is_complete && packages.iter().all(|package| package.version.is_some() && !package.hashes.is_empty()) {
        return pins(found.packages.into_vec()).map(Required::Hashed);
    }
    of_index(folder, found).map(Required::OfIndex)
}

fn of_index(folder: &Files, first: Requirements) -> Result<IndexRequirements, String> {
    let mut all = IndexRequirements::default();
    let (name, mut first) = (("requirements.txt".to_owned(), false), Some(first));
    let mut known = BTreeSet::from([name.clone()]);
    let mut open = vec![name];
    let mut bytes = 0;
    while let Some((file, is_constraint)) = open.pop() {
        let of_file = |error: String| format!("{file} {error}");
        let found = match first.take() {
            Some(found) => found,
            None => content::text(folder, &file).and_then(|text| read(&text.ok_or("does not exist")?)).map_err(of_file)?,
        };
        let lines = plain(&found).map_err(of_file)?;
        bytes += lines.iter().map(String::len).sum::<usize>();
        let list = if is_constraint { &mut all.constraints } else { &mut all.requirements };
        list.extend(lines);
        if all.requirements.len() + all.constraints.len() > PACKAGES || bytes as u64 > content::BYTES {
            return Err(format!(
                "{file} and the files before it name more than {PACKAGES} packages, or have more than {} bytes",
                content::BYTES
            ));
        }
        let named = found.includes.iter().map(|name| (name, is_constraint)).chain(found.constraints.iter().map(|name| (name, true)));
        for (name, is_constraint) in named {
            let next = (beside(&file, name), is_constraint);
            if known.insert(next.clone()) {
                open.push(next);
            }
            if known.len() > INCLUDES {
                return Err(format!("{file} includes another file, but more than {INCLUDES} are not read"));
            }
        }
    }
    Ok(all)
}

/// The lines of packages that an index may have.
fn plain(found: &Requirements) -> Result<Vec<String>, String> {
    let mut lines = vec![];
    for (package, line) in found.packages.as_slice().iter().zip(&found.lines) {
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

#[cfg(test)]
mod tests {
    use super::{IndexRequirements, PACKAGES, Required, required};
    use nofx_sandbox::Files;

    fn of(files: &[(&str, &str)]) -> Result<IndexRequirements, String> {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("more")).expect("a folder");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        let text = files.iter().find(|(name, _)| *name == "requirements.txt").expect("the file").1;
        match required(&Files::own(dir.path()).expect("open"), text)? {
            Required::OfIndex(found) => Ok(found),
            Required::Hashed(_) => Err("each has a hash".to_owned()),
        }
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
    fn the_files_together_name_a_limited_number_of_packages() {
        let more = "a\n".repeat(PACKAGES / 2);
        let files = [("requirements.txt", "-r more/a.txt\n-c more/b.txt\n"), ("more/a.txt", more.as_str()), ("more/b.txt", more.as_str())];
        assert!(of(&files).is_ok());
        let one_more = of(&[("requirements.txt", "-r more/a.txt\n-c more/b.txt\nb\n"), files[1], files[2]]);
        assert!(one_more.as_ref().is_err_and(|error| error.contains("more than 200000 packages")), "{:?}", one_more.err());
        // Lines of packages may be long.
        let long = format!("a ; {}\n", "x".repeat(9 << 20));
        let found = of(&[files[0], ("more/a.txt", &long), ("more/b.txt", &long)]);
        assert!(found.as_ref().is_err_and(|error| error.contains("more than 16777216 bytes")), "{:?}", found.err());
    }

    #[test]
    fn a_file_is_complete_when_each_package_has_a_version_and_a_hash() {
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("x.txt"), "x\n").expect("written");
        let of = |text: &str| required(&Files::own(dir.path()).expect("open"), text);
        let found = of(&format!("--index-url https://h.example\nB==1 \\\n  {hash}\na==2 ; python_version < '3' {hash}\n"));
        assert_eq!(found, Ok(Required::Hashed(vec![vec!["a==2".to_owned(), "b==1".to_owned()]])));
        for text in ["", "a==1", &format!("a>1 {hash}"), &format!("a==1 {hash}\nb==1"), &format!("-r x.txt\na==1 {hash}")] {
            assert!(matches!(of(text), Ok(Required::OfIndex(_))), "{text}");
        }
    }
}
