//! Events as clients see them: the catalogue of types, CloudEvents, the cursor that orders them, and the bus that announces new ones.

mod asyncapi;
mod bus;
mod catalogue;
mod cloud_event;
mod cursor;
mod read_events;
mod row;

pub use asyncapi::document;
pub(crate) use bus::CHANNEL;
pub use bus::EventBus;
pub use catalogue::*;
pub use cloud_event::CloudEvent;
pub use cursor::Cursor;
pub use read_events::{EventFilter, read_events};
pub use row::{EventRow, Origin};
