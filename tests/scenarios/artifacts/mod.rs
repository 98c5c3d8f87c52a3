mod provenance;
mod sbom;
