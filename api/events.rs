//! Vercel function for `/api/events` and its stream.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::events)
}
