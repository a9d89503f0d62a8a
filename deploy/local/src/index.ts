export { freePorts } from "./ports.ts";
export { embeddedPostgres, type EmbeddedPostgres } from "./postgres/postgres.ts";
