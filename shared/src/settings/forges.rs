use super::Reader;

/// Where pull requests are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forges {
    /// `GITHUB_API_URL`: GitHub's own when not set; `https://<host>/api/v3` of an Enterprise Server.
    pub github: String,
    /// `BITBUCKET_API_URL`: Bitbucket Cloud's own when not set.
    pub bitbucket: String,
}

impl Reader {
    pub(super) fn forges(&mut self) -> Forges {
        Forges {
            github: self.url("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned()),
            bitbucket: self.url("BITBUCKET_API_URL").unwrap_or_else(|| "https://api.bitbucket.org/2.0".to_owned()),
        }
    }
}
