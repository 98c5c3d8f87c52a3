//! The layout of drawings of graphs without cycles: steps of a run, lineage of artifacts. Data in, places out, the same for the same data;
//! what stands at a place is drawn by `ui/svg` and `artifacts/lineage`.

mod layers;
mod layout;
mod shorten;

pub(crate) use layout::{Layout, NODE};
pub(crate) use shorten::shorten;
