//! Vercel function for the dashboard: `/ui` and everything below it.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::ui)
}
