//! What a step's processes may use and how they are confined: what a plan asks for, and what a driver reports. Data only: the drivers
//! themselves are the worker's, and `nofx-sandbox` confines.

mod destination;
mod driver;
mod enforced;
mod image;
mod level;
mod network;
mod placement;
mod request;
mod resources;
mod toolchain;
mod usage;

pub use destination::Destination;
pub use driver::Driver;
pub(crate) use driver::runs_foreign_code;
pub use enforced::{Controlled, Enforced, Limits, Namespace};
pub use image::{Image, InvalidImage};
pub use level::{Level, UnknownLevel};
pub use network::Network;
pub use placement::Placement;
pub use request::{FUNCTION_TIMEOUT_S, Request};
pub use resources::Resources;
pub use toolchain::{InvalidToolchain, MAX_TOOLCHAINS, Toolchain};
pub use usage::Usage;
