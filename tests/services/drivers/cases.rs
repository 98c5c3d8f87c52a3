//! The one list of what a program finds, and what the step of a program that does this is.

use serde_json::{Value, json};

use super::stack::{Driver, bash};

/// One step, and what is to be seen of it.
pub(super) struct Case {
    pub name: &'static str,
    pub step: fn(Driver) -> Value,
    /// The step as the API shows it, and its log.
    pub check: fn(&Value, &str) -> bool,
}

fn stdout(step: &Value) -> &str {
    step["outputs"]["stdout"].as_str().unwrap_or_default()
}

fn message(step: &Value) -> &str {
    step["error"]["message"].as_str().unwrap_or_default()
}

fn once(driver: Driver, script: &str, more: &Value) -> Value {
    let mut step = bash(driver, script, more);
    step["retry"] = json!({"max_attempts": 1});
    step
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "both streams are there, in the order in which they came",
        // Streams have no common order but that in which somebody reads them, who may have to wait for a processor.
        step: |driver| once(driver, "echo one; sleep 5; echo two >&2; sleep 5; echo three; seq 1000", &json!({})),
        check: |step, log| {
            let all = (1..=1000).map(|n| format!("{n}\n")).collect::<String>();
            log == format!("one\ntwo\nthree\n{all}") && stdout(step) == format!("one\nthree\n{all}")
        },
    },
    Case {
        name: "an exit code fails the step with the end of standard error",
        step: |driver| once(driver, "echo out; echo why >&2; exit 3", &json!({})),
        check: |step, log| {
            step["status"] == "failed"
                && message(step) == "the process exited with code 3"
                && step["error"]["details"] == json!({"exit_code": 3, "stderr": "why"})
                && log.contains("out\n")
        },
    },
    Case {
        name: "a signal is no exit code",
        step: |driver| once(driver, "echo before; kill -KILL $$", &json!({})),
        check: |step, log| {
            step["status"] == "failed"
                && message(step).contains("killed by a signal")
                && step["error"]["details"]["exit_code"].is_null()
                && log == "before\n"
        },
    },
    Case {
        name: "a child's signal is seen by its parent",
        step: |driver| once(driver, "sleep 600 & kill $!; code=0; wait $! || code=$?; echo $code", &json!({})),
        check: |step, _| stdout(step) == "143\n",
    },
    Case {
        name: "a signal to the only program of a script is the script's exit code",
        step: |driver| once(driver, "bash -c 'kill -KILL $$'", &json!({})),
        check: |step, _| {
            let code = &step["error"]["details"]["exit_code"];
            // Modal and bubblewrap say of a signal to the script itself the same.
            let held = &step["attempts"][0]["isolation"];
            let is_same = held["driver"] == "modal" || held["level"] == "L3";
            step["status"] == "failed" && (*code == 137 && message(step).contains("signal 9") || is_same && code.is_null())
        },
    },
    Case {
        name: "standard input is closed",
        step: |driver| once(driver, "cat; read line || echo none", &json!({})),
        check: |step, _| stdout(step) == "none\n",
    },
    Case {
        name: "a step that takes too long is stopped",
        step: |driver| once(driver, "echo begun; sleep 600", &json!({"timeout_s": 8})),
        check: |step, _| step["status"] == "timed_out" && message(step).contains("timed out after 8 s"),
    },
    Case {
        name: "large output is whole",
        step: |driver| once(driver, "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end", &json!({})),
        check: |step, log| step["status"] == "succeeded" && log.len() == 3_000_005 && log.ends_with("x\nend\n"),
    },
    Case {
        name: "output beyond the limit is counted and dropped",
        step: |driver| once(driver, "head -c 6000000 /dev/zero | tr '\\0' x", &json!({})),
        check: |step, log| {
            step["status"] == "succeeded"
                && log.len() < (4 << 20) + 100
                && log.ends_with(&format!("[{} more bytes were dropped]\n", 6_000_000 - (4 << 20)))
        },
    },
    Case {
        name: "output that is no text is shown",
        step: |driver| once(driver, "printf '\\377\\376\\000a\\n'", &json!({})),
        check: |_, log| log.starts_with("\u{fffd}\u{fffd}") && log.ends_with("a\n"),
    },
    Case {
        name: "text of any script is the same here and there",
        step: |driver| once(driver, "echo \"$GREETING\"; echo '日本 ä \u{1f980}'", &json!({"env": {"GREETING": "grüße 你好"}})),
        check: |step, _| stdout(step) == "grüße 你好\n日本 ä \u{1f980}\n",
    },
    Case {
        name: "the environment is the step's, and nothing of the worker's",
        step: |driver| {
            let script = "env -0 | tr '\\0' '\\n' | cut -d= -f1 | sort | tr '\\n' ' '; echo; echo \"$MINE $CONFORMANCE\"";
            once(driver, script, &json!({"env": {"MINE": "yes"}, "secrets": ["CONFORMANCE"]}))
        },
        check: |step, log| {
            let mut lines = log.lines();
            let names: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
            let is_known = |name: &&str| {
                [
                    "",
                    "_",
                    "CONFORMANCE",
                    "GIT_TERMINAL_PROMPT",
                    "HOME",
                    "LANG",
                    "LOGNAME",
                    "MINE",
                    "NOFX_OUTPUT",
                    "NON_INTERACTIVE_MODE",
                    "OLDPWD",
                    "PATH",
                    "PWD",
                    "RES_OPTIONS",
                    "SHLVL",
                    "TMPDIR",
                    "TRACEPARENT",
                    "USER",
                ]
                .contains(name)
            };
            step["status"] == "succeeded"
                && names.iter().all(is_known)
                && ["MINE", "CONFORMANCE", "HOME", "PATH", "NOFX_OUTPUT", "NON_INTERACTIVE_MODE"].iter().all(|name| names.contains(name))
                && lines.next() == Some("yes ***")
        },
    },
    Case {
        name: "what is written to NOFX_OUTPUT becomes outputs",
        step: |driver| once(driver, "echo '{\"v\": [1, \"ö\"]}' > $NOFX_OUTPUT", &json!({})),
        check: |step, _| step["status"] == "succeeded" && step["outputs"]["v"] == json!([1, "ö"]),
    },
    Case {
        name: "a link in place of NOFX_OUTPUT is no output",
        step: |driver| once(driver, "rm -f $NOFX_OUTPUT; ln -s /etc/hostname $NOFX_OUTPUT", &json!({})),
        check: |step, _| step["status"] == "failed" && message(step).contains("NOFX_OUTPUT"),
    },
    Case {
        name: "a fifo in place of NOFX_OUTPUT is no output",
        step: |driver| once(driver, "rm -f $NOFX_OUTPUT; mkfifo $NOFX_OUTPUT", &json!({})),
        check: |step, _| step["status"] == "failed" && message(step).contains("not a regular file"),
    },
    Case {
        name: "NOFX_OUTPUT beyond the limit is no output",
        step: |driver| once(driver, "head -c 300000 /dev/zero > $NOFX_OUTPUT", &json!({})),
        check: |step, _| step["status"] == "failed" && message(step).contains("larger than 262144 bytes"),
    },
    Case {
        name: "a program runs without a shell, in a folder of the workspace",
        step: |driver| {
            let mut step = once(driver, "", &json!({}));
            step["inputs"] = json!({"argv": ["printf", "%s|", "a b", "$HOME", "", "*"]});
            step
        },
        check: |step, _| stdout(step) == "a b|$HOME||*|",
    },
    Case {
        name: "a program that is not there fails the step",
        step: |driver| {
            let mut step = once(driver, "", &json!({}));
            step["inputs"] = json!({"argv": ["nofx-no-such-program"]});
            step
        },
        check: |step, _| step["status"] == "failed" && message(step).contains("nofx-no-such-program"),
    },
    Case {
        name: "limits that are asked for hold, and are reported",
        step: |driver| {
            let resources = json!({"cpu_s": 100, "memory_mb": 700, "disk_mb": 50, "network": "none"});
            once(
                driver,
                // No byte of it is on the disk, whose own limit would end the step as well.
                "ulimit -t; ulimit -d; ulimit -f; truncate -s 60000000 big || echo refused; rm -f big",
                &json!({"resources": resources}),
            )
        },
        check: |step, _| {
            let held = &step["attempts"][0]["isolation"];
            let limits = &held["limits"];
            stdout(step) == "100\n716800\n51200\nrefused\n"
                && (&limits["cpu_s"], &limits["memory_mb"], &limits["file_mb"]) == (&json!(100), &json!(700), &json!(50))
                && held["network"] == "none"
        },
    },
    Case {
        name: "a file that claims to be larger than the disk fails the step, once",
        step: |driver| {
            let more = json!({"retry": {"max_attempts": 2, "initial_ms": 10}});
            bash(driver, "trap '' XFSZ; truncate -s 1T large; echo made", &more)
        },
        check: |step, _| {
            // Here the kernel does not let the program make it.
            let is_refused_here = step["attempts"][0]["isolation"]["level"] != "L4" && message(step).contains("code 1");
            let is_once = step["attempts"].as_array().is_some_and(|all| all.len() == 1) && message(step).contains("`resources.disk_mb`");
            step["status"] == "failed" && (is_refused_here || is_once)
        },
    },
    Case {
        name: "a gate judges by the report that its command wrote",
        step: |driver| gate(driver, "<testcase name='ä'/>", 0),
        check: |step, _| step["status"] == "succeeded" && step["outputs"]["verdict"] == "pass",
    },
    Case {
        name: "a gate fails by the report that its command wrote",
        step: |driver| gate(driver, "<testcase name='ä'><failure message='no'/></testcase>", 1),
        check: |step, _| step["status"] == "failed" && message(step).contains("fail"),
    },
    Case {
        name: "the usage of an attempt has its time",
        step: |driver| once(driver, "sleep 0.3", &json!({})),
        check: |step, _| step["attempts"][0]["usage"]["wall_ms"].as_u64().is_some_and(|ms| ms >= 300),
    },
];

/// A gate whose command writes a report and exits.
fn gate(driver: Driver, case: &str, code: u8) -> Value {
    let command = format!("mkdir -p out && printf '%s' \"<testsuite name='s' tests='1'>{case}</testsuite>\" > out/report.xml; exit {code}");
    let mut step = once(driver, "", &json!({"tool": "gate:unit"}));
    step["inputs"] = json!({"command": command, "report": "out/report.xml"});
    step
}
