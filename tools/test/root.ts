import { dirname } from "node:path";

/** The repository's root directory. */
export const ROOT = dirname(dirname(import.meta.dirname));
