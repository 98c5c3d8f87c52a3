//! A tenant that sends what nobody expects, to every function of the database and to every route: fields of all depths, parameters, headers.
//! Generated from the catalogue and from OpenAPI: what is new is tried, too. 500 cases of each, or 10,000 with `NOFX_TEST_LONG`, in an order that
//! is the same each time.

mod functions;
mod neighbour;
mod routes;
mod values;
