//! Routing by the Build Output API (version 3): exact functions and files, then rewrites, then what is missed.

use std::path::Path;

use regex::Regex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

struct Route {
    source: Regex,
    destination: Option<String>,
    status: Option<u16>,
    headers: HeaderMap,
    goes_on: bool,
}

pub(super) struct Routes {
    /// Before the file system is looked at.
    first: Vec<Route>,
    /// After it.
    then: Vec<Route>,
}

/// Where a request goes.
pub(super) struct Routed {
    /// The path of a function, or none with a status.
    pub path: Option<String>,
    /// The parameters that a rewrite appends to the query.
    pub query: Option<String>,
    pub status: u16,
    pub headers: HeaderMap,
}

impl Routes {
    pub(super) fn read(output: &Path) -> Self {
        let text = std::fs::read(output.join("config.json")).expect("a build output");
        let config: Value = serde_json::from_slice(&text).expect("JSON");
        let all = config["routes"].as_array().expect("routes");
        let handle = |route: &Value| route["handle"].as_str().map(str::to_owned);
        let at = all.iter().position(|route| handle(route).is_some()).unwrap_or(all.len());
        let is_route = |route: &&Value| handle(route).is_none();
        let then: Vec<Route> = all[at..].iter().skip(1).take_while(is_route).map(Route::read).collect();
        Self { first: all[..at].iter().map(Route::read).collect(), then }
    }

    pub(super) fn route(&self, path: &str, is_function: impl Fn(&str) -> bool) -> Routed {
        let mut headers = HeaderMap::new();
        for route in self.first.iter().filter(|route| route.goes_on && route.source.is_match(path)) {
            headers.extend(route.headers.clone());
        }
        let mut routed = Routed { path: is_function(path).then(|| path.to_owned()), query: None, status: 404, headers };
        if routed.path.is_some() {
            return routed;
        }
        for route in &self.then {
            let Some(found) = route.source.captures(path) else { continue };
            let Some(destination) = &route.destination else {
                routed.status = route.status.unwrap_or(404);
                return routed;
            };
            let mut whole = String::new();
            found.expand(destination, &mut whole);
            let (target, query) = whole.split_once('?').map_or((whole.as_str(), None), |(path, query)| (path, Some(query.to_owned())));
            if is_function(target) {
                routed.path = Some(target.to_owned());
                routed.query = query;
                return routed;
            }
        }
        routed
    }
}

impl Route {
    fn read(route: &Value) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in route["headers"].as_object().into_iter().flatten() {
            let name: HeaderName = name.parse().expect("a header's name");
            headers.insert(name, HeaderValue::from_str(value.as_str().expect("text")).expect("a header's value"));
        }
        Self {
            // The rules are written for ECMAScript; these use nothing that differs.
            source: Regex::new(route["src"].as_str().expect("a source")).expect("a pattern that both engines know"),
            destination: route["dest"].as_str().map(str::to_owned),
            status: route["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
            headers,
            goes_on: route["continue"].as_bool().unwrap_or(false),
        }
    }
}
