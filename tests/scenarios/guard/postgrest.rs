//! PostgREST beside the API: what a public key and a token of one's own reach there, and what it costs the others.

use nofx_shared::auth::Role;
use nofx_tests::Tenant;
use nofx_tests::stack::STACK;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::leaks::by_api;

fn request(method: Method, path: &str, token: &str) -> RequestBuilder {
    nofx_shared::net::client().request(method, format!("{}/{path}", STACK.get("rest_url"))).bearer_auth(token)
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.expect("PostgREST answers").status().as_u16()
}

#[tokio::test]
async fn it_describes_itself_to_nobody() {
    let tenant = Tenant::new().await;
    let tokens =
        [tenant.admin().token, by_api(&tenant, Role::Admin), STACK.get("anon_key").to_owned(), STACK.get("service_role_key").to_owned()];
    for token in &tokens {
        assert_eq!(status(request(Method::GET, "", token)).await, 404, "the root is made of the whole catalogue");
    }
}

#[tokio::test]
async fn a_token_of_a_person_reads_no_table_whatever_it_asks_for() {
    let token = Tenant::new().await.admin().token;
    for path in [
        "run?select=id&limit=1",
        "run?select=*,step(*),gate(*,gate_decision(*)),artifact(*)&order=goal.desc,plan.asc",
        "step?or=(name.like.*a*,and(tool.ilike.*b*,spec->>x.neq.c))&order=outputs->a->b",
        "event?select=count()",
        "event?select=*,origin",
        "transition",
    ] {
        let ask = |token: &str| request(Method::GET, path, token).header("accept-profile", "nofx").header("prefer", "count=exact");
        let refused = status(ask(&token)).await;
        assert!(refused == 403 || refused == 400, "{path}: {refused}");
    }
}

#[tokio::test]
async fn nobody_calls_functions_of_postgres_or_sees_plans() {
    let tenant = Tenant::new().await;
    for token in [tenant.admin().token, by_api(&tenant, Role::Admin)] {
        for (profile, expected) in [("nofx", 404), ("pg_catalog", 406), ("nofx_private", 406), ("extensions", 406), ("vault", 406)] {
            let call = request(Method::POST, "rpc/pg_sleep", &token).header("content-profile", profile).json(&json!({"seconds": 60}));
            assert_eq!(status(call).await, expected, "{profile}");
        }
        let plan = request(Method::GET, "run?select=id", &token)
            .header("accept-profile", "nofx")
            .header("accept", "application/vnd.pgrst.plan+json");
        assert_eq!(status(plan).await, 415, "how a query is planned tells of rows that are not shown");
    }
}
