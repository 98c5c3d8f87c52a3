mod examples;
mod supabase;

#[path = "."]
mod every_host {
    mod dashboard;
    mod events;
    mod interface;
    mod requests;
    mod storage;
}
