//! How large a plan may be. The contract names these; the database checks none of them again but the number of children.

pub(super) const PLAN_BYTES: usize = 1 << 20;
pub(super) const STEPS: usize = 1000;
pub(super) const DEPTH: usize = 200;
pub(super) const STEP_INPUT_BYTES: usize = 256 << 10;
/// Total of a plan's different CEL expressions. Their parser is ANTLR's, which interprets the grammar token by token and copies each: up to
/// 6 ms/KiB, five times as much in a debug build, whatever the shape. With this limit a plan is checked within a second.
pub(super) const PLAN_EXPRESSION_BYTES: usize = 32 << 10;
/// What an expression counts at least: starting the parser costs as much as some text.
pub(super) const LEAST_EXPRESSION_BYTES: usize = 32;
/// Longest CEL expression: its parser is recursive, and no one reads longer ones.
pub(super) const EXPRESSION_BYTES: usize = 2000;
/// Deepest nesting of brackets in a CEL expression.
pub(super) const EXPRESSION_DEPTH: usize = 40;
/// Most macros that go over a list in a CEL expression, and most that are inside of each other.
pub(super) const MACROS: usize = 16;
pub(super) const MACRO_DEPTH: usize = 4;
/// Longest concurrency key: an index has it.
pub(super) const CONCURRENCY_KEY_BYTES: usize = 200;
