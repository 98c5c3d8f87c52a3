//! The API's description, made from the routers.

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(info(title = "NOFX", description = "Submit plans, watch runs, decide gates."))]
struct Base;

/// OpenAPI 3.1 of every route.
pub fn document() -> utoipa::openapi::OpenApi {
    let all = crate::routers().into_iter().fold(OpenApiRouter::new(), |all, (_, one)| all.merge(one));
    let api: OpenApiRouter<crate::App> = OpenApiRouter::with_openapi(Base::openapi()).nest("/api", all);
    let mut document = api.into_openapi();
    let bearer =
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("Supabase JWT or nofx_ API key").build());
    document.components.get_or_insert_default().add_security_scheme("bearer", bearer);
    document
}
