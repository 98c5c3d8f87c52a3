//! Deployed binaries are linked by GNU ld: it drops the unwind tables of dropped code, which lld keeps (half a megabyte per function).

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "cargo speaks to build scripts this way")]
fn main() {
    println!("cargo::rerun-if-changed=_build.rs");
    let is = |name, value| std::env::var(name).is_ok_and(|it| it == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-fuse-ld=bfd");
    }
}
