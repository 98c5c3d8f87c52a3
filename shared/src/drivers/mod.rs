//! What a step's processes may use and how they are confined: what a plan asks for, and what a driver reports. Data only: the drivers
//! themselves are the worker's, and `nofx-sandbox` confines.

mod enforced;
mod level;
mod network;
mod resources;

pub use enforced::{Enforced, Limits, Namespace};
pub use level::{Level, UnknownLevel};
pub use network::Network;
pub use resources::Resources;
