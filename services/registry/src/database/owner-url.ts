import { readFileSync } from "node:fs";
import { urlForRole } from "./service-role.ts";

/** DATABASE_URL, with the password from the file that holds it, where there is one. */
export function ownerURL(settings: {
  readonly DATABASE_URL: string;
  readonly DATABASE_PASSWORD_FILE?: string | undefined;
}): string {
  const { DATABASE_URL: url, DATABASE_PASSWORD_FILE: file } = settings;
  if (file === undefined) return url;
  const password = readFileSync(file, "utf8").trim();
  return urlForRole(url, decodeURIComponent(new URL(url).username), password);
}
