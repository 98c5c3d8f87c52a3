//! Vercel function for `/api/artifacts`.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::artifacts)
}
