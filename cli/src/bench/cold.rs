//! `nofx bench cold`: how long a function takes from exec to the first byte of /api/health, and how large its binary is.
#![expect(clippy::disallowed_methods, reason = "starts the functions")]

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exit::{Error, Exit, Outcome};
use crate::output;

/// Starts of each function; the first ones only bring the file into memory.
const STARTS: usize = 23;
const WARM_UP: usize = 3;

pub(super) async fn run(json: bool, built: &Path) -> Outcome {
    let folder = built.join("functions/api");
    let entries = std::fs::read_dir(&folder).map_err(|_| {
        Error::new(format!("{} was not found: run scripts/vercel-build.sh, or pass its folder with --output", folder.display()))
    })?;
    let mut rows: Vec<(String, Value)> = vec![];
    for entry in entries {
        let function = entry.map_err(Error::new)?.path();
        let program = function.join("executable");
        let name = function.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let size_mb = std::fs::metadata(&program).map_err(Error::new)?.len() as f64 / 1e6;
        let mut starts = vec![];
        for start in 0..STARTS {
            let took = cold(&program).await?;
            if start >= WARM_UP {
                starts.push(took.as_secs_f64() * 1000.0);
            }
        }
        starts.sort_by(f64::total_cmp);
        let round = |number: f64| (number * 10.0).round() / 10.0;
        let (least, median) = (round(starts[0]), round(starts[starts.len() / 2]));
        rows.push((name, json!({"cold_ms_min": least, "cold_ms_p50": median, "size_mb": round(size_mb)})));
    }
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    if json {
        let all: serde_json::Map<String, Value> = rows.into_iter().collect();
        output::document(&serde_json::to_string_pretty(&all).map_err(Error::new)?);
    } else {
        output::line(format_args!("{:<12} {:>11} {:>11} {:>8}", "function", "cold_ms_min", "cold_ms_p50", "size_mb"));
        for (name, row) in rows {
            output::line(format_args!("{name:<12} {:>11} {:>11} {:>8}", row["cold_ms_min"], row["cold_ms_p50"], row["size_mb"]));
        }
    }
    Ok(Exit::Succeeded)
}

/// Starts a function with settings that lead nowhere, and sends one request.
async fn cold(program: &Path) -> Result<Duration, Error> {
    let port = nofx_local::free_port().map_err(Error::new)?;
    let begun = Instant::now();
    let mut process = tokio::process::Command::new(program)
        .env_clear()
        .env("VERCEL_DEV_PORT", port.to_string())
        .envs([
            ("SUPABASE_URL", "http://127.0.0.1:9"),
            ("SUPABASE_ANON_KEY", "none"),
            ("SUPABASE_SERVICE_ROLE_KEY", "none"),
            ("SUPABASE_JWT_SECRET", "none"),
            ("NOFX_INTERNAL_API_KEY", "none"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::new(format!("{}: {error}", program.display())))?;
    let mut stream = loop {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            break stream;
        }
        if let Some(status) = process.try_wait().map_err(Error::new)? {
            return Err(Error::new(format!("{} exited at startup ({status}); see its output above", program.display())));
        }
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(Error::new(format!("{} did not listen within 10 s", program.display())));
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    };
    stream.write_all(b"GET /api/health HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n").await.map_err(Error::new)?;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.map_err(Error::new)?;
    let took = begun.elapsed();
    process.kill().await.map_err(Error::new)?;
    if &first != b"HTTP/1.1 200" {
        return Err(Error::new(format!("{}: /api/health returned {}", program.display(), String::from_utf8_lossy(&first))));
    }
    Ok(took)
}
