mod credentials;
mod idempotency;
mod matrix;
mod tenants;
