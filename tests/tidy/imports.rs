//! Which top-level module of a crate imports which, as its text says: in `use`, and in the paths of code. Re-exports of the crate's root are
//! followed; what a macro makes is not seen, and what else would not be is refused by `unseen_imports`.

use std::collections::{BTreeMap, BTreeSet};

use crate::rust_source::{Token, program};

/// A file of a crate: its path below the crate's folder, and its text.
pub(crate) type Source = (String, String);

/// Which room imports which, with a file that does.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, String>>;

pub(crate) fn imports(sources: &[Source]) -> Imports {
    let rooms: BTreeSet<&str> = sources.iter().filter_map(|(path, _)| module(path).first().copied()).collect();
    let roots = || sources.iter().filter(|(path, _)| module(path).is_empty());
    // What the root of the crate names can be had from there, too.
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    for (_, text) in roots() {
        for (path, name) in used(&program(text), &[]) {
            if let Some(room) = path.first().filter(|room| rooms.contains(room.as_str())) {
                by_name.insert(name, room.clone());
            }
        }
    }
    let mut found = Imports::new();
    for (path, text) in sources.iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        let module = module(path);
        let Some(room) = module.first() else { continue };
        for (target, _) in used(&program(text), &module) {
            let Some(first) = target.first() else { continue };
            let first = if rooms.contains(first.as_str()) { Some(first) } else { by_name.get(first) };
            if let Some(other) = first.filter(|other| other != room) {
                found.entry((*room).to_owned()).or_default().entry(other.clone()).or_insert_with(|| path.clone());
            }
        }
    }
    found
}

/// The path of a file's module; empty for the root of a crate.
pub(crate) fn module(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") || matches!(parts[..], ["lib" | "main" | "_vercel"]) {
        parts.pop();
    }
    parts
}

