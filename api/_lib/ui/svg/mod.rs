//! Drawings, laid out here and not in the browser: data in, SVG out, the same for the same data.

mod axis;
mod chart;
mod layered;
mod scale;
#[cfg(test)]
mod snapshot;
mod waterfall;

pub(super) use chart::{Minute, chart};
pub(super) use layered::{Node, layered};
pub(super) use scale::Scale;
pub(super) use waterfall::{Kind, Lane, Row, Segment, waterfall};
