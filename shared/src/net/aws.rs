//! AWS' SDK with the TLS provider that everything else uses.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::settings::{Aws, AwsKeys};

/// The configuration of AWS clients. Credentials are fetched with the first call.
pub async fn aws(settings: &Aws) -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(settings.region.clone())).http_client(http);
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(keys) = &settings.keys {
        loader = loader.credentials_provider(credentials(keys));
    }
    loader.load().await
}

/// Keys of the settings, as the SDK takes them.
pub(crate) fn credentials(keys: &AwsKeys) -> Credentials {
    Credentials::new(&keys.id, &keys.secret, keys.session.clone(), None, "settings")
}
