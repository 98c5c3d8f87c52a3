//! A program that has the verb `launch`, as `nofx` does: the tests confine with it.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<i32> = arguments.iter().filter_map(|one| one.parse().ok()).collect();
    match (arguments.first().map(String::as_str), numbers.as_slice()) {
        (Some("launch"), [spec, report]) => std::process::exit(nofx_sandbox::launch::main(*spec, *report)),
        _ => std::process::exit(2),
    }
}
