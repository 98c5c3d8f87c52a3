mod events;
mod examples;
mod requests;
mod supabase;
