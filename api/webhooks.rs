//! Vercel function for `/api/webhooks`.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::webhooks)
}
