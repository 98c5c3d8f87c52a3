mod large;
mod provenance;
