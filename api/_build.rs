//! Functions are linked by GNU ld: it drops the unwind tables of what is dropped, which lld keeps (half a megabyte a function).

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "cargo speaks to build scripts this way")]
fn main() {
    println!("cargo::rerun-if-changed=_build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-bins=-fuse-ld=bfd");
    }
}
