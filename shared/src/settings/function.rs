use super::{Invalid, Models, Reader, Secrets};
use crate::crypto::FunctionKey;

/// Where a worker calls the function that executes steps.
#[derive(Clone, Debug)]
pub struct FunctionEndpoint {
    /// `NOFX_FUNCTION_URL`: the deployment's URL; default: `NOFX_URL`. `https`, or this machine.
    pub url: String,
    /// `NOFX_FUNCTION_KEY`: base64 of 32 bytes. Of two keys, the first signs.
    pub key: FunctionKey,
}

/// Settings of the function that executes steps, beside those of the API. They are a worker's.
#[derive(Clone)]
pub struct Function {
    pub secrets: Secrets,
    pub models: Models,
    /// `NOFX_ALLOW_PRIVATE_ADDRESSES`
    pub allow_private_addresses: bool,
}

/// Reads the settings of the function that executes steps.
pub fn function() -> Result<Function, Invalid> {
    let mut reader = Reader::default();
    let function = Function {
        secrets: reader.secrets(),
        models: reader.models(),
        allow_private_addresses: reader.parsed("NOFX_ALLOW_PRIVATE_ADDRESSES", false),
    };
    reader.finish(function)
}

impl Reader {
    /// `NOFX_FUNCTION_KEY`: one key, or two separated by a comma while one replaces the other.
    pub(super) fn function_keys(&mut self) -> Vec<FunctionKey> {
        let texts = self.list("NOFX_FUNCTION_KEY");
        let mut read = |text: String| text.parse().inspect_err(|why| self.problems.push(format!("NOFX_FUNCTION_KEY: {why}"))).ok();
        texts.into_iter().filter_map(&mut read).collect()
    }

    /// None without a key or without a URL: then the driver is not offered.
    pub(super) fn function_endpoint(&mut self) -> Option<FunctionEndpoint> {
        let key = self.function_keys().into_iter().next()?;
        let url = self.url("NOFX_FUNCTION_URL").or_else(|| self.url("NOFX_URL"))?;
        if !is_protected(&url) {
            self.problems.push(format!("NOFX_FUNCTION_URL: `{url}` must be https: calls carry the inputs of steps"));
        }
        Some(FunctionEndpoint { url, key })
    }
}

/// Whether what is sent there can be read by nobody on the way.
fn is_protected(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    url.scheme() == "https" || host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn steps_inputs_are_not_sent_in_the_clear() {
        for url in ["https://nofx.example.com", "http://127.0.0.1:8787", "http://localhost", "http://[::1]:1"] {
            assert!(is_protected(url), "{url}");
        }
        for url in ["http://nofx.example.com", "http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1.example.com", "x"] {
            assert!(!is_protected(url), "{url}");
        }
    }
}
