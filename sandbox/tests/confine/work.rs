//! Programs that do honest work.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use nofx_sandbox::launch::{Report, Tcp};
use nofx_shared::drivers::{Level, Namespace, Network};

use crate::program::{LEVELS, Program, install};

fn all(argv: &[&str]) -> Vec<String> {
    LEVELS.into_iter().map(|level| Program::new(level, argv).stdout().trim().to_owned()).collect()
}

#[test]
fn a_shell_has_pipes_files_and_jobs() {
    let script = "echo b > x && (echo a; cat x) | sort | tr -d '\\n'; sleep 0 & wait; cat /dev/null; head -c 1 /dev/urandom > /dev/null; mktemp > /dev/null && echo ok";
    assert_eq!(all(&["sh", "-c", script]), ["abok"; 3]);
    assert_eq!(all(&["bash", "-c", "cat <(echo a) > /dev/stderr 2>/dev/stdout; echo $((1 + 1))"]), ["2"; 3]);
}

#[test]
fn at_l3_the_scratch_folder_is_also_where_programs_expect_temporary_files() {
    let program = Program::new(Level::L3, &["sh", "-c", "echo x > /tmp/file"]);
    program.stdout();
    assert!(program.spec.scratch.join("file").exists());
}

#[test]
fn git_commits() {
    let script =
        "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --format=%s && git status --short";
    assert_eq!(all(&["sh", "-c", script]), ["x"; 3]);
}

#[test]
fn python_has_threads_and_subprocesses() {
    let source = "import subprocess, threading, concurrent.futures as f\n\
                  run = lambda n: subprocess.run(['echo', str(n)], capture_output=True, text=True, check=True).stdout.strip()\n\
                  print(''.join(f.ThreadPoolExecutor(8).map(run, range(8))))";
    assert_eq!(all(&["python3", "-c", source]), ["01234567"; 3]);
}

#[test]
fn python_has_processes_that_share_memory_where_that_ends_with_them() {
    let source = "import multiprocessing as m\nif __name__ == '__main__':\n    with m.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))";
    assert_eq!(Program::new(Level::L3, &["python3", "-c", source]).stdout().trim(), "3");
}

#[test]
fn node_has_workers_children_and_files() {
    let source = "const {Worker} = require('worker_threads'); const {execSync} = require('child_process');\
                  require('fs').writeFileSync('f', 'x');\
                  new Worker(\"require('worker_threads').parentPort.postMessage(1)\", {eval: true})\
                  .on('message', (m) => console.log(m + execSync('echo 2').toString().trim() + require('fs').readFileSync('f')))";
    assert_eq!(all(&["node", "-e", source]), ["12x"; 3]);
}

#[test]
fn a_program_of_a_toolchain_runs() {
    for level in LEVELS {
        let mut program = Program::new(level, &["cargo", "--version"]);
        let cargo = program.tools().join("cargo");
        install(env!("CARGO").as_ref(), &cargo, "755");
        program.spec.argv[0] = cargo.to_str().expect("text").to_owned();
        assert!(program.stdout().starts_with("cargo "), "{level}");
    }
}

