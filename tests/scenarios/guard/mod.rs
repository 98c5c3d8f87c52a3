mod every_host;
mod leaks;
mod published_keys;
mod tenants;
