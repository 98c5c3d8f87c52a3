use maud::{Markup, html};

use super::id;
use crate::ui::session::Session;

/// Who did something: `you`, an id that can be copied, or a name.
pub(in crate::ui) fn who(name: &str, session: &Session) -> Markup {
    if name == session.caller.subject {
        return html! { "you" };
    }
    match name.parse() {
        Ok(person) => id(&person),
        Err(_) => html! { (name) },
    }
}
