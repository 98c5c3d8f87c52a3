//! The tools that a plan may name. A test of the worker compares this list with its handlers.

/// Names, or a prefix that ends in `:*`.
pub const TOOLS: &[&str] = &[
    "noop",
    "sleep",
    "fail",
    "bash",
    "http",
    "gate:typecheck",
    "gate:lint",
    "gate:unit",
    "gate:coverage",
    "gate:sast",
    "gate:secrets",
    "gate:audit",
    "gate:e2e_smoke",
    "codegen",
    "db_write",
    "workspace:write",
    "git:branch",
    "git:commit",
    "git:push",
    "git:pr",
    "plan:make",
    "plan:submit",
    "manual:*",
];

pub(super) fn is_known(tool: &str) -> bool {
    TOOLS.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => tool.strip_prefix(prefix).is_some_and(is_name),
        None => *known == tool,
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 80 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
