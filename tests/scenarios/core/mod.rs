mod dashboard;
mod events;
mod examples;
mod interface;
mod requests;
mod storage;
mod supabase;
