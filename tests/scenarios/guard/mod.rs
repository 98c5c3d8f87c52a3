mod credentials;
mod idempotency;
mod matrix;
mod published_keys;
mod tenants;
mod writes;
