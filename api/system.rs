//! Vercel function for `/api/health`, `/api/ready`, descriptions, metrics, keys and crons.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::system)
}
