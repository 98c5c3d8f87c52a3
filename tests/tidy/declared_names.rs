//! The names that Rust code and migrations declare. What is only used, or only stands in a test, is no declaration.

use crate::rust_source::{Token, after_brackets};

/// Names that Rust code declares: functions, types, modules, constants, fields and variants.
pub(crate) fn rust_names<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut found = vec![];
    for (at, token) in tokens.iter().enumerate() {
        let Some(keyword) = token.word() else { continue };
        let Some(name) = tokens.get(at + 1).and_then(|next| next.word()) else { continue };
        match keyword {
            "fn" | "mod" | "trait" | "type" | "const" | "static" => found.push(name),
            "struct" | "enum" | "union" => {
                found.push(name);
                found.extend(members(tokens, at));
            }
            _ => {}
        }
    }
    found
}

/// Fields and variants of the type that is declared here.
fn members<'a>(tokens: &[Token<'a>], at: usize) -> Vec<&'a str> {
    let open = tokens[at..].iter().position(|token| ["{", "(", ";"].iter().any(|end| token.is(end))).map(|n| at + n);
    let Some(open) = open.filter(|open| tokens[*open].is("{")) else { return vec![] };
    let body = &tokens[open..after_brackets(tokens, open)];
    let (mut found, mut depth) = (vec![], 0);
    for (at, token) in body.iter().enumerate() {
        depth += i32::from(["{", "(", "["].iter().any(|open| token.is(open)));
        depth -= i32::from(["}", ")", "]"].iter().any(|close| token.is(close)));
        let (Some(name), Some(next)) = (token.word(), body.get(at + 1)) else { continue };
        let is_first = ["{", ",", "]", "pub", ")"].iter().any(|before| body[at - 1].is(before));
        let is_variant = depth == 1 && [",", "(", "{", "}", "="].iter().any(|after| next.is(after));
        if is_first && (next.is(":") || is_variant) && name != "pub" {
            found.push(name);
        }
    }
    found
}

/// Names that a migration creates: functions, tables, columns, types and their values or fields.
pub(crate) fn sql_names(text: &str) -> Vec<&str> {
    let mut found = vec![];
    let mut is_inside = false;
    for line in text.lines().map(|line| line.split("--").next().unwrap_or_default()) {
        if let Some(created) = line.strip_prefix("create ") {
            let words: Vec<&str> = created.split([' ', '(']).filter(|word| !word.is_empty()).collect();
            let Some(kind) = words.iter().position(|word| ["function", "table", "type", "view"].contains(word)) else { continue };
            found.extend(words.get(kind + 1).and_then(|name| name.rsplit('.').next()));
            is_inside = ["table", "type"].contains(&words[kind]) && !line.contains(';');
            if words[kind] == "type" {
                found.extend(values(created.split_once(" as ").map_or("", |(_, rest)| rest)));
            }
        } else if line.starts_with(')') {
            is_inside = false;
        } else if let Some((_, added)) = line.split_once("add column ") {
            found.extend(added.split(' ').next());
        } else if is_inside && line.contains('\'') && !line.contains(" default ") && !line.contains("check ") {
            found.extend(values(line));
            is_inside = !line.contains(';');
        } else if is_inside {
            let column = line.strip_prefix("  ").and_then(|line| line.split([' ', ',']).next());
            let clauses = ["", "constraint", "primary", "unique", "check", "foreign", "exclude", "references"];
            found.extend(column.filter(|name| !clauses.contains(name)));
        }
    }
    found
}

/// The quoted values of an enum, or the fields of a row type on one line.
fn values(written: &str) -> Vec<&str> {
    if written.contains('\'') {
        return written.split('\'').skip(1).step_by(2).collect();
    }
    let fields = written.split_once('(').map_or("", |(_, fields)| fields);
    fields.split(',').filter_map(|field| field.trim().split(' ').next()).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{rust_names, sql_names};
    use crate::rust_source::program;

    #[test]
    fn declarations_are_read_and_uses_are_not() {
        let text = "pub(crate) struct A<T> { pub b: T, #[serde(rename = \"x\")] c: Vec<D>, } enum E { F, #[x(y)] G(H), I { j: K } } \
                    const L: u8 = m; fn n(o: P) -> Q { let r = s; } mod t; struct U(V); struct W;";
        let names = rust_names(&program(text));
        assert_eq!(names, ["A", "b", "c", "E", "F", "G", "I", "j", "L", "n", "t", "U", "W"]);
    }

    #[test]
    fn what_a_migration_creates_is_read() {
        let text = "create type nofx.a as enum\n  ('b', 'c');\ncreate type nofx.d as (e text, f int);\ncreate table nofx.g (\n  h uuid primary key, -- i\n  \
                    j text not null default 'k',\n  constraint l check (h is not null)\n) with (m = 1);\ncreate function nofx.n(p_o int) returns int\n\
                    alter table nofx.g add column q int;\ncreate index r on nofx.g (h);\n";
        assert_eq!(sql_names(text), ["a", "b", "c", "d", "e", "f", "g", "h", "j", "n", "q"]);
    }
}
