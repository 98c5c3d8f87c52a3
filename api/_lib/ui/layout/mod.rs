//! What all pages have in common: the document, the frame of a session, the icon of the tab. Knows no page.

mod frame;
mod icon;
mod page;

pub(super) use frame::Frame;
pub(super) use icon::Icon;
pub(super) use page::{HTML, POLICY, Page, public_page};
