mod events;
mod examples;
mod supabase;
