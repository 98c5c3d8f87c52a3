//! OpenAPI 3.1 of every route.

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{examples, inputs, responses, schemas, security};

/// Schemas that only parameters name, so that utoipa does not find them.
#[derive(OpenApi)]
#[openapi(components(schemas(
    crate::artifacts::LineageFormat,
    crate::gates::GateStatus,
    crate::http::ProblemDetails,
    crate::system::CronJob
)))]
struct Base;

const ABOUT: &str = "Submit plans, watch runs, decide gates. Every request acts for the tenant of its credential: a Supabase token or an API \
    key, sent as `Authorization: Bearer`. Roles are viewer, contributor, supervisor and admin; each includes the rights of those before it. A \
    request that is refused changes nothing and is answered with a problem (RFC 9457) that says what to do.";

/// What each router is for, by its name.
fn about(tag: &str) -> &'static str {
    match tag {
        "access" => "Who may do how much: API keys, quotas, private networks, tables that steps may write, and the audit log.",
        "artifacts" => "Files that steps saved, and the attestations about them.",
        "events" => "The event log, page by page and as a stream.",
        "gates" => "Barriers on steps: list, request and decide them, and set the policies that require them.",
        "internal" => "For other parts of NOFX alone: workers have a function execute steps.",
        "retention" => "How long the tenant's history is kept, and legal holds, which come before it.",
        "runs" => "Submit plans, follow their runs, and control them.",
        "system" => "Health, descriptions, metrics, alerts, breakers, dead letters and model settings.",
        "webhooks" => "Hooks that call others, and webhooks that others send.",
        other => panic!("say in openapi/document.rs what the router `{other}` is for"),
    }
}

pub(crate) fn document() -> Value {
    let mut routes = OpenApiRouter::default();
    let mut tags = vec![];
    for (tag, mut router) in crate::routers::<OpenApiRouter<crate::App>>() {
        for item in router.get_openapi_mut().paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
            operations.into_iter().flatten().for_each(|operation| operation.tags = Some(vec![tag.to_owned()]));
        }
        routes = routes.merge(router);
        tags.push(json!({"name": tag, "description": about(tag)}));
    }
    let mut document = json!(OpenApiRouter::with_openapi(Base::openapi()).nest("/api", routes).into_openapi());
    document["info"] = json!({
        "title": "NOFX", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
        "contact": {"name": "NOFX", "url": "https://nofx.dev"}, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    });
    document["servers"] = json!([{"url": "/", "description": "The host that serves this document."}]);
    document["tags"] = json!(tags);
    document["components"]["securitySchemes"] = security::schemes();
    schemas::complete(&mut document);
    inputs::complete(&mut document);
    responses::complete(&mut document);
    examples::add(&mut document);
    document
}

/// All operations of a document.
pub(super) fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    paths.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut())
}
