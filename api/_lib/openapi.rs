//! The API's description: made from the routers, checked in, and served as it is checked in, so that serving it needs no router.

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

/// `docs/interface/openapi.json`; a test compares it with `document`.
pub(crate) const CHECKED_IN: &str = include_str!("../../docs/interface/openapi.json");

#[derive(OpenApi)]
#[openapi(info(title = "NOFX", description = "Submit plans, watch runs, decide gates."))]
struct Base;

/// OpenAPI 3.1 of every route.
pub fn document() -> utoipa::openapi::OpenApi {
    let all = crate::routers().into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge);
    let api: OpenApiRouter<crate::App> = OpenApiRouter::with_openapi(Base::openapi()).nest("/api", all);
    let mut document = api.into_openapi();
    let bearer =
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("Supabase JWT or nofx_ API key").build());
    let cron = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("CRON_SECRET")).build());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", bearer);
    let internal_key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Internal-Api-Key")));
    components.add_security_scheme("internal_key", internal_key);
    let github = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Hub-Signature-256")));
    components.add_security_scheme("github", github);
    components.add_security_scheme("cron", cron);
    document
}

#[cfg(test)]
mod tests {
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a flag accepts the interface as it is")]
    fn the_description_is_what_the_routers_say() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interface/openapi.json");
        let now = serde_json::to_string_pretty(&serde_json::to_value(super::document()).expect("JSON")).expect("JSON") + "\n";
        if std::env::var_os("NOFX_UPDATE").is_some() {
            std::fs::write(&path, &now).expect("written");
        }
        let kept = std::fs::read_to_string(&path).expect("docs/interface/openapi.json");
        let place = kept.lines().zip(now.lines()).position(|(kept, now)| kept != now).unwrap_or(0);
        assert!(
            kept == now,
            "docs/interface/openapi.json differs from line {}: if the change is meant, run the tests with NOFX_UPDATE=1",
            place + 1
        );
    }
}
