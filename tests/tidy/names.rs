//! The names and texts of code. Code of others is named by a path or behind a dot (`tokio::task`, `list.pop()`); a name that stands alone
//! is ours: what is declared, a variable, a parameter, or what `as` renames.

use crate::rust_source::Token;

/// The names in Rust that stand alone.
pub(crate) fn rust_names<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let is_ours = |at: usize| at == 0 || !tokens[at - 1].is(".") && !tokens[at - 1].is("::");
    tokens.iter().enumerate().filter(|(at, _)| is_ours(*at)).filter_map(|(_, token)| token.word()).collect()
}

/// The names in a migration, of whatever is created, passed or renamed there.
pub(crate) fn sql_names(text: &str) -> Vec<String> {
    let code = sql_parts(text).into_iter().step_by(2);
    code.flat_map(|part| part.split(|c: char| c != '_' && !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The literals in a migration: values of types, keys of JSON, hints.
pub(crate) fn sql_texts(text: &str) -> Vec<String> {
    sql_parts(text).into_iter().skip(1).step_by(2).collect()
}

/// Code and literals in turn, without comments.
fn sql_parts(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    code.join("\n").split('\'').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{rust_names, sql_names, sql_texts};
    use crate::rust_source::program;

    #[test]
    fn names_that_stand_alone_are_read_and_those_of_others_are_not() {
        let text = "use a::b as c; struct D { e: F } fn g(h: I) { let j = k::l(|m| m.n()); } enum O { P(Q), R { s: T } }";
        let names = rust_names(&program(text));
        let ours = ["a", "c", "D", "e", "F", "g", "h", "I", "j", "k", "m", "O", "P", "Q", "R", "s", "T"];
        assert!(ours.iter().all(|name| names.contains(name)), "{names:?}");
        assert!(["b", "l", "n"].iter().all(|name| !names.contains(name)), "{names:?}");
    }

    #[test]
    fn names_and_literals_of_a_migration_are_read() {
        let text = "create index a on b (c); -- d 'e'\ncreate function f(p_g int) as $$ declare v_h text; begin with i as (select 'j') \
                    select jsonb_build_object('k', l) as m; perform refuse(422, 'n', 'o', hint => 'Set p.'); end $$;\ncreate trigger q;";
        let names = sql_names(text);
        assert!(["a", "b", "c", "f", "p_g", "v_h", "i", "l", "m", "q"].iter().all(|name| names.iter().any(|one| one == name)), "{names:?}");
        assert!(!names.iter().any(|name| name == "d"), "{names:?}");
        assert_eq!(sql_texts(text), ["j", "k", "n", "o", "Set p."]);
    }
}
