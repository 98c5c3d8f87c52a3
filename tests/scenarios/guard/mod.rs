mod leaks;
mod published_keys;
mod tenants;

#[path = "."]
mod every_host {
    mod credentials;
    mod idempotency;
    mod matrix;
}
