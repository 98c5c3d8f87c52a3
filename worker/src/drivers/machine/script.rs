//! Runs a script of this module on a machine, and reads what it prints. What a machine prints is hostile.

use nofx_shared::engine::Failure;

use super::{Exec, Machine};
use crate::drivers::tail;

/// How much of standard error is in a failure.
const WHY_BYTES: usize = 2 << 10;

/// What the script prints; an error unless it ends well.
pub(super) async fn script(machine: &dyn Machine, script: &str, arguments: &[&str]) -> Result<String, Failure> {
    let (mut stdout, mut stderr) = (vec![], vec![]);
    let mut sink = |is_stdout: bool, bytes: &[u8]| {
        let stream: &mut Vec<u8> = if is_stdout { &mut stdout } else { &mut stderr };
        let taken = Exec::SCRIPT_BYTES.saturating_sub(stream.len()).min(bytes.len());
        stream.extend_from_slice(&bytes[..taken]);
    };
    let ended = machine.run(&Exec::script(script, arguments), &mut sink).await;
    let ended = ended.map_err(|fault| fault.failure("the machine of the step failed"))?;
    if ended != Some(0) {
        let why = String::from_utf8_lossy(&stderr);
        return Err(Failure::transient(format!("the machine of the step could not move its files: {}", tail(why.trim(), WHY_BYTES))));
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}