/// Every path of a module that begins at the crate's root, or above the module, or in a `use` of the root: as a path from the root, and the
/// name that it is used by.
pub(crate) fn used(tokens: &[Token<'_>], module: &[&str]) -> Vec<(Vec<String>, String)> {
    let mut found = vec![];
    // Modules that stand in the file: their names, and the depth of the braces around them.
    let mut inner: Vec<(&str, usize)> = vec![];
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        let is = |at: usize, written: &str| tokens.get(at).is_some_and(|token| token.is(written));
        if token.is("{") {
            depth += 1;
            if let Some(name) = at.checked_sub(1).and_then(|before| tokens[before].word())
                && at >= 2
                && is(at - 2, "mod")
            {
                inner.push((name, depth));
            }
        } else if token.is("}") {
            if inner.last().is_some_and(|(_, around)| *around == depth) {
                inner.pop();
            }
            depth = depth.saturating_sub(1);
        }
        let is_first = at == 0 || !is(at - 1, "::");
        let goes_on = is(at + 1, "::") || is(at + 1, "as");
        let begins = is_first && (goes_on && (token.is("crate") || token.is("super")) || token.is("self") && is(at + 2, "super"));
        let here = || module.iter().copied().chain(inner.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
        if begins {
            tree(tokens, at, here(), &mut found);
        } else if module.is_empty() && inner.is_empty() && token.is("use") && !is(at + 1, "crate") {
            tree(tokens, at + 1, vec![], &mut found);
        }
    }
    found
}

/// Reads a path, or a tree of them in braces, that begins in the module `base`; the place after it.
fn tree(tokens: &[Token<'_>], mut at: usize, mut base: Vec<String>, found: &mut Vec<(Vec<String>, String)>) -> usize {
    let is = |at: usize, written: &str| tokens.get(at).is_some_and(|token| token.is(written));
    loop {
        if is(at, "{") {
            at += 1;
            while at < tokens.len() && !is(at, "}") {
                at = if is(at, ",") { at + 1 } else { tree(tokens, at, base.clone(), found) };
            }
            return at + 1;
        }
        match tokens.get(at).and_then(|token| token.word()) {
            Some("crate") => base.clear(),
            Some("super") => drop(base.pop()),
            Some("self") => {}
            Some(name) => base.push(name.to_owned()),
            // A star, or the generics of a path in code: `Vec::<…>`.
            None => {
                found.push((base.clone(), String::new()));
                return at + 1;
            }
        }
        at += 1;
        if !is(at, "::") {
            break;
        }
        at += 1;
    }
    let name = if is(at, "as") { tokens.get(at + 1).and_then(|token| token.word()) } else { base.last().map(String::as_str) };
    let name = name.unwrap_or_default().to_owned();
    at += if is(at, "as") { 2 } else { 0 };
    found.push((base, name));
    at
}

/// Rooms that reach each other, by their names in order.
pub(crate) fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = imports.keys().map(|room| (room, reach(imports, room))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (room, others) in &reached {
        let circle: Vec<String> =
            others.iter().filter(|other| reached.get(**other).is_some_and(|back| back.contains(room))).map(|one| (**one).clone()).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// The rooms that a room imports, directly or through others.
fn reach<'a>(imports: &'a Imports, room: &str) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![room];
    while let Some(room) = open.pop() {
        for other in imports.get(room).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(other) {
                open.push(other);
            }
        }
    }
    found
}

/// The imports within a circle: what to cut one of.
pub(crate) fn explain(imports: &Imports, circle: &[String]) -> String {
    let edges = circle
        .iter()
        .flat_map(|room| &imports[room])
        .filter(|(other, _)| circle.contains(other))
        .map(|(other, file)| format!("{file} imports {other}"));
    edges.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{circles, imports};

    fn found(sources: &[(&str, &str)]) -> Vec<Vec<String>> {
        circles(&imports(&sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>()))
    }

    #[test]
    fn two_rooms_that_import_each_other_are_a_circle() {
        assert_eq!(found(&[("a.rs", "use crate::b::B;"), ("b/mod.rs", "mod c;"), ("b/c.rs", "fn f() { crate::a::g() }")]), [["a", "b"]]);
    }

    #[test]
    fn a_circle_through_others_is_found() {
        let sources = [("a.rs", "use crate::b;"), ("b.rs", "use crate::c::C;"), ("c.rs", "use crate::a::A;"), ("d.rs", "use crate::a;")];
        assert_eq!(found(&sources), [["a", "b", "c"]]);
    }

    #[test]
    fn groups_and_ways_up_are_followed() {
        assert_eq!(found(&[("a.rs", "use crate::{c, b::{self, x::Y}};"), ("b/x.rs", "use super::super::a::A;")]), [["a", "b"]]);
        assert_eq!(found(&[("a.rs", "use super::{c, b};"), ("b/x/y.rs", "fn f() -> super::super::super::a::A {}")]), [["a", "b"]]);
        assert_eq!(found(&[("a.rs", "use self::super::b;"), ("b.rs", "use crate::a::A;")]), [["a", "b"]]);
        assert_eq!(found(&[("a.rs", "use {crate::b, std::fmt};"), ("b.rs", "mod inner { use super::super::a::A; }")]), [["a", "b"]]);
    }

    #[test]
    fn a_name_at_the_root_is_where_it_comes_from() {
        let main = "mod a; mod b; use a::A as Renamed; pub use crate::b::B; use std::fmt;";
        assert_eq!(found(&[("main.rs", main), ("a.rs", "use crate::B;"), ("b.rs", "use crate::Renamed;")]), [["a", "b"]]);
    }

    #[test]
    fn comments_strings_and_tests_are_no_imports() {
        let b = "// crate::a\n/* use crate::a; */ fn f() { g(\"crate::a\") } #[cfg(test)] mod tests { use crate::a::A; }";
        assert!(found(&[("a.rs", "use crate::b::B;"), ("b/mod.rs", b), ("b/tests.rs", "use crate::a::A;")]).is_empty());
    }

    #[test]
    fn what_a_room_has_of_its_own_or_from_elsewhere_is_no_circle() {
        let sources = [("a/mod.rs", "use b::C; use self::b::D;"), ("a/b.rs", "use super::E; use other::a;"), ("b.rs", "use crate::a::C;")];
        assert!(found(&sources).is_empty());
    }
}
