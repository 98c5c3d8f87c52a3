mod examples;
mod forged;
mod keys;
