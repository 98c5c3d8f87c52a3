//! Readers of the files that declare or lock packages, a format a file. Each returns all packages of its file or says why it cannot. How
//! much a file may have, whatever its format, stands in `content` and `packages`.

mod cargo;
mod entries;
mod go_mod;
mod go_sum;
mod npm;
mod pnpm;
mod poetry;
mod pyproject;
mod read;
mod requirement;
pub(super) mod requirements;
mod requirements_files;
mod uv;
mod versions;
mod yarn;
mod yarn_berry;
mod yarn_classic;

pub(crate) use poetry::poetry_requirements;
pub(crate) use requirements_files::{Required, required};
pub(crate) use uv::uv_project;
pub(crate) use yarn::{is_berry, yarn_packages};

pub(super) use read::Read;

/// Each file by its name in the root folder; requirements.txt, which includes others, is beside the list.
pub(super) const LOCKS: &[(&str, Read)] = &[
    ("Cargo.lock", cargo::read),
    ("go.mod", go_mod::read),
    ("go.sum", go_sum::read),
    ("npm-shrinkwrap.json", npm::read),
    ("package-lock.json", npm::read),
    ("pnpm-lock.yaml", pnpm::read),
    ("poetry.lock", poetry::read),
    ("pyproject.toml", pyproject::read),
    ("uv.lock", uv::read),
    ("yarn.lock", yarn::read),
];
