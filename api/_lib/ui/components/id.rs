use maud::{Markup, html};
use uuid::Uuid;

/// An id that can be copied; its last part is enough to distinguish it on a page.
pub(in crate::ui) fn id(id: &Uuid) -> Markup {
    let whole = id.to_string();
    html! { button.copy type="button" data-copy=(whole) title={ "Copy " (whole) } aria-label={ "Copy id " (whole) } { "…" (whole[24..]) } }
}
