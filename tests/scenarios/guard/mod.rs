mod audit;
mod leaks;
mod tenants;
mod writes;

#[path = "."]
mod every_host {
    mod credentials;
    mod hooks;
    mod idempotency;
    mod matrix;
    mod published_keys;
}
