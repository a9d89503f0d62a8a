/** A running plane as a story sees it: from outside. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where a plane is and how an admin enters it: what `plane.json` says, and what only the teller knows. */
export interface StoryPlane {
  readonly publicURL: string;
  readonly mtlsURL: string;
  /** External id of the admin's tenant. */
  readonly tenant: string;
  readonly adminToken: string;
  /** PEM file with the plane's root certificate. */
  readonly caFile: string;
  /** The services' own ports; left out when they cannot be reached. */
  readonly services?: Readonly<Record<string, { readonly opsURL: string }>>;
  /** The name or address by which the plane reaches this process, for webhooks. Left out: 127.0.0.1. */
  readonly receiverHost?: string;
  /** The directory that a provisioned runtime's agent writes to; left out when it cannot be seen. */
  readonly agentDirectory?: (runtimeID: string) => string;
  /** Made part of every name, so that the story can be told again on the same plane. Left out: random. */
  readonly suffix?: string;
}

/** Reads `plane.json` of a local plane. Throws when there is none: the plane does not run. */
export function readPlane(home: string): StoryPlane & Required<Pick<StoryPlane, "services">> {
  const plane = JSON.parse(readFileSync(join(home, "plane.json"), "utf8")) as StoryPlane &
    Required<Pick<StoryPlane, "services">>;
  return { ...plane, agentDirectory: (id) => join(home, "runtimes", id, "agent") };
}
