//! A task of the step's own at ECS, a virtual machine on Fargate: `account` starts and stops it, `serve` is the program in it that its worker
//! speaks to (`machine`). What passes between both is in `wire`.

mod account;
mod definition;
mod fault;
mod machine;
mod serve;
mod wire;

pub(crate) use account::{EcsClient, Tasks};
pub(crate) use serve::serve;
