//! Supabase Storage: uploads, in pieces when they are large, and signed URLs.

mod client;
mod content;
mod error;
mod resumable;
mod upload;

pub use client::{ARTIFACTS, Storage};
pub use content::Content;
pub use error::Error;
