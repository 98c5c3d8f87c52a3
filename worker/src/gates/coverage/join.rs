//! Maps the paths of reports to files of the repository.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Lines, Report};

/// Reports by the repository's own paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct JoinedReports {
    pub files: BTreeMap<String, Lines>,
    /// Paths of reports that fit no file of the repository, or more than one.
    pub unmapped: BTreeSet<String>,
}

/// `tracked`: all files of the repository; `folder`: its path on this machine.
pub(super) fn join(reports: &[Report], tracked: &BTreeSet<String>, folder: &str) -> JoinedReports {
    let mut joined = JoinedReports::default();
    let mut guessed = vec![];
    for report in reports {
        for (path, lines) in &report.files {
            match exact(path, &report.roots, tracked, folder) {
                Some(found) => add(&mut joined, found, lines),
                None => guessed.push((path, lines)),
            }
        }
    }
    // A guess never adds to a file that a report names exactly: it may be another file of the same name.
    let named: BTreeSet<String> = joined.files.keys().cloned().collect();
    for (path, lines) in guessed {
        match by_suffix(path, tracked).filter(|found| !named.contains(*found)) {
            Some(found) => add(&mut joined, found.to_owned(), lines),
            None => {
                joined.unmapped.insert(path.clone());
            }
        }
    }
    joined
}

fn add(joined: &mut JoinedReports, path: String, lines: &Lines) {
    let sum = joined.files.entry(path).or_default();
    for (line, hits) in lines {
        let so_far = sum.entry(*line).or_default();
        *so_far = so_far.saturating_add(*hits);
    }
}

/// The path itself, below the repository's folder, or below one of the report's roots.
fn exact(path: &str, roots: &[String], tracked: &BTreeSet<String>, folder: &str) -> Option<String> {
    let folder = folder.trim_end_matches('/');
    let known = |path: &str| {
        let path = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
        let path = path.trim_start_matches("./");
        tracked.contains(path).then(|| path.to_owned())
    };
    known(path).or_else(|| roots.iter().find_map(|root| known(&format!("{}/{path}", root.trim_end_matches('/')))))
}

/// The one file whose path ends as the report's does, whole folders only: the longest that the report's path ends with, or the only
/// one that ends with the report's path.
fn by_suffix<'a>(path: &str, tracked: &'a BTreeSet<String>) -> Option<&'a str> {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let longest = tracked.iter().filter(|file| ends_with(path, file)).max_by_key(|file| file.len());
    if let Some(file) = longest {
        return Some(file);
    }
    let mut longer = tracked.iter().filter(|file| ends_with(file, path));
    match (longer.next(), longer.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn ends_with(whole: &str, end: &str) -> bool {
    whole.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Report, join};

    fn report(paths: &[&str], roots: &[&str]) -> Report {
        let mut report = Report { roots: roots.iter().map(|root| (*root).to_owned()).collect(), ..Report::default() };
        for path in paths {
            report.hit(path, 1, 1);
        }
        report
    }

    fn mapped(reports: &[Report], tracked: &[&str]) -> (Vec<(String, u64)>, Vec<String>) {
        let tracked: BTreeSet<String> = tracked.iter().map(|path| (*path).to_owned()).collect();
        let joined = join(reports, &tracked, "/w");
        (joined.files.into_iter().map(|(path, lines)| (path, lines[&1])).collect(), joined.unmapped.into_iter().collect())
    }

    #[test]
    fn paths_are_found_exactly_below_roots_and_by_their_end() {
        let reports = [report(&["/w/src/a.py", "b.py", "/ci/build/src/deep/c.py", "com/acme/D.java"], &["/w/src"])];
        let tracked = ["src/a.py", "src/b.py", "src/deep/c.py", "deep/c.py", "app/com/acme/D.java"];
        let (files, unmapped) = mapped(&reports, &tracked);
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["app/com/acme/D.java", "src/a.py", "src/b.py", "src/deep/c.py"]);
        assert_eq!(unmapped, [""; 0]);
    }

    #[test]
    fn what_fits_two_files_or_none_is_listed() {
        let (files, unmapped) = mapped(&[report(&["mod.rs", "gone.rs", "xlib.rs"], &[])], &["a/mod.rs", "b/mod.rs", "lib.rs"]);
        assert_eq!((files, unmapped), (vec![], vec!["gone.rs".to_owned(), "mod.rs".to_owned(), "xlib.rs".to_owned()]));
    }

    #[test]
    fn another_file_of_the_same_name_does_not_cover_a_file_that_was_reported() {
        let (files, unmapped) = mapped(&[report(&["/w/src/lib.rs", "/usr/lib/src/lib.rs"], &[])], &["src/lib.rs"]);
        assert_eq!((files, unmapped), (vec![("src/lib.rs".to_owned(), 1)], vec!["/usr/lib/src/lib.rs".to_owned()]));
    }

    #[test]
    fn hits_of_several_reports_are_summed() {
        let (files, _) = mapped(&[report(&["a.rs"], &[]), report(&["/w/a.rs"], &[])], &["a.rs"]);
        assert_eq!(files, [("a.rs".to_owned(), 2)]);
    }
}
