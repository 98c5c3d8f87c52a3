//! Vercel function for `/api/runs` and everything below it.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::runs)
}
