//! JSON pointers (RFC 6901), which say where in a plan a fault is.

/// The pointer of a field of the object that `parent` points to.
pub fn pointer_to(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}
