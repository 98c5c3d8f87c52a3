//! Whether a session is still open at Supabase Auth: a token is valid until it expires, also when its person has signed out, was banned or
//! deleted. Asked for before something is changed; reads trust the token.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::StatusCode;

use super::api_key::fingerprint;
use crate::cache::TtlCache;
use crate::net;
use crate::settings::Supabase;

/// How long an answer counts, as with API keys: someone who signed out can change something that long.
const TTL: Duration = Duration::from_secs(30);
const DEADLINE: Duration = Duration::from_secs(5);

/// Auth does not say whether a session is open.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    #[error(transparent)]
    NoResponse(#[from] reqwest::Error),
    #[error("Supabase Auth returned {0}")]
    Status(StatusCode),
}

/// The sessions of one project.
pub struct Sessions {
    /// Created with the first question: health checks ask none.
    client: LazyLock<reqwest::Client>,
    url: String,
    api_key: String,
    /// By the fingerprint of the token.
    open: TtlCache<String, bool>,
}

impl Sessions {
    pub fn new(supabase: &Supabase) -> Self {
        Self {
            client: LazyLock::new(net::client),
            url: format!("{}/auth/v1/user", supabase.url),
            api_key: supabase.anon_key.clone(),
            open: TtlCache::new(TTL),
        }
    }

    /// Whether the session of this token is open, as Auth said at most 30 s ago.
    pub async fn is_open(&self, token: &str) -> Result<bool, Unknown> {
        self.open.get_or_load(fingerprint(token), async || self.ask(token).await).await.map(|is_open| *is_open)
    }

    /// Asks again the next time: it has just ended here.
    pub fn forget(&self, token: &str) {
        self.open.invalidate(&fingerprint(token));
    }

    async fn ask(&self, token: &str) -> Result<bool, Unknown> {
        let request = self.client.get(&self.url).header("apikey", &self.api_key).bearer_auth(token).timeout(DEADLINE);
        match request.send().await.map_err(reqwest::Error::without_url)?.status() {
            status if status.is_success() => Ok(true),
            // It has ended, its person is banned or gone, or the project has other keys by now.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(false),
            status => Err(Unknown::Status(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sessions;
    use crate::settings::Supabase;

    #[tokio::test]
    async fn an_auth_that_does_not_respond_says_neither() {
        let url = "http://127.0.0.1:9".to_owned();
        let supabase =
            Supabase { rest_url: url.clone(), url, anon_key: "anon".to_owned(), service_role_key: "service".to_owned(), db_url: None };
        let sessions = Sessions::new(&supabase);
        assert!(sessions.is_open("a token").await.is_err());
        assert!(sessions.open.peek(&super::fingerprint("a token")).is_none(), "and the next request asks again");
    }
}
