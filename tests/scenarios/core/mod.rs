mod clients;
mod commands;
mod description;
mod events;
mod examples;
mod interface;
mod storage;
mod supabase;

#[path = "."]
mod every_host {
    mod dashboard;
    mod requests;
}
