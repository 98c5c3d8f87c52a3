//! The cache of dependencies: what one run downloaded another one of the tenant has, and nothing else.

use nofx_tests::package_index::PackageIndex;
use nofx_tests::people::step;
use nofx_tests::registries::{self, Proxy};
use nofx_tests::repository::path_with_tools;
use nofx_tests::{Person, Tenant};
use serde_json::{Value, json};

const PROJECT: &str = r#"mkdir -p src && echo > src/lib.rs
echo '{"name": "own", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}' > package.json
printf '[package]\nname = "own"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nitoa = "1"\n[workspace]\n' > Cargo.toml
"#;

/// The folders of the caches, in a home that may have none.
const CACHED: &str = "{ find ~/.npm/_cacache/content-v2 ~/.cargo/registry/cache -type f 2>/dev/null || true; } | sed 's/.*\\///' | sort";

fn bash(name: &str, needs: &[&str], env: &Value, script: &str) -> Value {
    json!({"name": name, "tool": "bash", "needs": needs, "env": env, "on_failure": "continue", "retry": {"max_attempts": 1},
        "inputs": {"script": script}})
}

fn printed<'a>(run: &'a Value, name: &str) -> &'a str {
    let done = step(run, name);
    assert_eq!(done["status"], "succeeded", "{name}: {done}");
    done["outputs"]["stdout"].as_str().unwrap_or_default()
}

/// Another run with the same lock files, which may not download anything.
async fn offline(person: &Person, lock: &str, env: &Value) -> Value {
    let write = format!(
        "{PROJECT}cat > lock <<'END'\n{lock}\nEND\nsed -n '/^{{/,/^}}/p' lock > package-lock.json\nsed -n '/^# This/,$p' lock > Cargo.lock"
    );
    let mut npm = bash("npm", &["write"], env, "npm ci --offline --no-audit --no-fund && node -e 'console.log(require(\"is-number\")(5))'");
    npm["resources"] = json!({"network": "none"});
    let list = bash("list", &["write"], env, CACHED);
    // The index is not cached: cargo asks it, and downloads no crate.
    let cargo = bash("cargo", &["write"], env, &format!("{}cargo fetch --locked 2>&1", registries::home()));
    person.run(json!({"goal": "the same again", "steps": [bash("write", &[], env, &write), npm, list, cargo]})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_that_a_run_downloaded_are_there_for_its_tenant_and_as_their_lock_files_name_them() {
    let proxy = Proxy::start().await;
    let env = Value::Object(registries::environment(&proxy));
    let (tenant, neighbour) = (Tenant::new().await, Tenant::new().await);
    let person = tenant.contributor();
    let lock = format!(
        "{}{PROJECT}npm install --package-lock-only --omit-lockfile-registry-resolved=false --no-audit --no-fund >&2\ncargo generate-lockfile >&2\n\
         cat package-lock.json; echo; cat Cargo.lock",
        registries::home()
    );
    // Other bytes at the places where the tools would take them from.
    let plant = r#"hex=$(node -p 'Buffer.from(require("./package-lock.json").packages["node_modules/is-number"].integrity.slice(7), "base64").toString("hex")')
        file=~/.npm/_cacache/content-v2/sha512/${hex:0:2}/${hex:2:2}/${hex:4}; mkdir -p $(dirname $file); echo evil > $file
        file=~/.cargo/registry/cache/evil/itoa-$(grep -A1 '"itoa"' Cargo.lock | sed -n 's/version = "\(.*\)"/\1/p').crate; mkdir -p $(dirname $file); echo evil > $file; ls $file"#;
    let download = format!("{CACHED}; {}npm ci --no-audit --no-fund >&2; cargo fetch --locked 2>&1", registries::home());
    let broken = format!("{}cargo fetch --locked; exit 1", registries::home());
    let steps = [
        bash("lock", &[], &env, &lock),
        bash("plant", &["lock"], &env, plant),
        bash("broken", &["plant"], &env, &broken),
        bash("download", &["broken"], &env, &download),
    ];
    let first = person.run(json!({"goal": "download", "steps": steps})).await;
    assert!(printed(&first, "plant").contains("itoa-"), "{first}");
    let downloaded = printed(&first, "download");
    let is_fresh = downloaded.contains("Downloaded itoa") && !downloaded.contains(".crate");
    assert!(is_fresh, "nothing was there of what was planted, or downloaded by a step that failed: {downloaded}");

    let lock = printed(&first, "lock");
    let again = offline(&person, lock, &env).await;
    assert!(printed(&again, "npm").ends_with("true\n"), "{again}");
    assert!(printed(&again, "list").contains("itoa-") && !printed(&again, "cargo").contains("Downloaded"), "{again}");

    let theirs = offline(&neighbour.contributor(), lock, &env).await;
    assert_eq!(
        (printed(&theirs, "list"), step(&theirs, "npm")["status"].as_str()),
        ("", Some("failed")),
        "tenants share nothing: {theirs}"
    );
    assert!(printed(&theirs, "cargo").contains("Downloaded itoa"), "{theirs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wheel_that_a_run_downloaded_pip_finds_in_the_home_of_the_next_one() {
    let index = PackageIndex::start().await;
    let (tenant, neighbour) = (Tenant::new().await, Tenant::new().await);
    let env = json!({"PATH": path_with_tools()});
    let install = |name: &str, level: &str| {
        let script = format!(
            "python3 -m pip --disable-pip-version-check install --quiet --no-deps --target {name} --index-url {} --trusted-host 127.0.0.1 \
             -r requirements.txt >&2\nPYTHONPATH={name} python3 -c 'import own_lib; print(own_lib.x)'",
            index.url
        );
        let mut step = bash(name, &["write"], &env, &script);
        step["min_isolation"] = json!(level);
        step
    };
    let plan = |steps: &[Value]| {
        let write = bash("write", &[], &env, &format!("echo '{}' > requirements.txt", index.requirement));
        let steps: Vec<&Value> = std::iter::once(&write).chain(steps).collect();
        json!({"goal": "install", "steps": steps})
    };
    let first = tenant.contributor().run(plan(&[install("first", "L2")])).await;
    assert_eq!((printed(&first, "first"), index.downloads()), ("42\n", 1), "{first}");
    let again = tenant.contributor().run(plan(&[install("two", "L2"), install("three", "L3")])).await;
    assert_eq!((printed(&again, "two"), printed(&again, "three"), index.downloads()), ("42\n", "42\n", 1), "{again}");
    let theirs = neighbour.contributor().run(plan(&[install("first", "L2")])).await;
    assert_eq!((printed(&theirs, "first"), index.downloads()), ("42\n", 2), "tenants share nothing: {theirs}");
}
