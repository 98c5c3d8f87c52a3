mod credentials;
mod idempotency;
mod tenants;
