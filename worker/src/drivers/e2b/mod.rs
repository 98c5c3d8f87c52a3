//! Sandboxes at E2B: its REST API (<https://e2b.dev/docs/api-reference>) makes, lists and kills them; `envd` in each of them runs programs
//! and moves files. Knows nothing of workspaces: see `machine`.

mod account;
mod answer;
mod frames;
mod sandbox;

pub(super) use account::E2b;
