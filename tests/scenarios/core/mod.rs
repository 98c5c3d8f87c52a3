mod commands;
mod events;
mod every_host;
mod examples;
mod interface;
mod storage;
mod supabase;
