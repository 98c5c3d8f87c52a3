//! What the API and workers send with each call, for tests that call functions of the database by SQL or past the API.

/// A key for payloads of the audit log, for the header `x-nofx-audit-key`. What it seals is opened by nobody.
pub const CALL_KEY: &str =
    "k1.d3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jh.LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM=";

/// A statement that brings this key, for the session.
pub const BRING_KEY: &str = "select set_config('request.headers', '{\"x-nofx-audit-key\": \"k1.d3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jhd3Jh.LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM=\"}', false);";
