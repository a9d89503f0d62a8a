/** The Registry's contract: kinds, read plans, commits, the feed and leased work, and the client that speaks it over HTTP. */
export * from "./id.ts";
export {
  columnName,
  type Field,
  type FieldType,
  isKind,
  type Kind,
  kinds,
  tableName,
} from "./kinds.ts";
export * from "./record.ts";
export * from "./read-plan.ts";
export * from "./contract.ts";
export * from "./read-records.ts";
export * from "./revoked.ts";
export * from "./secret.ts";
export * from "./rotation.ts";
export * from "./carry-out.ts";
export { type Actor, actorSchema, type Note } from "./actor.ts";
export { createNoteLog, type Noted, type NoteLog, PLANE_TENANT } from "./note-log.ts";
export { recordNote } from "./note.ts";
export { type CommitGroups, createCommitGroups } from "./group-commit.ts";
export {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
} from "./http-client.ts";
export * from "./worker.ts";
export * from "./timestamp.ts";
