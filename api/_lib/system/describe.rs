//! `GET /api/openapi.json`, `/api/asyncapi.json` and `/api/schemas/*.json`: generated from the types by a test, checked in and served as
//! they are, so that a function neither generates them nor contains code that could.

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::value::RawValue;

use crate::http::cached;

const OPENAPI: &str = include_str!("../../../docs/interface/openapi.json");
const ASYNCAPI: &str = include_str!("../../../docs/interface/asyncapi.json");
const PLAN: &str = include_str!("../../../docs/interface/plan.schema.json");
const EVIDENCE: &str = include_str!("../../../docs/interface/evidence.schema.json");

/// Get this description: OpenAPI 3.1.
///
/// Needs no credential. It is the description of the version that answers.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "The OpenAPI document.", body = Object), (status = 304)))]
pub(crate) async fn get_openapi(headers: HeaderMap) -> Response {
    serve(&headers, OPENAPI)
}

/// Get the description of all events: AsyncAPI 3.1.
///
/// Needs no credential. Every type of event with the schema of its data, as the stream and hooks send it.
#[utoipa::path(get, path = "/asyncapi.json", responses((status = 200, description = "The AsyncAPI document.", body = Object), (status = 304)))]
pub(crate) async fn get_asyncapi(headers: HeaderMap) -> Response {
    serve(&headers, ASYNCAPI)
}

/// Get the JSON Schema of a plan.
///
/// Needs no credential. For editors and generators; `POST /api/runs?dry_run=true` checks also what a schema cannot say.
#[utoipa::path(get, path = "/schemas/plan.json", responses((status = 200, description = "The JSON Schema.", body = Object), (status = 304)))]
pub(crate) async fn get_plan_schema(headers: HeaderMap) -> Response {
    serve(&headers, PLAN)
}

/// Get the JSON Schema of gate evidence.
///
/// Needs no credential. Evidence is the artifact that says what a gate ran and found.
#[utoipa::path(get, path = "/schemas/evidence.json", responses((status = 200, description = "The JSON Schema.", body = Object), (status = 304)))]
pub(crate) async fn get_evidence_schema(headers: HeaderMap) -> Response {
    serve(&headers, EVIDENCE)
}

fn serve(headers: &HeaderMap, text: &str) -> Response {
    let document: &RawValue = serde_json::from_str(text).expect("a test writes it");
    cached(headers, document)
}

#[cfg(test)]
mod tests {
    use nofx_shared::{events, gates::Evidence, plan};
    use serde::Serialize;

    /// The document is what is checked in, or becomes it when `NOFX_UPDATE` is set.
    #[expect(clippy::disallowed_methods, reason = "a flag accepts the interface as it is")]
    fn same(name: &str, kept: &str, document: &impl Serialize) {
        // By way of a value, whose fields have one order.
        let now = serde_json::to_string_pretty(&serde_json::to_value(document).expect("JSON")).expect("JSON") + "\n";
        if std::env::var_os("NOFX_UPDATE").is_some() {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interface").join(name);
            return std::fs::write(path, now).expect("written");
        }
        let line = kept.lines().zip(now.lines()).take_while(|(kept, now)| kept == now).count() + 1;
        assert!(kept == now, "docs/interface/{name} differs from line {line}: if the change is meant, run the tests with NOFX_UPDATE=1");
    }

    #[test]
    fn the_description_is_what_the_routers_say() {
        same("openapi.json", super::OPENAPI, &crate::openapi::document());
    }

    #[test]
    fn the_schemas_are_what_the_types_say() {
        same("asyncapi.json", super::ASYNCAPI, &events::document());
        same("plan.schema.json", super::PLAN, &plan::schema());
        same("evidence.schema.json", super::EVIDENCE, &Evidence::json_schema());
    }
}
