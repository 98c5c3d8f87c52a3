//! Rules of the house as tests. A failing one says how to mend it.

mod docs;
mod layout;
mod sql;
