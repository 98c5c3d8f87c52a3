//! Vercel function for `/api/internal/execute`: executes steps of the driver `vercel-function` for workers.

fn main() -> std::process::ExitCode {
    nofx_functions::serve_with(nofx_worker::function_executor, nofx_api::internal)
}
