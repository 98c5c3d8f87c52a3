use super::Reader;

/// Vercel Edge Config: `EDGE_CONFIG`, its connection string (`https://edge-config.vercel.com/ecfg_…?token=…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfig {
    /// Where items are read, without a slash at its end.
    pub url: String,
    /// `ecfg_…`
    pub id: String,
    pub read_token: String,
    /// What writes need; without it nothing is published from here.
    pub writer: Option<EdgeConfigWriter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfigWriter {
    /// `VERCEL_API_URL`, default: Vercel's own.
    pub url: String,
    /// `VERCEL_API_TOKEN`
    pub token: String,
    /// `VERCEL_TEAM_ID`, when a team owns it.
    pub team: Option<String>,
}

impl Reader {
    pub(super) fn edge_config(&mut self) -> Option<EdgeConfig> {
        let text = self.text("EDGE_CONFIG")?;
        let writer = self.text("VERCEL_API_TOKEN").map(|token| EdgeConfigWriter {
            url: self.url("VERCEL_API_URL").unwrap_or_else(|| "https://api.vercel.com".to_owned()),
            token,
            team: self.text("VERCEL_TEAM_ID"),
        });
        let edge = parse(&text, writer);
        if edge.is_none() {
            self.problems.push("EDGE_CONFIG: set the connection string, https://edge-config.vercel.com/ecfg_…?token=…".to_owned());
        }
        edge
    }
}

fn parse(text: &str, writer: Option<EdgeConfigWriter>) -> Option<EdgeConfig> {
    let mut url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let read_token = url.query_pairs().find(|(key, _)| key == "token").map(|(_, token)| token.into_owned())?;
    let id = url.path_segments()?.next_back().filter(|id| id.starts_with("ecfg_"))?.to_owned();
    url.set_query(None);
    Some(EdgeConfig { url: url.to_string(), id, read_token, writer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_taken_apart() {
        let edge = parse("https://edge-config.vercel.com/ecfg_1?token=t-2", None).expect("it is one");
        assert_eq!(
            (edge.url.as_str(), edge.id.as_str(), edge.read_token.as_str()),
            ("https://edge-config.vercel.com/ecfg_1", "ecfg_1", "t-2")
        );
        for wrong in
            ["ecfg_1", "https://edge-config.vercel.com/ecfg_1", "https://edge-config.vercel.com/x?token=t", "ftp://h/ecfg_1?token=t"]
        {
            assert_eq!(parse(wrong, None), None, "{wrong}");
        }
    }
}
