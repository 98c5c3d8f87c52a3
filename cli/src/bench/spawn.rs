//! `nofx bench spawn`: from the order to start a program to its end: bare, and at each isolation level through a worker's supervisor, with
//! pauses in which a supervisor prepares for the next.
#![expect(clippy::disallowed_methods, reason = "starts the bare program that it compares with")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nofx_sandbox::{Program, Sandbox};
use nofx_shared::drivers::{Level, Limits, Network};

use super::report::{Report, percentile};
use crate::exit::{Error, Exit, Outcome};

/// Of each kind, in turns: what slows the machine slows all of them.
const STARTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
const PROGRAM: &str = "/bin/true";

pub(super) fn run(as_json: bool, sandbox: Option<Sandbox>) -> Outcome {
    let sandbox = sandbox.ok_or_else(|| Error::new("this bench needs a worker's supervisor"))?;
    let dir = sandbox.scratch(None).map_err(Error::new)?;
    let null = std::fs::File::options().write(true).open("/dev/null").map_err(Error::new)?;
    let levels = [Level::L1, Level::L2, Level::L3];
    let mut bare = vec![];
    let mut confined = [vec![], vec![], vec![]];
    for _ in 0..STARTS {
        std::thread::sleep(PAUSE);
        let begin = Instant::now();
        std::process::Command::new(PROGRAM).status().map_err(Error::new)?;
        bare.push(begin.elapsed().as_secs_f64() * 1000.0);
        for (level, samples) in levels.into_iter().zip(&mut confined) {
            let program = Program {
                argv: vec![PROGRAM.to_owned()],
                script: None,
                dir: dir.clone(),
                env: BTreeMap::new(),
                level: Some(level),
                limits: Limits::default(),
                network: Network::None,
                proxy_port: None,
                bridge: None,
                toolchains: None,
                scratch: None,
            };
            let (ended, end) = std::sync::mpsc::channel();
            std::thread::sleep(PAUSE);
            let begin = Instant::now();
            let running = sandbox.start(program, &null, &null, move |result| drop(ended.send(result))).map_err(Error::new)?;
            let result = end.recv().map_err(Error::new)?.map_err(Error::new)?;
            samples.push(begin.elapsed().as_secs_f64() * 1000.0);
            drop(running);
            if result.exit_code != Some(0) {
                return Err(Error::new(format!("a program did not succeed at {level}: exit code {:?}", result.exit_code)));
            }
        }
    }
    sandbox.remove(&dir).map_err(Error::new)?;
    let mut report = Report::default();
    let bare = percentile(&mut bare, 0.5);
    report.put("bare_ms_p50", bare);
    for (level, mut samples) in levels.into_iter().zip(confined) {
        let name = level.as_str().to_ascii_lowercase();
        report.put(&format!("{name}_overhead_ms_p50"), percentile(&mut samples, 0.5) - bare);
    }
    report.print(as_json);
    Ok(Exit::Succeeded)
}
