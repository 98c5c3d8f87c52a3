//! Bills of materials (CycloneDX 1.6): the packages that a workspace declares, locks and has installed, the files that were generated,
//! and the model that generated them. What could not be read, or is left out because of a limit, is listed in the bill as a fault, with the
//! file or the component and the reason.

mod bom;
mod component;
mod content;
mod document;
mod fault;
mod faults;
mod group;
mod hash;
mod installed;
mod licence;
mod limited;
mod locked;
mod locks;
mod package;
mod packages;
mod permit;
mod reading;
mod save;
mod workspace;

pub(crate) use bom::Bom;
pub(crate) use content::text;
pub(crate) use locked::locked;
pub(crate) use locks::{Required, is_berry, poetry_requirements, required, uv_project, yarn_packages};
pub(crate) use permit::Permit;
