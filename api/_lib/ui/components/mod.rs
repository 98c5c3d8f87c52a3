//! Parts that several pages share: data in, HTML out. They read nothing.

mod ansi;
mod artifact_table;
mod badge;
mod empty;
mod event_feed;
mod findings;
mod gate_card;
mod id;
mod json;
mod marked;
mod number;
mod pager;
mod table;
mod time;

pub(super) use ansi::ansi;
pub(super) use artifact_table::artifact_table;
pub(super) use badge::badge;
pub(super) use empty::empty;
pub(super) use event_feed::event_feed;
pub(super) use findings::findings;
pub(super) use gate_card::gate_card;
pub(super) use id::id;
pub(super) use json::{json, text_field};
pub(super) use marked::marked;
pub(super) use number::{bytes, counted};
pub(super) use pager::pager;
pub(super) use table::table;
pub(super) use time::{duration, when};
