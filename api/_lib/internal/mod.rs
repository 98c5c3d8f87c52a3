//! `/api/internal`: what only other parts of NOFX call, with a signature of their own. No person and no API key may.

mod execute;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default().routes(routes!(execute::execute_work))
}
