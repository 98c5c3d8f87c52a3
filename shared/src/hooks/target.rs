//! The target of a hook, and the form in which it is stored: a URL and inputs may have tokens in them, so they are sealed.

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::crypto::{Keyring, UnsealError};

/// Most bytes of a URL.
const URL_BYTES: usize = 2000;
/// Most bytes of inputs, as JSON.
const INPUTS_BYTES: usize = 256 << 10;

/// The target of a hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum HookTarget {
    /// A URL, by Standard Webhooks.
    #[schema(title = "WebhookTarget")]
    Webhook { url: String },
    /// An incoming webhook of Slack.
    #[schema(title = "SlackTarget")]
    Slack { url: String },
    /// A run of one step of this tool; its inputs also get `event`.
    #[schema(title = "ToolTarget")]
    Tool {
        tool: String,
        #[serde(default)]
        #[schema(value_type = Object)]
        inputs: Map<String, Value>,
    },
    /// A function of schema `nofx_hooks`, which takes the body.
    #[schema(title = "FunctionTarget")]
    Function { name: String },
}

/// A target as the database has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum StoredTarget {
    /// `url` is sealed; `receiver` is its host and port.
    Webhook {
        url: String,
        receiver: String,
    },
    Slack {
        url: String,
        receiver: String,
    },
    /// `inputs` is sealed JSON.
    Tool {
        tool: String,
        inputs: String,
    },
    Function {
        name: String,
    },
}

impl HookTarget {
    /// The form in which it is stored, or what is wrong with it.
    pub fn seal(&self, keys: &Keyring, tenant: Uuid, hook: &str) -> Result<StoredTarget, &'static str> {
        let about = about(tenant, hook);
        Ok(match self {
            Self::Webhook { url } => StoredTarget::Webhook { receiver: receiver(url)?, url: keys.seal_text(url, &about) },
            Self::Slack { url } => StoredTarget::Slack { receiver: receiver(url)?, url: keys.seal_text(url, &about) },
            Self::Tool { tool, inputs } => {
                let inputs = Value::Object(inputs.clone()).to_string();
                if inputs.len() > INPUTS_BYTES {
                    return Err("inputs have at most 256 KiB");
                }
                StoredTarget::Tool { tool: tool.clone(), inputs: keys.seal_text(&inputs, &about) }
            }
            Self::Function { name } => StoredTarget::Function { name: name.clone() },
        })
    }
}

impl StoredTarget {
    pub fn open(self, keys: &Keyring, tenant: Uuid, hook: &str) -> Result<HookTarget, UnsealError> {
        let open = |sealed: &str| keys.open_text(sealed, &about(tenant, hook));
        Ok(match self {
            Self::Webhook { url, .. } => HookTarget::Webhook { url: open(&url)? },
            Self::Slack { url, .. } => HookTarget::Slack { url: open(&url)? },
            Self::Tool { tool, inputs } => {
                HookTarget::Tool { tool, inputs: serde_json::from_str(&open(&inputs)?).map_err(|_| UnsealError::Tampered)? }
            }
            Self::Function { name } => HookTarget::Function { name },
        })
    }
}

fn about(tenant: Uuid, hook: &str) -> String {
    format!("hook_target/{tenant}/{hook}")
}

/// Host and port of a URL: what a tenant sends there at once is limited.
fn receiver(url: &str) -> Result<String, &'static str> {
    let parsed = Url::parse(url).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https") && url.len() <= URL_BYTES);
    let parsed = parsed.ok_or("a URL begins with http:// or https:// and has at most 2,000 bytes")?;
    let (host, port) = (parsed.host_str().unwrap_or_default(), parsed.port_or_known_default().unwrap_or_default());
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::{HookTarget, StoredTarget, receiver};
    use crate::crypto::{Keyring, UnsealError};

    #[test]
    fn nothing_of_a_url_or_of_inputs_is_stored_in_plain_text() {
        let keys: Keyring = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().expect("keys");
        let tenant = Uuid::from_u128(1);
        for target in [
            json!({"kind": "webhook", "url": "https://me:pass@Hooks.example/token?key=value"}),
            json!({"kind": "slack", "url": "https://hooks.example:443/services/token"}),
            json!({"kind": "tool", "tool": "http", "inputs": {"headers": {"authorization": "token"}}}),
            json!({"kind": "function", "name": "decide"}),
        ] {
            let target: HookTarget = serde_json::from_value(target).expect("a target");
            let stored = target.seal(&keys, tenant, "h").expect("sealed");
            let text = serde_json::to_string(&stored).expect("JSON");
            assert!(!text.contains("token") && !text.contains("pass") && !text.contains("value"), "{text}");
            let read: StoredTarget = serde_json::from_str(&text).expect("as it was written");
            if !matches!(target, HookTarget::Function { .. }) {
                assert_eq!(read.clone().open(&keys, tenant, "other"), Err(UnsealError::Tampered));
                assert_eq!(read.clone().open(&keys, Uuid::nil(), "h"), Err(UnsealError::Tampered));
            }
            assert_eq!(read.open(&keys, tenant, "h"), Ok(target));
        }
        let huge =
            HookTarget::Tool { tool: "noop".to_owned(), inputs: [("a".to_owned(), json!("x".repeat(300_000)))].into_iter().collect() };
        assert!(huge.seal(&keys, tenant, "h").is_err());
    }

    #[test]
    fn a_receiver_is_host_and_port_however_the_url_is_written() {
        for url in ["https://hooks.example/1", "https://me@Hooks.example:443/2", "HTTPS://hooks.example?3"] {
            assert_eq!(receiver(url).as_deref(), Ok("hooks.example:443"), "{url}");
        }
        for url in ["", "file:///etc/passwd", "hooks.example", &format!("https://a.example/{}", "x".repeat(2000))] {
            assert!(receiver(url).is_err(), "{url}");
        }
    }
}
