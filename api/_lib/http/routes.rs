//! The routes of a resource, for the router that serves them or for the document that describes them. A function serves them and describes
//! nothing, so that no description is built when it starts or is part of its binary.

use axum::Router;
use axum::routing::MethodRouter;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::App;

/// Verbs of one path.
pub(crate) struct Group<S, D> {
    pub path: String,
    pub served: S,
    pub described: D,
}

pub(crate) trait Routes: Default {
    fn routes<S, D>(self, group: Group<S, D>) -> Self
    where
        S: FnOnce() -> MethodRouter<App>,
        D: FnOnce() -> UtoipaMethodRouter<App>;

    fn and(self, others: Self) -> Self;
}

impl Routes for Router<App> {
    fn routes<S, D>(self, group: Group<S, D>) -> Self
    where
        S: FnOnce() -> MethodRouter<App>,
        D: FnOnce() -> UtoipaMethodRouter<App>,
    {
        self.route(&group.path, (group.served)())
    }

    fn and(self, others: Self) -> Self {
        self.merge(others)
    }
}

impl Routes for OpenApiRouter<App> {
    fn routes<S, D>(self, group: Group<S, D>) -> Self
    where
        S: FnOnce() -> MethodRouter<App>,
        D: FnOnce() -> UtoipaMethodRouter<App>,
    {
        Self::routes(self, (group.described)())
    }

    fn and(self, others: Self) -> Self {
        self.merge(others)
    }
}

/// The verbs of one path, each with its `#[utoipa::path]`.
macro_rules! routes {
    ($first:path $(, $other:path)*) => {{
        use utoipa_axum::PathItemExt;
        $crate::http::Group {
            path: utoipa_axum::paste! { utoipa_axum::routes!(@path [path()] of $first) },
            served: || {
                let router = axum::routing::MethodRouter::new();
                $crate::http::on!(router, $first $(, $other)*)
            },
            described: || utoipa_axum::routes!($first $(, $other)*),
        }
    }};
}

/// Adds verbs to a router of methods.
macro_rules! on {
    ($router:expr, $($verb:path),+) => {{
        let mut router = $router;
        $(
            for method in utoipa_axum::paste! { utoipa_axum::routes!(@path [methods()] of $verb) } {
                router = router.on(method.to_method_filter(), $verb);
            }
        )+
        router
    }};
}

pub(crate) use {on, routes};
