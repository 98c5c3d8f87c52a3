//! The glossary as a rule: its words, and for each the ones that are not used. Knows nothing of where names come from.

/// A word or phrase of the column *not*.
pub(crate) struct Forbidden {
    pub written: String,
    parts: Vec<String>,
    /// The word to use instead.
    pub instead: String,
}

pub(crate) struct Glossary {
    pub forbidden: Vec<Forbidden>,
    /// Its own words that have several parts: `dead-letter` may have a `letter` in it.
    terms: Vec<Vec<String>>,
}

impl Glossary {
    /// Fails when the column *not* is no list of words with commas between.
    pub(crate) fn read(text: &str) -> Self {
        let mut found = Self { forbidden: vec![], terms: vec![] };
        for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let (word, not) = match cells[..] {
                // The heads of the two tables.
                [_, "not"] | [_, _, "not"] => continue,
                [word, not] | [word, _, not] => (word, not),
                _ => panic!("docs/glossary.md: `{row}` has other than two or three cells"),
            };
            found.terms.extend(Some(parts(word)).filter(|parts| parts.len() > 1));
            for written in not.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                let is_plain = written.chars().all(|c| c.is_ascii_lowercase() || c == ' ' || c == '_');
                assert!(
                    is_plain && parts(written).len() <= 3,
                    "docs/glossary.md: `{written}` is no word or short phrase; say why in the meaning"
                );
                found.forbidden.push(Forbidden { written: written.to_owned(), parts: parts(written), instead: word.to_owned() });
            }
        }
        found
    }

    /// The first forbidden word in a name.
    pub(crate) fn find_in_name(&self, name: &str) -> Option<&Forbidden> {
        let parts = self.without_terms(parts(name));
        self.forbidden.iter().find(|one| position(&parts, &one.parts).is_some())
    }

    /// The same for prose. What has an underscore is a name and may be something else in prose.
    pub(crate) fn find_in_text(&self, text: &str) -> Option<&Forbidden> {
        let parts = self.without_terms(parts(text));
        self.forbidden.iter().filter(|one| !one.written.contains('_')).find(|one| position(&parts, &one.parts).is_some())
    }

    /// The first forbidden word in a literal: prose if it has a space, else a name.
    pub(crate) fn find(&self, text: &str) -> Option<&Forbidden> {
        if text.contains(char::is_whitespace) { self.find_in_text(text) } else { self.find_in_name(text) }
    }

    fn without_terms(&self, mut parts: Vec<String>) -> Vec<String> {
        for term in &self.terms {
            while let Some(at) = position(&parts, term) {
                parts.splice(at..at + term.len(), [String::new()]);
            }
        }
        parts
    }
}

/// The words of a name in snake, kebab or camel case, or of a sentence: runs of letters or digits. A word begins with a capital behind a
/// small letter (`runTask`) and with the last capital before a small letter (`HTTPTask`).
fn parts(name: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut before = ' ';
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let is_hump = c.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && rest.peek().is_some_and(|c| c.is_lowercase()));
        if is_hump || c.is_alphabetic() != before.is_alphabetic() || !c.is_alphanumeric() {
            found.push(String::new());
        }
        if c.is_alphanumeric() {
            found.last_mut().expect("it has one").extend(c.to_lowercase());
        }
        before = c;
    }
    found.retain(|part| !part.is_empty());
    found
}

/// Where a phrase begins; its last word may be a plural.
fn position(all: &[String], phrase: &[String]) -> Option<usize> {
    let (last, first) = phrase.split_last()?;
    all.windows(phrase.len()).position(|here| {
        let end = &here[first.len()];
        &here[..first.len()] == first && (end == last || end.strip_suffix('s') == Some(last))
    })
}

#[cfg(test)]
mod tests {
    use super::Glossary;

    const GLOSSARY: &str = "# Glossary\n\n| word | meaning | not |\n| --- | --- | --- |\n| step | a node | task, is over |\n\
                            | dead-letter | to move | letter |\n| target | what | depends_on |\n";

    fn in_name(name: &str) -> Option<String> {
        Glossary::read(GLOSSARY).find_in_name(name).map(|one| one.written.clone())
    }

    #[test]
    fn a_word_is_found_in_every_case_and_in_the_plural() {
        for name in ["task", "run_tasks", "RunTask", "task-limit", "task.started", "the_task_2", "task2", "HTTPTask", "HTTP2Task", "TASKS"]
        {
            assert_eq!(in_name(name).as_deref(), Some("task"), "{name}");
        }
        assert_eq!(in_name("run_is_over").as_deref(), Some("is over"));
        assert_eq!(in_name("multitasking"), None);
        assert_eq!(in_name("over"), None);
    }

    #[test]
    fn a_word_of_the_glossary_may_have_a_forbidden_one_in_it() {
        assert_eq!(in_name("requeue_dead_letters"), None);
        assert_eq!(in_name("DeadLetter"), None);
        assert_eq!(in_name("requeue_letters").as_deref(), Some("letter"));
    }

    #[test]
    fn a_name_with_an_underscore_is_forbidden_in_names_only() {
        assert_eq!(in_name("depends_on").as_deref(), Some("depends_on"));
        assert!(Glossary::read(GLOSSARY).find_in_text("Retries what depends on it.").is_none());
        assert!(Glossary::read(GLOSSARY).find_in_text("Every task is shown.").is_some());
    }

    #[test]
    #[should_panic(expected = "is no word or short phrase")]
    fn prose_in_the_list_is_refused() {
        Glossary::read("| word | meaning | not |\n| --- | --- | --- |\n| step | a node | a Task (of Celery) |\n");
    }
}
