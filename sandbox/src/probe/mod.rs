//! What this host offers, found by trying it: a version says what a kernel could do, not what its configuration, a container or a security
//! module lets happen.

mod host;
mod level;
mod parts;

pub use host::{Found, Host, Offer, probe};
pub use parts::Part;
