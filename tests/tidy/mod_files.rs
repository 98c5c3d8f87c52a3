//! A `mod.rs` only says what is in its room: modules, imports, and lists. A list is an array, or a function that neither binds nor decides,
//! but for one `match` that says what is whose.

use std::collections::BTreeMap;

use crate::allowed;
use crate::layout::{files, root};
use crate::rust_source::{Token, program};

/// What a `mod.rs` does beside naming what is in its room.
fn logic(text: &str) -> Option<String> {
    let lines = text.lines().count();
    if lines > 60 {
        return Some(format!("has {lines} lines"));
    }
    let tokens = program(text);
    for (at, token) in tokens.iter().enumerate() {
        let Some(word) = token.word() else { continue };
        let begins = at == 0 || ["{", "}", ";", "]", "pub", ")", "unsafe"].iter().any(|end| tokens[at - 1].is(end));
        match word {
            "struct" | "enum" | "trait" | "impl" | "union" if begins => return Some(format!("has a type or an impl (`{word}`)")),
            "type" if begins => return Some("has a type or an impl (`type`)".to_owned()),
            "const" | "static" if begins && !is_list(&tokens[at..]) => return Some(format!("has a value that is no list (`{word}`)")),
            "let" | "if" | "for" | "while" | "loop" => return Some(format!("has logic (`{word}`)")),
            "mod" if tokens.get(at + 2).is_some_and(|next| next.is("{")) => return Some("has a module in it".to_owned()),
            _ => {}
        }
    }
    None
}

/// Whether a constant is an array or a slice, or no constant but a function or a block.
fn is_list(tokens: &[Token<'_>]) -> bool {
    let is = |at: usize, written: &str| tokens.get(at).is_some_and(|token| token.is(written));
    !is(2, ":") || is(3, "[") || is(3, "&") && is(4, "[")
}

#[test]
fn a_mod_rs_only_says_what_is_in_its_room() {
    let mut found = BTreeMap::new();
    let all = files(&["api", "cli", "sandbox", "shared", "supabase/local", "tests", "worker"], &["rs"]);
    for file in all.iter().filter(|file| file.ends_with("mod.rs")) {
        if let Some(logic) = logic(&std::fs::read_to_string(file).expect("text")) {
            let path = file.strip_prefix(root()).expect("below it").to_string_lossy().into_owned();
            found.insert(path, format!("it {logic}; give each its file, named by its noun or verb, and keep mod.rs below 61 lines"));
        }
    }
    allowed::exactly("mod_files", 0, &found);
}

#[cfg(test)]
mod tests {
    use super::logic;

    fn found(text: &str) -> String {
        logic(text).unwrap_or_default()
    }

    #[test]
    fn a_list_is_no_logic() {
        assert_eq!(logic("//! Doc.\nmod a;\npub use a::A;\npub fn all() -> impl Iterator<Item = A> { struct_of(|x: A| x) }"), None);
        assert_eq!(logic("pub fn run(b: B) -> C { match b { B::D => d::run(), B::E => e::run() } }"), None);
        assert_eq!(logic("pub const ALL: &[(&str, A)] = &[]; const B: [u8; 1] = [1]; const fn c() {} use d as r#type;"), None);
        assert_eq!(logic("#[cfg(test)]\nmod tests { struct A; }"), None);
    }

    #[test]
    fn a_type_or_much_text_is_logic_wherever_it_stands() {
        assert_eq!(found("mod a;\npub(crate) enum B {}"), "has a type or an impl (`enum`)");
        assert_eq!(found("#[derive(Debug)]\nstruct B;"), "has a type or an impl (`struct`)");
        assert_eq!(found("const _: () = { impl A for B {} };"), "has a value that is no list (`const`)");
        assert_eq!(found("const BYTES: u64 = 256 << 10;"), "has a value that is no list (`const`)");
        assert_eq!(found("pub(super) type A = fn(&str) -> B;"), "has a type or an impl (`type`)");
        assert_eq!(found("fn a() { struct B; }"), "has a type or an impl (`struct`)");
        assert_eq!(found("mod a { pub struct B; }"), "has a module in it");
        assert_eq!(found(&"mod a;\n".repeat(61)), "has 61 lines");
    }

    #[test]
    fn a_function_that_binds_or_decides_is_logic() {
        assert_eq!(found("fn a() { let b = c(); b.d() }"), "has logic (`let`)");
        assert_eq!(found("fn a(b: B) -> C { match b { B::D if e() => d(), _ => f() } }"), "has logic (`if`)");
    }
}
