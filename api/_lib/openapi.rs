//! The API's description, generated from the routers by the test that checks it in (`system/describe.rs`, which serves it).

use utoipa::OpenApi;
use utoipa::openapi::content::Content;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, Required};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(title = "NOFX", description = "Submit plans, watch runs, decide gates."),
    components(schemas(crate::gates::GateStatus, crate::artifacts::LineageFormat, crate::system::CronJob))
)]
struct Base;

/// OpenAPI 3.1 of every route.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let api = OpenApiRouter::with_openapi(Base::openapi()).nest("/api", crate::routes::<OpenApiRouter<crate::App>>());
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
    let webhook = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        "webhook-signature",
        "Or the header that the source's provider signs in: X-Hub-Signature-256, X-Slack-Signature, x-vercel-signature, Authorization.",
    )));
    components.add_security_scheme("webhook", webhook);
    components.add_security_scheme("cron", cron);
    add_common(&mut document);
    document
}

/// Responses of any operation, which no route names: a layer refuses, or a dependency is unavailable.
fn add_common(document: &mut utoipa::openapi::OpenApi) {
    let all_optional: Vec<String> = document
        .components
        .iter()
        .flat_map(|components| &components.schemas)
        .filter(|(_, schema)| matches!(schema, RefOr::T(Schema::Object(object)) if object.required.is_empty()))
        .map(|(name, _)| format!("#/components/schemas/{name}"))
        .collect();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().filter_map(Option::as_mut) {
            let mut common = vec![
                ("400", "Invalid request."),
                ("429", "Too many requests, or a quota is exceeded; `Retry-After` says when to retry."),
                ("500", "Internal error."),
                ("503", "Service unavailable."),
                ("504", "Request timed out."),
            ];
            for one in operation.parameters.iter_mut().flatten() {
                let RefOr::T(limit) = one else { continue };
                if limit.name != "limit" {
                    continue;
                }
                let most = if item_is_audit(&operation.operation_id) { 1000 } else { 100 };
                let range = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(most)).build();
                limit.schema = Some(range.into());
            }
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                // An empty body is an empty object.
                let is_optional = |content: &RefOr<Content>| matches!(content, RefOr::T(Content { schema: Some(RefOr::Ref(to)), .. }) if all_optional.contains(&to.ref_location));
                if body.content.values().any(is_optional) {
                    body.required = Some(Required::False);
                }
                common.extend([
                    ("403", "Forbidden, or denied by a pre-request hook."),
                    ("413", "The body is too large."),
                    ("415", "Content-Encoding is not supported."),
                    ("422", "The request is not valid."),
                ]);
            }
            if item_has_parameters(operation) {
                common.push(("404", "Not found."));
            }
            if operation.security.is_some() {
                common.extend([("401", "Authentication required."), ("403", "Forbidden.")]);
            }
            for (status, what) in common {
                let response = ResponseBuilder::new().description(what).content("application/problem+json", Content::default()).build();
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.into());
            }
        }
    }
}

fn item_has_parameters(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Path))
}

fn item_is_audit(id: &Option<String>) -> bool {
    id.as_deref() == Some("list_audit")
}
