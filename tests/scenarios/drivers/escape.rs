//! What a step tries that was given to a contributor's token: nothing of it may reach the worker, the machine or a neighbour. What a program
//! can do at each level is tried in `sandbox/tests/confine`.

use std::os::unix::fs::FileExt;

use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::plans::plan;
use nofx_tests::stack::{STACK, worker_of, workspace};
use serde_json::{Value, json};

/// What a script prints, with `L2` and with `L3`; it ends well in both.
async fn outputs(person: &Person, script: &str) -> Vec<String> {
    let mut outputs = vec![];
    let script = format!("set +e; {script}");
    for level in ["L2", "L3"] {
        let asked = json!({"name": "try", "tool": "bash", "min_isolation": level, "inputs": {"script": script}});
        let run = person.run(plan(vec![asked])).await;
        let tried = step(&run, "try");
        assert_eq!(tried["status"], "succeeded", "{level}: {tried}");
        assert_eq!(tried["attempts"][0]["isolation"]["level"], level, "{tried}");
        outputs.push(tried["outputs"]["stdout"].as_str().expect("text").to_owned());
    }
    outputs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_reads_no_key_of_its_worker_and_signals_no_process_but_its_own() {
    let person = Tenant::new().await.contributor();
    // Processes of the kernel and those that have ended have no memory: their files open, and are empty.
    let script = "me=$(id -u); for p in /proc/[0-9]*; do
            for f in environ mem maps; do head -c 65536 $p/$f 2>/dev/null; done
            [ $(stat -c %u $p 2>/dev/null || echo $me) != $me ] || continue
            for f in environ mem maps fd fd/0; do
                { : <$p/$f; } 2>/dev/null && [ -n \"$(tr -d '\\0' 2>/dev/null <$p/cmdline)\" ] && echo SECRET opens $p/$f
            done
            kill -0 ${p#/proc/} 2>/dev/null && echo SECRET can signal $p
        done 2>/dev/null | tr '\\0' '\\n' | grep -a -e KEY= -e SECRET -e nofx-worker -e nofx-supervisor -e postgres || echo nothing";
    for output in outputs(&person, script).await {
        assert_eq!(output, "nothing\n");
    }
    for key in ["service_role_key", "signing_key", "jwt_secret"] {
        let key = STACK.get(key);
        // The script itself, a file of its own, has it in two parts.
        let (first, second) = key[..24.min(key.len())].split_at(9);
        let grep = format!(
            "first='{first}'; second='{second}'; grep -rsl -e \"$first$second\" /proc/[0-9]*/environ /etc /tmp /dev/shm /run 2>/dev/null || echo nothing"
        );
        for output in outputs(&person, &grep).await {
            assert_eq!(output, "nothing\n");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_sees_no_script_of_a_neighbour() {
    let (person, neighbour) = (Tenant::new().await.contributor(), Tenant::new().await.contributor());
    let mark = uuid::Uuid::now_v7().simple().to_string();
    let wait = format!("token={mark}; touch begun; for n in $(seq 600); do [ -e go ] && break; sleep 0.2; done");
    let mut runs = vec![];
    for (tool, input) in [("bash", "script"), ("gate:unit", "command")] {
        let theirs = json!({"name": "theirs", "tool": tool, "inputs": {input: wait}});
        runs.push(neighbour.submit(plan(vec![theirs])).await);
    }
    for run in &runs {
        while !workspace(run).join("begun").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    let (first, second) = mark.split_at(10);
    let script = format!(
        "first={first}; second={second}; for p in /proc/[0-9]*; do
            while IFS= read -r -d '' word; do case $word in *$first$second*) echo found $p;; esac; done < $p/cmdline
        done 2>/dev/null; echo looked"
    );
    for output in outputs(&person, &script).await {
        assert_eq!(output, "looked\n");
    }
    for run in &runs {
        std::fs::write(workspace(run).join("go"), "").expect("written");
        assert_eq!(neighbour.end(run).await["steps"][0]["attempts"][0]["isolation"]["level"], "L2", "it ran confined, meanwhile");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_a_file_of_any_length_whose_lines_are_named() {
    let person = Tenant::new().await.contributor();
    // An argument has at most 128 KiB.
    let long = format!("# {}\necho long; cat; echo ${{#BASH_SOURCE}} > /dev/null", "x".repeat(150 << 10));
    let run = person.run(plan(vec![json!({"name": "try", "tool": "bash", "inputs": {"script": long}})])).await;
    assert_eq!(step(&run, "try")["outputs"]["stdout"], "long\n", "{run}");
    let wrong =
        json!({"name": "try", "tool": "bash", "retry": {"max_attempts": 1}, "inputs": {"script": "true\n\nno-such-program\necho never"}});
    let run = person.run(plan(vec![wrong])).await;
    let tried = step(&run, "try");
    assert_eq!(tried["error"]["message"], "the process exited with code 127", "{tried}");
    let stderr = tried["error"]["details"]["stderr"].as_str().expect("text");
    assert!(stderr.contains("line 3: no-such-program: command not found") && !stderr.contains("never"), "{stderr}");
}

fn status(pid: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_has_no_right_and_gains_none_and_its_supervisor_has_four() {
    for supervisor in STACK.dev()["pids"]["workers"].as_array().expect("workers") {
        let worker = status(&worker_of(supervisor).to_string());
        for line in [
            "Gid:\t10001\t10001\t10001\t10001",
            "NoNewPrivs:\t1",
            "CapPrm:\t0000000000000000",
            "CapInh:\t0000000000000000",
            "CapEff:\t0000000000000000",
            "CapBnd:\t0000000000000000",
            "CapAmb:\t0000000000000000",
        ] {
            assert!(worker.lines().any(|one| one == line), "{line:?}: {worker}");
        }
        assert!(worker.lines().any(|line| line.trim_end() == "Groups:"), "{worker}");
        // CHOWN, KILL, SETGID and SETUID.
        let supervisor = status(&supervisor.to_string());
        for line in ["CapPrm:\t00000000000000e1", "CapEff:\t00000000000000e1", "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000"] {
            assert!(supervisor.lines().any(|one| one == line), "{line:?}: {supervisor}");
        }
    }
}

/// Whether the memory of a process that may be read has these bytes.
fn is_in_memory(pid: &str, wanted: &str) -> bool {
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).expect("these tests run as root");
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");
    maps.lines().filter(|line| line.contains(" rw-p ")).any(|line| {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("a length")];
        // A part of it may be gone meanwhile.
        let read = memory.read_at(&mut bytes, from).unwrap_or_default();
        bytes[..read].windows(wanted.len()).any(|window| window == wanted.as_bytes())
    })
}

/// Whoever has the secret can be anybody. Both are looked for, so that a search that finds nothing at all is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_holds_the_keys_that_it_needs_and_no_jwt_secret() {
    for supervisor in STACK.dev()["pids"]["workers"].as_array().expect("workers") {
        let (worker, supervisor) = (worker_of(supervisor).to_string(), supervisor.to_string());
        assert!(is_in_memory(&worker, STACK.get("service_role_key")), "its own key is found");
        for pid in [&worker, &supervisor] {
            assert!(!is_in_memory(pid, STACK.get("jwt_secret")), "{pid} holds the secret");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_finds_nothing_of_a_neighbour_and_of_the_machine_nothing_that_is_closed() {
    let (person, neighbour) = (Tenant::new().await.contributor(), Tenant::new().await.contributor());
    let theirs = neighbour
        .run(plan(vec![json!({"name": "a", "tool": "bash", "inputs": {"script": "echo secret > private.txt; chmod 777 . private.txt"}})]))
        .await;
    let their_file = workspace(theirs["id"].as_str().expect("an id")).join("private.txt");
    assert!(their_file.exists(), "it is on this machine");
    let script = format!(
        "cat {0} 2>/dev/null; find / -name private.txt 2>/dev/null; ls {1} 2>/dev/null; cat {1}/dev.json /etc/shadow 2>/dev/null; echo none",
        their_file.display(),
        nofx_tests::stack::dev_file().parent().expect("a folder").display()
    );
    for output in outputs(&person, &script).await {
        // Its closed neighbours' names are not there either.
        let lines: Vec<&str> = output.lines().filter(|line| !line.ends_with(".tmp")).collect();
        assert!(!output.contains("secret") && !output.contains("private.txt") && lines.last() == Some(&"none"), "{output}");
        assert!(!output.contains("service_role") && !output.contains("root:"), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_in_no_folder_of_another_run() {
    let (person, neighbour) = (Tenant::new().await.contributor(), Tenant::new().await.contributor());
    let theirs = neighbour.run(plan(vec![json!({"name": "a", "tool": "bash", "inputs": {"script": "echo secret > private.txt"}})])).await;
    let folder = workspace(theirs["id"].as_str().expect("an id"));
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    for cwd in [folder.display().to_string(), format!("../{name}"), format!("./../{name}"), "/".to_owned(), "..".to_owned()] {
        for tool in ["bash", "gate:unit"] {
            let mut inputs = json!({"cwd": cwd});
            inputs[if tool == "bash" { "script" } else { "command" }] = json!("cat private.txt; id -u");
            let run = person.run(plan(vec![json!({"name": "try", "tool": tool, "inputs": inputs})])).await;
            let tried = step(&run, "try");
            assert!(
                tried["status"] == "failed" && tried["error"]["message"].to_string().contains("not a folder of the workspace"),
                "{cwd}: {tried}"
            );
        }
        let fetch = json!({"script": "true", "artifacts": [format!("{cwd}/private.txt")]});
        let run = person.run(plan(vec![json!({"name": "try", "tool": "bash", "inputs": fetch})])).await;
        assert_eq!(step(&run, "try")["status"], "failed", "{cwd}: {run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_program_gets_signals_and_its_streams_by_name() {
    let person = Tenant::new().await.contributor();
    let script =
        "timeout 1 sleep 600; echo $?; sleep 600 & kill $!; wait $!; echo $?; echo out > /dev/stdout; echo err > /dev/stderr; echo $?";
    for output in outputs(&person, script).await {
        assert_eq!(output, "124\n143\nout\n0\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_of_the_stack_are_out_of_reach() {
    let person = Tenant::new().await.contributor();
    let port = |key: &str| {
        let url = STACK.get(key).rsplit_once(':').expect("a port").1;
        url.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    for key in ["api_url", "rest_url", "supabase_url", "db_url", "metrics_url"] {
        let script = format!("(exec 3<>/dev/tcp/127.0.0.1/{}) 2>/dev/null && echo connected || echo refused", port(key));
        for output in outputs(&person, &script).await {
            assert_eq!(output, "refused\n", "{key}");
        }
    }
    let none = json!({"name": "try", "tool": "bash", "resources": {"network": "none"},
        "inputs": {"script": "python3 -c 'import socket; socket.socket()' 2>&1 | tail -1 || true"}});
    let run = person.run(plan(vec![none])).await;
    let said = step(&run, "try")["outputs"]["stdout"].as_str().unwrap_or_default();
    assert!(said.contains("PermissionError") || said.contains("Operation not permitted"), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlives_a_step_is_ended_with_it() {
    let person = Tenant::new().await.contributor();
    let mark = format!("nofx-stay-{}", uuid::Uuid::now_v7().simple());
    let script = format!("(setsid nohup bash -c 'exec -a {mark} sleep 600' >/dev/null 2>&1 &) ; sleep 0.2; echo left");
    for output in outputs(&person, &script).await {
        assert_eq!(output, "left\n");
    }
    let is_there = std::fs::read_dir("/proc").expect("processes").flatten().any(|entry| {
        let line: Vec<u8> = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).starts_with(&mark)
    });
    assert!(!is_there, "it outlived its step");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_its_evidence_and_its_artifacts_say_what_was_enforced() {
    let person = Tenant::new().await.contributor();
    let run = person
        .run(plan(vec![
            json!({"name": "make", "tool": "bash", "inputs": {"script": "echo x > a.txt", "artifacts": ["a.txt"]}}),
            json!({"name": "judge", "tool": "gate:unit", "needs": ["make"], "inputs": {"command": "true"}}),
        ]))
        .await;
    let attempt = &step(&run, "make")["attempts"][0];
    let held: &Value = &attempt["isolation"];
    assert_eq!((&held["level"], &held["no_new_privs"], &held["driver"]), (&json!("L2"), &json!(true), &json!("worker-container")), "{run}");
    assert!(held["landlock_abi"].as_u64().is_some_and(|abi| abi >= 6) && held["uid"].as_u64().is_some_and(|uid| uid >= 20_000), "{held}");
    assert!(held["seccomp"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{held}");
    assert!(attempt["usage"]["max_rss_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), "{attempt}");
    assert_eq!(person.evidence(&run, "judge").await["isolation"]["level"], "L2");
}
