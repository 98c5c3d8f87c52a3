mod audit;
mod hooks;
mod leaks;
mod published_keys;
mod tenants;
mod writes;

#[path = "."]
mod every_host {
    mod credentials;
    mod idempotency;
    mod matrix;
}
