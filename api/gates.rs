//! Vercel function for `/api/gates`.

fn main() -> std::process::ExitCode {
    nofx_functions::serve(nofx_api::gates)
}