#[test]
fn a_toolchain_that_is_hidden_is_neither_read_nor_run_whatever_leads_there() {
    for level in [Level::L2, Level::L3] {
        let mut program = Program::new(level, &["bash", "-c", ""]);
        let tools = program.tools().canonicalize().expect("a path");
        for name in ["rust", "node"] {
            std::fs::create_dir(tools.join(name)).expect("a folder");
            install("/bin/echo".as_ref(), &tools.join(name).join("run"), "755");
        }
        std::os::unix::fs::symlink(tools.join("node/run"), tools.join("link")).expect("a link");
        // One below a folder of its own, and one of the system, which is also at `/bin` on many.
        let system = std::path::Path::new("/usr/bin/env").canonicalize().expect("a path");
        program.spec.hidden = vec![tools.join("node"), system];
        program.spec.toolchains = Some(vec!["rust".to_owned().try_into().expect("a name")]);
        let script = format!(
            "{0}/rust/run seen; ls {0} | tr '\\n' ' '; for one in {0}/node/run {0}/link /usr/bin/env /bin/env; do \
             $one ran 2>/dev/null; cat $one > /dev/null 2>&1 && echo read $one; done; ls /usr/bin/ls /usr/lib > /dev/null && echo done",
            tools.display()
        );
        program.spec.argv[2] = script;
        assert_eq!(program.stdout(), "seen\nlink node rust done\n", "{level}");
        assert_eq!(program.enforced().toolchains.map(|named| named.len()), Some(1), "{level}");
    }
    let mut weaker = Program::new(Level::L1, &["true"]);
    weaker.spec.toolchains = Some(vec![]);
    assert_eq!(weaker.enforced().toolchains, None, "nothing is claimed that does not hold");
}

#[test]
fn a_program_talks_with_the_proxy() {
    for level in LEVELS {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serve = |mut stream: TcpStream| {
            let mut begin = [0; 3];
            stream.read_exact(&mut begin).expect("a request");
            assert_eq!(&begin, b"GET");
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello").expect("an answer");
        };
        let source = "import sys, urllib.request as r; print(r.urlopen('http://example.invalid/').read().decode(), repr(sys.stdin.read()))";
        let mut program = Program::new(level, &["python3", "-c", source]);
        program.spec.env.insert("http_proxy".to_owned(), format!("http://127.0.0.1:{port}"));
        let (output, report) = program.run_with_proxy(listener, serve);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "hello ''", "{level}: {output:?} {report:?}");
        let Report::Enforced(enforced) = report else { panic!("{report:?}") };
        assert_eq!(enforced.network, (level >= Level::L2).then_some(Network::Proxy), "{level}");
        assert_eq!(enforced.namespaces.contains(&Namespace::Network), level == Level::L3, "{level}");
    }
}

#[test]
fn at_l3_a_program_talks_with_its_own_servers() {
    let source = "import socket, threading\n\
                  s = socket.create_server(('127.0.0.1', 0))\n\
                  def serve():\n\
                  \x20   c, _ = s.accept(); c.sendall(c.recv(9)); c.close()\n\
                  threading.Thread(target=serve).start()\n\
                  c = socket.create_connection(s.getsockname(), 5); c.sendall(b'own'); print(c.recv(9).decode())\n\
                  socket.create_server(('127.0.0.1', 5432)); print('and any port')";
    let program = Program::new(Level::L3, &["python3", "-I", "-c", source]);
    assert_eq!(program.stdout(), "own\nand any port\n");
    assert_eq!(program.enforced().network, Some(Network::None));
    let mut proxied = Program::new(Level::L3, &["python3", "-I", "-c", source]);
    let (output, report) = proxied.run_with_proxy(TcpListener::bind("127.0.0.1:0").expect("a port"), drop);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "own\nand any port\n", "{output:?} {report:?}");
}

#[test]
fn a_way_to_the_proxy_that_cannot_be_handed_out_is_no_way() {
    let mut program = Program::new(Level::L3, &["true"]);
    program.spec.tcp = Tcp::Proxy(4000);
    assert!(program.refusal().contains("send the listener"), "its input is no socket");
}

#[test]
fn name_servers_are_asked_by_tcp() {
    for level in LEVELS {
        let mut program = Program::new(level, &["sh", "-c", "echo $RES_OPTIONS"]);
        assert_eq!(program.stdout().trim(), "", "{level}");
        program.spec.tcp = Tcp::Ports(vec![53, 443]);
        assert_eq!(program.stdout().trim(), "use-vc", "{level}");
        program.spec.env.insert("RES_OPTIONS".to_owned(), "use-vc timeout:1".to_owned());
        assert_eq!(program.stdout().trim(), "use-vc timeout:1", "{level}");
    }
}
