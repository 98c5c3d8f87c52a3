use nofx_tests::Tenant;
use nofx_tests::browser::{Browser, Look};
use nofx_tests::plans::{bash, step, until};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_submitted_watched_approved_from_the_keyboard_and_succeeds() {
    let tenant = Tenant::new().await;
    let author = Browser::of(&tenant.contributor(), Look::Light).await;
    author.visit("/ui/runs/new?example=hello").await;
    author.text("#check h2", "Valid plan").await;
    let folder = tempfile::tempdir().expect("a folder");
    let built = folder.path().join("built");
    let plan = json!({"goal": "ship it", "steps": [
        bash("build", &until(&built)),
        step("ask", "manual:deploy", &["build"], json!({"question": "Ship it?"})),
        step("ship", "bash", &["ask"], json!({"script": "echo shipped"}))]});
    let typed = |text: String| {
        author.driver.execute(
            "const box = document.querySelector('#plan'); box.value = arguments[0]; box.dispatchEvent(new Event('input', {bubbles: true}))",
            vec![json!(text)],
        )
    };
    typed(plan.to_string().replace("\"build\",\"tool\":\"bash\"", "\"build\",\"tool\":\"slep\"")).await.expect("typed");
    author.text("#check .faults", "/steps/0/tool").await;
    author.text("#check .marked .fault", "slep").await;
    typed(plan.to_string()).await.expect("typed");
    author.text("#check h2", "3 steps").await;
    author.text("button.primary", "Submit").await.click().await.expect("clicked");

    // Once the run's page is there, it updates by itself and is not reloaded.
    author.find(".waterfall [data-step=build]").await;
    author.script("window.nofxSamePage = true").await;
    author.find(".waterfall [data-step=build][data-status=running]").await;
    std::fs::write(built, "").expect("written");
    author.find(".waterfall [data-step=build][data-status=succeeded]").await;
    author.find(".waterfall [data-step=ask][data-status=waiting]").await;
    author.text(".card", "Requires the supervisor role").await;
    author.title("◆ waiting · ship it").await;

    let supervisor = Browser::of(&tenant.supervisor(), Look::Light).await;
    supervisor.visit("/ui/runs?mine=1").await;
    supervisor.text(".runs .why", "waiting for approval at ask: Ship it?").await;
    supervisor.visit("/ui/approvals").await;
    supervisor.find(".card .decide").await;
    supervisor.press("a").await;
    supervisor.text(".notice", "Approved.").await;
    supervisor.text("h2", "No pending approvals").await;
    supervisor.visit("/ui/approvals?history=1").await;
    supervisor.text(".queue", "Ship it?").await;

    author.find(".waterfall [data-step=ship][data-status=succeeded]").await;
    author.text("h1 .badge", "succeeded").await;
    assert_eq!(author.script("return window.nofxSamePage === true").await, true, "the page was never loaded again");
    author.title("✓ succeeded · ship it").await;
    author.close().await;
    supervisor.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_says_why_leaves_its_evidence_and_is_retried_from_here() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let flag = std::env::temp_dir().join(format!("nofx-flag-{}", uuid::Uuid::now_v7().simple()));
    let script = format!("test -f {}", flag.display());
    let run = person
        .run(json!({"goal": "checks", "steps": [
            step("start", "noop", &[], json!({})),
            json!({"name": "unit", "tool": "gate:unit", "needs": ["start"], "inputs": {"command": "printf '1..2\\nok 1 - adds\\nnot ok 2 - divides\\n'; false"}, "on_failure": "skip"}),
            json!({"name": "flaky", "tool": "bash", "needs": ["start"], "retry": {"max_attempts": 1}, "inputs": {"script": script}})]}))
        .await;
    assert_eq!(run["status"], "failed", "{run}");
    let browser = Browser::of(&person, Look::Light).await;
    browser.visit("/ui/runs?status=failed").await;
    browser.text(".runs .why", "exited with code 1").await;
    browser.visit(&format!("/ui/runs/{}", run["id"].as_str().expect("an id"))).await;
    browser.text("dl.facts dt", "Programs").await;
    browser.text("dl.facts dd", "MiB at most").await;
    browser.picture("run-programs").await;
    browser.script("window.nofxSamePage = true").await;
    browser.text(".waterfall .row", "unit").await.click().await.expect("clicked");
    browser.text("#drawer h2", "unit").await;
    browser.text("#drawer h3", "Evidence").await;
    browser.find("#drawer .badge[data-status=fail], #drawer .badge[data-status=inconclusive]").await;

    browser.text(".waterfall .row", "flaky").await.click().await.expect("clicked");
    browser.text("#drawer h2", "flaky").await;
    browser.text("#drawer .why", "exited with code 1").await;
    browser.text(".tabs a", "Graph").await.click().await.expect("clicked");
    browser.find(".graph [data-step=flaky][aria-current]").await;
    assert_eq!(browser.script("return [window.nofxSamePage === true, location.search]").await, json!([true, "?view=graph&step=flaky"]));
    browser.driver.back().await.expect("back");
    browser.find(".waterfall [data-step=flaky][aria-current]").await;
    std::fs::write(&flag, "").expect("written");
    browser.text("#drawer button", "Retry from here").await.click().await.expect("clicked");
    browser.text(".notice", "Retrying the step").await;
    browser.find(".waterfall [data-step=flaky][data-status=succeeded]").await;
    let emitted = person.run_events(run["id"].as_str().expect("an id")).await;
    assert!(emitted.contains(&"run.retried".to_owned()), "{emitted:?}");
    std::fs::remove_file(&flag).expect("removed");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_while_its_step_runs() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let flag = std::env::temp_dir().join(format!("nofx-flag-{}", uuid::Uuid::now_v7().simple()));
    let flag = |name: &str| format!("{}-{name}", flag.display());
    let script = format!(
        "say() {{ for n in $(seq $1 $2); do printf '\\033[31mline %s\\033[0m\\n' $n; done; }}
        until_told() {{ until [ -e $1 ]; do sleep 0.1; done; }}
        say 1 2; until_told {}; say 3 5; until_told {}; say 6 9; until_told {}; say 10 12",
        flag("more"),
        flag("held"),
        flag("end")
    );
    let signal = |name: &str| std::fs::write(flag(name), "").expect("written");
    let run = person.submit(json!({"goal": "log", "steps": [step("talk", "bash", &[], json!({"script": script}))]})).await;
    let browser = Browser::of(&person, Look::Light).await;
    person.wait(&run, |run| run["steps"][0]["status"] == "running").await;
    browser.visit(&format!("/ui/runs/{run}?step=talk")).await;
    browser.text("pre.log[data-follow]", "line 2").await;
    let colour = browser.find("pre.log .c1").await.css_value("color").await.expect("a colour");
    assert!(colour.contains("255, 156, 148"), "ANSI red is our red: {colour}");
    signal("more");
    browser.text("pre.log[data-follow]", "line 5").await;

    // The next lines are slow on their way: they come when the page has been drawn anew and shows them already. Whoever reads them is
    // done when the browser turns to its next task.
    browser
        .script(
            "const fetched = window.fetch; window.fetch = async (...asked) => { const answer = await fetched(...asked); \
             if (String(asked[0]).includes('/log?') && await answer.clone().text()) \
             { document.body.dataset.held = ''; await new Promise((go) => window.nofxRelease = go); \
               const read = answer.text.bind(answer); \
               answer.text = async () => { const text = await read(); \
               setTimeout(() => document.body.dataset.handled = ''); return text; }; } \
             return answer; }",
        )
        .await;
    signal("held");
    browser.find("body[data-held]").await;
    signal("end");
    assert_eq!(person.end(&run).await["status"], "succeeded");
    browser.text("pre.log:not([data-follow])", "line 12").await;
    browser.script("window.nofxRelease()").await;
    browser.find("body[data-handled]").await;
    let lines = browser.script("return [...document.querySelectorAll('pre.log .line')].map((line) => line.textContent.trim())").await;
    let wanted: Vec<String> = (1..=12).map(|n| format!("line {n}")).collect();
    assert_eq!(lines, json!(wanted), "every line once");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plans_and_steps_say_is_shown_and_never_run() {
    let tenant = Tenant::new().await;
    let (person, supervisor) = (tenant.contributor(), tenant.supervisor());
    let evil = "<img src=x onerror=\"window.nofxOwned=1\"><script>window.nofxOwned=1</script>\u{1b}]0;x\u{7}'\"&";
    let script = format!(
        "cat <<'END'\n{evil}\n</pre><svg onload=window.nofxOwned=1>\nEND\nprintf '%s' '{{\"said\": \"<script>window.nofxOwned=1</script>\"}}' > \"$NOFX_OUTPUT\""
    );
    let gated = person
        .submit(json!({"goal": evil, "steps": [
        step("talk", "bash", &[], json!({"script": script})),
        json!({"name": "break", "tool": "bash", "needs": ["talk"], "on_failure": "skip", "retry": {"max_attempts": 1},
            "inputs": {"argv": ["bash", "-c", format!("echo {} >&2; exit 3", shell(evil))]}}),
        step("ask", "manual:x", &["talk"], json!({"question": evil}))]}))
        .await;
    person.wait(&gated, |run| run["steps"][2]["waits_for"] == "gate" && run["steps"][1]["status"] == "failed").await;
    let browser = Browser::of(&supervisor, Look::Light).await;
    for path in [
        "/ui/runs".to_owned(),
        "/ui/approvals".to_owned(),
        "/ui/events".to_owned(),
        "/ui/artifacts".to_owned(),
        "/ui/system".to_owned(),
        format!("/ui/runs?goal={}", "%3Cscript%3Ewindow.nofxOwned%3D1%3C/script%3E"),
        format!("/ui/runs/{gated}?step=talk"),
        format!("/ui/runs/{gated}?step=break"),
        format!("/ui/runs/{gated}?view=graph&step=%3Cscript%3E"),
        format!("/ui/runs/{gated}?view=events"),
        format!("/ui/runs/{gated}?view=plan"),
        format!("/ui/runs/new?from={gated}"),
    ] {
        // It is loaded when its images are, or have failed.
        browser.visit(&path).await;
        browser.find("main h1").await;
        assert_eq!(browser.script("return window.nofxOwned ?? null").await, json!(null), "{path}");
        assert_eq!(browser.script("return document.querySelectorAll('main img, main script, main svg[onload]').length").await, 0, "{path}");
    }
    browser.visit(&format!("/ui/runs/{gated}?step=talk")).await;
    browser.text("pre.log", "<script>window.nofxOwned=1</script>").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_renew_themselves_and_never_under_the_hands_of_whoever_selects() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let browser = Browser::of(&person, Look::Light).await;
    browser.visit("/ui/runs").await;
    browser.text("h2", "No runs yet").await;
    // A list that was requested before the selection, and arrives after it, would show the second run: lists are delayed from here
    // on, since one can be on its way by the time that the second run is there.
    browser
        .script(
            "const ask = window.fetch; window.fetch = async (...what) => { const answer = await ask(...what); \
             if ((await answer.clone().text()).includes('the second')) \
             { document.body.dataset.held = ''; await new Promise((go) => { window.nofxGo = go; }); window.fetch = ask; } \
             return answer; }",
        )
        .await;
    person.run(json!({"goal": "the first", "steps": [step("a", "noop", &[], json!({}))]})).await;
    browser.text(".runs", "the first").await;
    person.run(json!({"goal": "the second", "steps": [step("a", "noop", &[], json!({}))]})).await;
    browser.find("body[data-held]").await;
    browser.find(".runs input[name=run]").await.click().await.expect("clicked");
    browser.script("window.nofxGo()").await;
    // The next list looks at the selection, once a second: from here on it would be drawn, too.
    browser
        .script(
            "const look = Element.prototype.querySelector; Element.prototype.querySelector = function (what) { \
             if (what.includes(':checked')) document.body.dataset.spared = ''; return look.call(this, what); }",
        )
        .await;
    browser.find("body[data-spared]").await;
    assert_eq!(browser.script("return document.querySelector('.runs').textContent.includes('the second')").await, false);
    assert_eq!(
        browser.script("return document.querySelectorAll('.runs input[name=run]:checked').length").await,
        1,
        "what is selected stays"
    );
    browser.find(".runs input[name=run]").await.click().await.expect("clicked");
    browser.text(".runs", "the second").await;
    browser.visit("/ui/events").await;
    browser.text(".feed", "run.succeeded").await;
    browser.script("window.nofxSamePage = true").await;
    person.run(json!({"goal": "the third", "steps": [step("third step", "noop", &[], json!({}))]})).await;
    browser.text(".feed", "third step").await;
    assert_eq!(browser.script("return window.nofxSamePage === true").await, true, "the page was never loaded again");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_could_not_be_renewed_is_renewed_later_and_one_whose_run_goes_on_is_live_again() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let folder = tempfile::tempdir().expect("a folder");
    let (go, again) = (folder.path().join("go"), folder.path().join("again"));
    let script = format!("if [ -e {} ]; then {}; else {}; exit 3; fi", go.display(), until(&again), until(&go));
    let plan =
        json!({"goal": "flaky", "steps": [{"name": "flaky", "tool": "bash", "retry": {"max_attempts": 1}, "inputs": {"script": script}}]});
    let run = person.submit(plan).await;
    person.wait(&run, |run| run["steps"][0]["status"] == "running").await;
    let browser = Browser::of(&person, Look::Light).await;
    browser.visit(&format!("/ui/runs/{run}")).await;
    browser.find("[data-step=flaky][data-status=running]").await;
    browser
        .script(
            "const ask = window.fetch; window.nofxFails = true; window.fetch = async (...what) => { \
             if (!window.nofxFails || String(what[0]).includes('/log')) return ask(...what); \
             document.body.dataset.failed = ''; return new Response('', {status: 503}); }",
        )
        .await;
    std::fs::write(go, "").expect("written");
    assert_eq!(person.end(&run).await["status"], "failed");
    browser.find("body[data-failed]").await;
    browser.script("delete document.body.dataset.failed").await;
    // The page reconnects although nothing else happens.
    browser.find("body[data-failed]").await;
    browser.script("window.nofxFails = false").await;
    browser.text("h1 .badge", "failed").await;

    // A finished run has no stream; it is retried elsewhere, and opening a step shows that it continues.
    browser.visit(&format!("/ui/runs/{run}")).await;
    browser.text("h1 .badge", "failed").await;
    assert_eq!(person.post(&format!("/api/runs/{run}/retry"), json!({})).await.0, 200);
    person.wait(&run, |run| run["steps"][0]["status"] == "running").await;
    browser.find("#run a.row").await.click().await.expect("clicked");
    browser.text("h1 .badge", "running").await;
    std::fs::write(again, "").expect("written");
    browser.text("h1 .badge", "succeeded").await;
    browser.close().await;
}

fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
