//! What types and constants are called. A type is a noun: a past participle alone says what happened to it, not what it is. A constant
//! names its quantity: `LONGEST` could be a time, a text or a list.

use crate::layout::files;
use crate::rust_source::program;

const PARTICIPLES: &[&str] = &["Asked", "Begun", "Bought", "Broken", "Checked", "Heard", "Judged", "Kept", "Lost", "Said", "Taken", "Told"];
const WITHOUT_QUANTITY: &[&str] = &[
    "ABANDONED",
    "AGAIN",
    "AT_ONCE",
    "CALM",
    "ENOUGH",
    "KEPT",
    "LEAST",
    "LONGEST",
    "LOOK",
    "MANY",
    "MOST",
    "PATIENCE",
    "SHORTEST",
    "SOON",
    "USUAL",
];

/// Names of the two lists that are declared in a file.
fn declared(text: &str) -> Vec<&str> {
    let tokens = program(text);
    let names = tokens.windows(2).filter_map(|two| {
        let (kind, name) = (two[0], two[1].word()?);
        let list = match kind.word()? {
            "struct" | "enum" | "trait" | "type" => PARTICIPLES,
            "const" | "static" => WITHOUT_QUANTITY,
            _ => return None,
        };
        list.contains(&name).then_some(name)
    });
    names.collect()
}

#[test]
fn a_type_is_a_noun_and_a_constant_names_its_quantity() {
    let mut found = vec![];
    for file in files(&["api", "cli", "sandbox", "shared", "supabase/local", "worker"], &["rs"]) {
        let text = std::fs::read_to_string(&file).expect("text");
        found.extend(declared(&text).into_iter().map(|name| format!("{}: {name}", file.display())));
    }
    assert!(found.is_empty(), "say what it is, as `Upload`, or which quantity, as `MAX_WAIT`:\n  {}", found.join("\n  "));
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn declarations_are_read_and_uses_are_not() {
        let text = "struct Asked { kept: u8 } pub(crate) enum Broken {} type Said = u8; const MOST: u8 = 1; static AT_ONCE: u8 = 2; \
                    const MAX_WAIT: u8 = MOST; struct CheckedPlan; fn f(x: Taken) -> Told {} #[cfg(test)] mod tests { const LEAST: u8 = 1; }";
        assert_eq!(declared(text), ["Asked", "Broken", "Said", "MOST", "AT_ONCE"]);
    }
}
