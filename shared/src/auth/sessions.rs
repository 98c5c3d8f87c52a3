//! Whether a session is still open at Supabase Auth: a token is valid until it expires, also when its person has signed out, was banned or
//! deleted. Asked for before something is changed; reads trust the token.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::StatusCode;

use super::api_key::fingerprint;
use crate::cache::TtlCache;
use crate::net;
use crate::settings::Supabase;

/// How long an answer counts: someone who signed out can change something that long.
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
    pub fn drop_known(&self, token: &str) {
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::Sessions;
    use crate::settings::Supabase;

    fn of(url: String) -> Sessions {
        let (anon_key, service_role_key) = ("anon".to_owned(), "service".to_owned());
        Sessions::new(&Supabase { rest_url: url.clone(), url, anon_key, service_role_key, db_url: None })
    }

    /// An Auth that returns the status that is the token.
    async fn auth() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut text = vec![0; 4096];
                let length = socket.read(&mut text).await.unwrap_or(0);
                let asked = String::from_utf8_lossy(&text[..length]).into_owned();
                let status = asked.split("Bearer ").nth(1).and_then(|rest| rest.get(..3)).unwrap_or("500").to_owned();
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                drop(socket.write_all(answer.as_bytes()).await);
            }
        });
        url
    }

    #[tokio::test]
    async fn a_session_is_open_until_auth_says_that_it_is_not() {
        let sessions = of(auth().await);
        assert!(sessions.is_open("200").await.expect("an answer"));
        for ended in ["401", "403", "404"] {
            assert!(!sessions.is_open(ended).await.expect("an answer"), "{ended}");
        }
    }

    #[tokio::test]
    async fn an_auth_that_does_not_say_is_no_answer_and_is_asked_again() {
        let sessions = of(auth().await);
        for status in ["500", "429"] {
            assert!(sessions.is_open(status).await.is_err(), "{status}");
            assert!(sessions.open.peek(&super::fingerprint(status)).is_none(), "{status}");
        }
        assert!(of("http://127.0.0.1:9".to_owned()).is_open("200").await.is_err(), "nor is one that is not there");
    }
}
