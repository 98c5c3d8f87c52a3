mod alerts;
mod breakers;
mod dead_letters;
