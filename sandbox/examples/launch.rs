//! A program that has the verb `launch`, as `nofx` does: the tests confine with it.

fn main() {
    let code = nofx_sandbox::launch::main(std::env::args_os().skip(1));
    std::process::exit(code.unwrap_or(2));
}
