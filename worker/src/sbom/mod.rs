//! Bills of materials (CycloneDX 1.6): the packages that a workspace declares, locks and has installed, the files that were generated,
//! and the model that generated them. What could not be read is listed in the bill as a fault, with the file and the reason.

mod bom;
mod component;
mod fault;
mod hash;
mod installed;
mod licence;
mod locks;
mod package;
mod workspace;

pub(crate) use bom::Bom;
pub(crate) use locks::{LOCK_BYTES, hashed_requirements, index_requirements, is_berry, poetry_requirements, uv_project, yarn_packages};

pub(crate) const NAME: &str = "sbom.cdx.json";
pub(crate) const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";
