mod catalogue;
mod every_host;
mod hostile;
mod leaks;
mod planted;
mod published_keys;
mod secret_rules;
mod tenants;
