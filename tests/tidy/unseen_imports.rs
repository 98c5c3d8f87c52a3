//! Ways into another room that `imports` would not see, so nobody takes them: the root of a crate as a whole or by another name, all of a
//! room at the root, and a file that stands elsewhere than its module.

use std::collections::BTreeSet;

use crate::imports::{Source, module, used};
use crate::rust_source::{program, tokens};

/// Each with how to mend it.
pub(crate) fn unseen(sources: &[Source]) -> Vec<String> {
    let rooms: BTreeSet<&str> = sources.iter().filter_map(|(path, _)| module(path).first().copied()).collect();
    let mut found = vec![];
    for (path, text) in sources {
        let module = module(path);
        for (target, name) in used(&program(text), &module) {
            match target.first() {
                None => found.push(format!("{path}: import what you use of the crate by its name, not the root")),
                Some(room) if module.is_empty() && name.is_empty() && rooms.contains(&**room) => {
                    found.push(format!("{path}: name what the root has of `{}`, not all of it", target.join("::")));
                }
                Some(_) => {}
            }
        }
        let moved = tokens(text).windows(3).any(|three| three[0].is("[") && three[1].is("path") && three[2].is("="));
        if moved {
            found.push(format!("{path}: put the file where its module is, without #[path]"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::unseen;

    fn found(path: &str, text: &str) -> usize {
        unseen(&[(path.to_owned(), text.to_owned()), ("b.rs".to_owned(), String::new())]).len()
    }

    #[test]
    fn the_root_is_not_imported_as_a_whole_or_by_another_name() {
        for text in [
            "use crate::*;",
            "use super::*;",
            "use crate as root;",
            "use super as up;",
            "use crate::{self as root};",
            "use self::super::*;",
        ] {
            assert_eq!(found("a.rs", text), 1, "{text}");
        }
        assert_eq!(found("a/c.rs", "use super::super::*;"), 1);
        assert_eq!(found("a/c.rs", "use super::*; use crate::b::B; pub(crate) use c::*; mod d { use super::*; }"), 0);
        assert_eq!(found("a.rs", "#[cfg(test)] mod tests { use super::super::*; }"), 0);
    }

    #[test]
    fn the_root_names_what_it_has_of_a_room() {
        assert_eq!(found("lib.rs", "mod b; pub use b::*;"), 1);
        assert_eq!(found("lib.rs", "mod b; pub use self::b::c::*;"), 1);
        assert_eq!(found("lib.rs", "mod b; pub use b::B; use std::prelude::*;"), 0);
    }

    #[test]
    fn a_file_is_where_its_module_is() {
        assert_eq!(found("a/mod.rs", "#[path = \"../b.rs\"] mod c;"), 1);
        assert_eq!(found("a/mod.rs", "#[route(get, path = \"/b\")] fn c() {}"), 0);
    }
}
