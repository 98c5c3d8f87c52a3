//! `/storage/v1`: buckets and objects in Supabase Storage's shapes. Rows are in `storage.objects`, bytes in files named by
//! the version's id: a key never becomes a path, so that no key can point anywhere.

mod buckets;
mod error;
mod manage;
mod read;
mod resumable;
mod routes;
mod rules;
mod signed;
mod store;
mod upload;

pub(crate) use routes::{keyed_routes, open_routes};
pub(crate) use store::Storage;
