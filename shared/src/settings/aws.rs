use super::Reader;

/// Where AWS is, and as whom to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// `AWS_REGION`
    pub region: String,
    /// `AWS_ENDPOINT_URL`: an emulator or a VPC endpoint instead of AWS's own.
    pub endpoint: Option<String>,
    /// A worker without keys uses the role of its task or machine; the API needs keys.
    pub keys: Option<AwsKeys>,
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for keys that were lent, `AWS_SESSION_TOKEN`.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    pub id: String,
    pub secret: String,
    pub session: Option<String>,
}

impl std::fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsKeys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn aws(&mut self) -> Aws {
        let keys = self.text("AWS_ACCESS_KEY_ID").map(|id| AwsKeys {
            id,
            secret: self.required("AWS_SECRET_ACCESS_KEY"),
            session: self.text("AWS_SESSION_TOKEN"),
        });
        Aws { region: self.required("AWS_REGION"), endpoint: self.url("AWS_ENDPOINT_URL"), keys }
    }
}
