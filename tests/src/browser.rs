//! A real Chromium, driven by chromedriver; a session is a browser of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{Cookie, SameSite};
use tokio::sync::Semaphore;

use crate::stack::{STACK, root, target};
use crate::{Person, WAIT_LIMIT};

/// Colours, width, scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Light,
    Dark,
    /// Light, as wide as a phone.
    Phone,
    /// Light, and no script runs.
    Scriptless,
}

pub struct Browser {
    pub driver: WebDriver,
    process: tokio::process::Child,
    _profile: tempfile::TempDir,
    _turn: tokio::sync::SemaphorePermit<'static>,
}

/// Browsers at once: each has several processes.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

impl Browser {
    pub async fn open(look: Look) -> Self {
        nofx_shared::net::provide_tls();
        let turn = TURNS.acquire().await.expect("never closed");
        let port = nofx_local::free_port().expect("a port");
        let process = tokio::process::Command::new("chromedriver")
            .args([format!("--port={port}"), "--log-level=SEVERE".to_owned()])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts: scripts/bootstrap-dev.sh --tests installs it");
        let profile = tempfile::tempdir().expect("a folder");
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(root().join("tests/browser/headless.sh").to_str().expect("text")).expect("a program");
        let size = if look == Look::Phone { "--window-size=390,844" } else { "--window-size=1400,1000" };
        let folder = format!("--user-data-dir={}", profile.path().display());
        let flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            size,
            &folder,
        ];
        for flag in flags {
            capabilities.add_arg(flag).expect("a flag");
        }
        let begun = Instant::now();
        let driver = loop {
            match WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities.clone()).await {
                Ok(driver) => break driver,
                Err(error) => assert!(begun.elapsed() < WAIT_LIMIT, "no browser: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        // axe-core looks at a large page for long when the machine has much else to do.
        driver.set_script_timeout(WAIT_LIMIT).await.expect("a time");
        let browser = Self { driver, process, _profile: profile, _turn: turn };
        let scheme = if look == Look::Dark { "dark" } else { "light" };
        let media =
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]});
        browser.send_command("Emulation.setEmulatedMedia", media).await;
        if look == Look::Scriptless {
            browser.send_command("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        }
        if look == Look::Phone {
            // Headless windows have a least width: the page is given a smaller one.
            let phone = json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": false});
            browser.send_command("Emulation.setDeviceMetricsOverride", phone).await;
        }
        browser
    }

    async fn send_command(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.expect("Chromium does it");
    }

    /// A browser in which the person is signed in.
    pub async fn of(person: &Person, look: Look) -> Self {
        let browser = Self::open(look).await;
        browser.sign_in_as(person).await;
        browser
    }

    pub async fn sign_in_as(&self, person: &Person) {
        self.visit("/ui/sign-in").await;
        let mut cookie = Cookie::new("nofx_session", person.token.clone());
        cookie.set_path("/");
        cookie.set_same_site(SameSite::Lax);
        self.driver.add_cookie(cookie).await.expect("a session");
    }

    pub async fn visit(&self, path: &str) {
        self.driver.goto(format!("{}{path}", STACK.get("api_url"))).await.expect("the page loads");
    }

    /// The element, once it is there.
    pub async fn find(&self, css: &str) -> WebElement {
        self.wait(css, async || self.driver.find(By::Css(css)).await.ok()).await
    }

    /// The first element with this text in it, once it is there.
    pub async fn text(&self, css: &str, text: &str) -> WebElement {
        self.wait(&format!("{css} with `{text}`"), async || {
            for element in self.driver.find_all(By::Css(css)).await.unwrap_or_default() {
                if element.text().await.unwrap_or_default().contains(text) {
                    return Some(element);
                }
            }
            None
        })
        .await
    }

    /// Waits until the tab says this.
    pub async fn title(&self, start: &str) {
        let begun = Instant::now();
        loop {
            let title = self.driver.title().await.unwrap_or_default();
            if title.starts_with(start) {
                return;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "the tab says `{title}` and not `{start}`");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn wait(&self, what: &str, found: impl AsyncFn() -> Option<WebElement>) -> WebElement {
        let begun = Instant::now();
        loop {
            if let Some(element) = found().await {
                return element;
            }
            if begun.elapsed() > WAIT_LIMIT {
                let page = self.driver.source().await.unwrap_or_default();
                let url = self.driver.current_url().await.map(|url| url.to_string()).unwrap_or_default();
                panic!("{url} has no {what}: {page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn script(&self, text: &str) -> Value {
        self.driver.execute(text, vec![]).await.expect("the script runs").json().clone()
    }

    pub async fn press(&self, keys: impl AsRef<str>) {
        self.driver.action_chain().send_keys(keys.as_ref()).perform().await.expect("keys are pressed");
    }

    /// Writes the page, with what lies below the window, to `target/screenshots`.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let folder = target().join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{name}.png"));
        let tools = self.driver.cdp();
        let size = tools.send_raw("Page.getLayoutMetrics", json!({})).await.expect("the page's size")["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let taken = tools.send_raw("Page.captureScreenshot", wanted).await.expect("a picture");
        let png = base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().expect("text")).expect("base64");
        std::fs::write(&path, png).expect("written");
        path
    }

    /// The findings of axe-core in the page.
    pub async fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(root().join("node_modules/axe-core/axe.min.js")).expect("axe-core is installed");
        self.driver.execute(&axe, vec![]).await.expect("axe loads");
        let run = "const done = arguments[arguments.length - 1]; \
            axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(done, (error) => done({violations: [{id: String(error), nodes: []}]}))";
        let found = self.driver.execute_async(run, vec![]).await.expect("axe runs").json().clone();
        let found = found["violations"].as_array().cloned().unwrap_or_default();
        found
            .iter()
            .map(|one| {
                format!(
                    "{}: {}",
                    one["id"],
                    one["nodes"].as_array().map_or(String::new(), |nodes| nodes
                        .iter()
                        .map(|node| format!("{} {}", node["html"], node["failureSummary"]))
                        .collect::<Vec<_>>()
                        .join("\n   "))
                )
            })
            .collect()
    }

    pub async fn close(mut self) {
        drop(self.driver.clone().quit().await);
        drop(self.process.kill().await);
    }
}

/// A page as it goes over the wire.
pub struct Weighed {
    pub status: u16,
    pub bytes: usize,
    pub encoding: String,
    pub policy: String,
}

pub async fn weigh(path: &str, person: &Person) -> Weighed {
    nofx_shared::net::provide_tls();
    // One that leaves bodies as they come.
    let client = reqwest::Client::builder().no_gzip().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let request = client.get(format!("{}{path}", STACK.get("api_url"))).bearer_auth(&person.token).header("accept-encoding", "gzip");
    let answer = request.send().await.expect("an answer");
    let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (encoding, policy, status) = (text("content-encoding"), text("content-security-policy"), answer.status().as_u16());
    Weighed { status, encoding, policy, bytes: answer.bytes().await.expect("a body").len() }
}
