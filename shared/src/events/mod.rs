//! Events as clients see them: what there is, the envelope, the cursor that orders them, and the bus that tells of new ones.

mod asyncapi;
mod bus;
mod cursor;
mod envelope;
mod event;

pub use asyncapi::document;
pub(crate) use bus::CHANNEL;
pub use bus::{EventBus, viewer_token};
pub use cursor::Cursor;
pub use envelope::{Event, Origin, Row};
pub use event::*;
