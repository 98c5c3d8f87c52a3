//! A workspace goes to where a program runs, and what the program changed comes back: made by a step here, changed by a step of the driver,
//! seen by a step here.

use nofx_tests::people::step;
use serde_json::json;

use super::stack::{Driver, LOCAL, Stack, bash};

const MAKE: &str = "mkdir -p 'ordner ä/deep/er' empty 日本 gone/with/all turned
    echo one > 'ordner ä/deep/er/datei \u{1f980}.txt'; echo same > same; echo old > old; echo x > gone/with/all/x
    printf '#!/bin/sh\\necho ran\\n' > run.sh; chmod 750 run.sh; chmod 600 old
    ln -s 'ordner ä/deep' link; ln -s nowhere dangling; ln -s /etc/hostname absolute
    head -c 100000 /dev/urandom > binary; sha256sum binary > binary.sum; : > $'line\\nend'; echo y > turned/into
    mkdir ro; echo r > ro/file; chmod 555 ro; touch -d 2001-02-03T04:05:06Z same";

const CHANGE: &str = "./run.sh; cat link/er/*; sha256sum --check --quiet binary.sum; cat same
    test -d empty && test -d 日本 && test ! -e dangling && test \"$(readlink dangling)\" = nowhere && test \"$(readlink absolute)\" = /etc/hostname
    test -e $'line\\nend' && test $(stat -c %a run.sh) = 750 && test $(stat -c %a ro) = 555 && test $(stat -c %Y same) = 981173106
    rm -r gone $'line\\nend' turned; echo file > turned; rm old; mkdir old; echo in > old/in; chmod 700 run.sh
    mkdir 'neu ö'; mkdir 'neu ö/leer'; echo zwei > 'neu ö/-rf \\ \"x\"'; ln -s ../run.sh 'neu ö/zu'; ln binary hard
    rm link; mkdir link; echo l > link/l; printf '\\377\\000' > raw; chmod 604 raw; mkdir -p .hidden; echo g > .hidden/x; echo done";

const SEE: &str = "export LC_ALL=C; find . -mindepth 1 ! -name binary -printf '%y %m %P %l\\n' | sort; cat turned old/in link/l same 'neu ö/'-*; cmp binary hard
    sha256sum --check --quiet binary.sum; od -An -tx1 raw; test $(stat -c %Y same) = 981173106";

pub(super) async fn come_back(stack: &Stack, driver: Driver) {
    // As a step here changes it, any other must.
    let (seen, here) = tokio::join!(after(stack, driver), after(stack, LOCAL));
    assert!(here.contains("d 555 ro \n") && here.contains("f 604 raw \n") && here.contains("zwei\n") && !here.contains("gone"), "{here}");
    assert_eq!(seen, here, "{} leaves the workspace otherwise", driver.name);
}

async fn after(stack: &Stack, driver: Driver) -> String {
    let named = |name: &str, driver: Driver, script: &str| {
        let mut step = bash(driver, script, &json!({"name": name, "retry": {"max_attempts": 1}}));
        if name != "make" {
            step["needs"] = json!([if name == "change" { "make" } else { "change" }]);
        }
        step
    };
    let steps = [named("make", LOCAL, MAKE), named("change", driver, CHANGE), named("see", LOCAL, SEE)];
    let run = stack.own.run(&json!({"goal": "files", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{}: {run}", driver.name);
    assert_eq!(step(&run, "change")["outputs"]["stdout"], "ran\none\nsame\ndone\n", "{}", driver.name);
    step(&run, "see")["outputs"]["stdout"].as_str().expect("text").to_owned()
}
