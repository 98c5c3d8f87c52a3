mod provenance;
