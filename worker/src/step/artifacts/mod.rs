//! Artifacts that a step saves and fetches: bytes are stored by their digest, and each artifact gets signed provenance.

mod approval;
mod fetch;
mod media_type;
mod provenance;
mod save;
mod uri;

pub(crate) use media_type::media_type;
