use nofx_tests::WAIT_LIMIT;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use nofx_shared::db::Db;
use nofx_shared::limits::{Limits, RateLimitDecision, checks_for};
use nofx_shared::settings::{Limits as Settings, Upstash};
use nofx_tests::own::Own;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn call(own: &Own, token: &str, method: Method, path: &str, body: Option<Value>) -> Response {
    let url = format!("{}{path}", own.dev()["api_url"].as_str().expect("a URL"));
    let request = nofx_shared::net::client().request(method, url).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.expect("the API answers")
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn token(own: &Own, role: &str) -> String {
    own.dev()["tokens"][role].as_str().expect("a token").to_owned()
}

/// Stops the clock by which the database counts: no window ends, however long the test takes.
async fn stop_the_clock(own: &Own) {
    let sql = own.sql().await;
    let row = sql.query_one("select pg_get_functiondef('nofx.take_tokens'::regproc)", &[]).await.expect("a function");
    let definition = row.get::<_, String>(0).replace("now()", "timestamptz '2030-01-01 00:00:15Z'");
    sql.batch_execute(&definition).await.expect("it is replaced");
}

/// Sends requests until one is refused, with a guess before each: a process caches only for a second that an address is out of guesses.
async fn is_refused_after_guesses(own: &Own, ask: impl AsyncFn() -> Response) {
    let begun = Instant::now();
    loop {
        call(own, "nofx_guess", Method::GET, "/api/runs", None).await;
        let answer = ask().await;
        if answer.status() == 429 {
            return;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "{}: {}", answer.url(), answer.status());
    }
}

/// Reads until the limit refuses; how many passed.
async fn use_up(own: &Own, token: &str) -> (usize, Response) {
    for n in 0.. {
        let response = call(own, token, Method::GET, "/api/runs", None).await;
        if response.status() != 200 {
            return (n, response);
        }
        assert!(n < 100, "nothing refuses");
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_has_its_limit_and_hears_what_is_left() {
    let settings = [("NOFX_LIMIT_READS", "20"), ("NOFX_LIMIT_LOGINS", "3"), ("NOFX_LIMIT_ADDRESS", "0")];
    let own = Own::start_with(&Own::folder("limits"), &["--workers", "1"], &settings);
    let viewer = token(&own, "viewer");
    stop_the_clock(&own).await;
    let first = call(&own, &viewer, Method::GET, "/api/runs", None).await;
    assert_eq!(header(&first, "ratelimit-policy"), "\"reads\";q=20;w=60");
    assert!(header(&first, "ratelimit").starts_with("\"reads\";r=19;t="), "{}", header(&first, "ratelimit"));
    let (passed, refused) = use_up(&own, &viewer).await;
    assert_eq!(passed, 19);
    let wait: u64 = header(&refused, "retry-after").parse().expect("seconds");
    assert!(refused.status() == 429 && (1..=60).contains(&wait) && header(&refused, "ratelimit").starts_with("\"reads\";r=0;"), "{wait}");
    let problem: Value = refused.json().await.expect("a problem");
    assert_eq!(problem["type"], "https://nofx.dev/problems/rate-limited");
    assert_eq!(call(&own, &token(&own, "admin"), Method::GET, "/api/runs", None).await.status(), 200, "someone else is not limited");

    // Keys: a scope, an expiry, a last use; and clients that guess them.
    let admin = token(&own, "admin");
    let mint = async |body: Value| -> String {
        let made: Value = call(&own, &admin, Method::POST, "/api/keys", Some(body)).await.json().await.expect("a key");
        made["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    };
    let scoped = mint(json!({"name": "runs only", "role": "contributor", "scopes": ["runs"]})).await;
    assert_eq!(call(&own, &scoped, Method::GET, "/api/runs", None).await.status(), 200);
    let outside = call(&own, &scoped, Method::GET, "/api/gates", None).await;
    let outside: Value = outside.json().await.expect("a problem");
    assert!(outside["detail"].as_str().is_some_and(|detail| detail.contains("requires the scope gates")), "{outside}");
    assert_eq!(call(&own, &scoped, Method::GET, "/ui/runs", None).await.status(), 403, "pages show what its scopes do not");
    assert_eq!(call(&own, &scoped, Method::GET, "/ui/events", None).await.status(), 403);
    let ended = mint(json!({"name": "ended", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(call(&own, &ended, Method::GET, "/api/runs", None).await.status(), 401);
    let keys: Value = call(&own, &admin, Method::GET, "/api/keys", None).await.json().await.expect("keys");
    let used = keys["data"].as_array().expect("keys").iter().find(|key| key["name"] == "runs only").expect("the key");
    assert!(used["last_used_at"].is_string() && used["scopes"] == json!(["runs"]), "{used}");
    // A client that guesses is refused everywhere.
    assert_eq!(call(&own, "nofx_guess", Method::GET, "/api/runs", None).await.status(), 401);
    is_refused_after_guesses(&own, async || call(&own, "nofx_guess", Method::GET, "/api/runs", None).await).await;
    assert_eq!(call(&own, &scoped, Method::GET, "/api/runs", None).await.status(), 200, "a key that was good a moment ago is");
    for page in ["/ui/sign-in", "/ui/sign-in/link"] {
        let url = format!("{}{page}", own.dev()["api_url"].as_str().expect("a URL"));
        let form = [("email", "somebody@nofx.local"), ("password", "a guess")];
        let client = nofx_shared::net::client();
        is_refused_after_guesses(&own, async || client.post(&url).form(&form).send().await.expect("an answer")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_says_which_it_is_and_when_it_frees() {
    let own = Own::start(&Own::folder("quotas"), &["--workers", "1"]);
    let dev = own.dev();
    let admin = token(&own, "admin");
    let set = async |quota: Value| {
        let url = format!("{}/api/quotas", dev["api_url"].as_str().expect("a URL"));
        let key = dev["internal_api_key"].as_str().expect("a key");
        let request = nofx_shared::net::client().post(url).bearer_auth(&admin).header("x-internal-api-key", key);
        assert_eq!(request.json(&quota).send().await.expect("an answer").status(), 200);
    };
    let tenant = own.tenant().await;
    let plan = json!({"plan": {"goal": "q", "steps": [{"name": "s", "tool": "sleep", "inputs": {"seconds": 60}}]}});
    set(json!({"tenant_id": tenant, "runs_per_minute": 2})).await;
    for _ in 0..2 {
        assert_eq!(call(&own, &admin, Method::POST, "/api/runs", Some(plan.clone())).await.status(), 201);
    }
    // So that none of them becomes a minute old on the way: what counts are the database's instants.
    let sql = own.sql().await;
    sql.batch_execute("update nofx.run set created_at = now() + interval '1 hour'").await.expect("moved");
    let frees_in = async || -> f64 {
        let text = "select ceil(extract(epoch from min(created_at) + interval '1 minute' - now()))::float8 from nofx.run";
        sql.query_one(text, &[]).await.expect("seconds").get(0)
    };
    let before = frees_in().await;
    let refused = call(&own, &admin, Method::POST, "/api/runs", Some(plan.clone())).await;
    let wait: f64 = header(&refused, "retry-after").parse().expect("seconds");
    assert!(refused.status() == 429 && (frees_in().await..=before).contains(&wait), "{wait} of {before}");
    let problem: Value = refused.json().await.expect("a problem");
    assert_eq!(problem["type"], "https://nofx.dev/problems/quota-exceeded");
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.contains("runs_per_minute") && detail.contains("Retry in")),
        "{problem}"
    );
    sql.batch_execute("update nofx.run set created_at = now() - interval '1 minute'").await.expect("moved");
    assert_eq!(call(&own, &admin, Method::POST, "/api/runs", Some(plan.clone())).await.status(), 201, "a minute later");
    set(json!({"tenant_id": tenant})).await;
    sql.batch_execute("update nofx.run set created_at = now() + interval '1 hour'").await.expect("moved");
    assert_eq!(call(&own, &admin, Method::POST, "/api/runs", Some(plan)).await.status(), 201, "without a quota");
}

/// Upstash's REST interface (`POST /pipeline`) before a real Redis.
async fn upstash(redis_url: String) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let calls = Arc::new(Mutex::new(0));
    let state = (redis_url, Arc::clone(&calls));
    let router = Router::new().route("/pipeline", post(pipeline)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, calls)
}

async fn pipeline(
    State((redis_url, calls)): State<(String, Arc<Mutex<usize>>)>,
    headers: HeaderMap,
    Json(mut commands): Json<Vec<Vec<Value>>>,
) -> Result<Json<Vec<Value>>, StatusCode> {
    if headers.get("authorization").is_none_or(|value| value != "Bearer upstash-token") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    *calls.lock().expect("not poisoned") += 1;
    let mut redis = redis::Client::open(redis_url).expect("a URL").get_multiplexed_async_connection().await.expect("Redis");
    let mut answers = vec![];
    // The clock stands still here as well: both keys name a window, the last argument is now.
    for command in &mut commands {
        for (word, window) in [(3, "1"), (4, "0")] {
            let key = command[word].as_str().and_then(|key| key.rsplit_once(':')).expect("a key").0;
            command[word] = json!(format!("{key}:{window}"));
        }
        command[8] = json!(75);
    }
    for command in commands {
        let mut words = command.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
        let mut real = redis::cmd(&words.next().expect("a command"));
        words.for_each(|word| {
            real.arg(word);
        });
        let answer: Result<Vec<i64>, redis::RedisError> = real.query_async(&mut redis).await;
        answers.push(match answer {
            Ok(result) => json!({"result": result}),
            Err(error) => json!({"error": error.to_string()}),
        });
    }
    Ok(Json(answers))
}

/// How often both together are refused before they stop.
const REFUSALS: usize = 6;

/// Two processes take by turns until neither gets any more; how many they got together.
async fn taken_together(settings: &Settings, db: &Db) -> usize {
    let processes = [Limits::new(settings.clone(), db.clone()), Limits::new(settings.clone(), db.clone())];
    let subject = uuid::Uuid::now_v7().to_string();
    let asked = checks_for(settings, None, Some((uuid::Uuid::nil(), &subject)), true);
    let (mut taken, mut refused) = (0, 0);
    for n in 0.. {
        match processes[n % 2].take(&asked).await {
            RateLimitDecision::Allowed(Some(_)) => taken += 1,
            RateLimitDecision::Allowed(None) => panic!("nothing counts"),
            RateLimitDecision::Refused(_) => refused += 1,
        }
        if refused == REFUSALS {
            break;
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_count_together_in_the_database_and_in_an_upstash_redis() {
    let own = Own::start(&Own::folder("upstash"), &["--workers", "0", "--queue", "redis"]);
    let dev = own.dev();
    let text = |name: &str| dev[name].as_str().expect("text").to_owned();
    let db = Db::new(&text("rest_url"), &text("anon_key"), text("service_role_key"));
    stop_the_clock(&own).await;
    let settings = Settings { reads: 200, tenant: 0, ..Settings::default() };
    assert_eq!(taken_together(&settings, &db).await, 200);
    let (url, calls) = upstash(own.queue()["REDIS_URL"].clone()).await;
    let settings =
        Settings { upstash: Some(Upstash { url, token: "upstash-token".to_owned(), timeout: Duration::from_secs(60) }), ..settings };
    assert_eq!(taken_together(&settings, &db).await, 200);
    // One in fifty is taken in advance: four at once. Then both learn that nothing is left, and at most every refusal is a call.
    let calls = *calls.lock().expect("not poisoned");
    assert!((200 / 4 + 2..=200 / 4 + REFUSALS).contains(&calls), "{calls} calls");
}
