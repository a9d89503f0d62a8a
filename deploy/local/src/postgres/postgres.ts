import type { Logger } from "@sextant/logging";
import { KeptProcess, type Patience, PATIENCE } from "../kept-process.ts";
import { findBinaries } from "./binaries.ts";
import { DATABASE, openCluster, OWNER, socketDirectory, SUPERUSER } from "./cluster.ts";
import { chooseConfinement, serverConfinements, thisAccount } from "./confinement.ts";
import { giveTo } from "./ownership.ts";
import { PLANE_SETTINGS, postgresPlan } from "./server.ts";

/** An embedded PostgreSQL server of one plane. */
export interface EmbeddedPostgres {
  readonly process: KeptProcess;
  /** For the registry: the plane's database as its owner, who is no superuser. */
  readonly ownerURL: string;
  /** For tests and repair: may do everything. */
  readonly superuserURL: string;
}

/** Prepares a server whose files are all in `directory`; its process is not started yet. */
export async function embeddedPostgres(options: {
  readonly directory: string;
  readonly port: number;
  readonly log: Logger;
  /** For the server's own lines; default `log`. */
  readonly serverLog?: Logger;
  readonly settings?: Readonly<Record<string, string>>;
  readonly patience?: Patience;
}): Promise<EmbeddedPostgres> {
  const { directory, port, log, patience = PATIENCE } = options;
  const binaries = findBinaries();
  const account = thisAccount();
  const cluster = await openCluster(directory, binaries, account);
  const confinement = chooseConfinement(serverConfinements(account), binaries.postgres, directory);
  giveTo(confinement, cluster.data);
  const plan = postgresPlan({
    binaries,
    cluster,
    confinement,
    port,
    log: options.serverLog ?? log,
    settings: { ...PLANE_SETTINGS, ...options.settings },
  });
  const url = (role: string, password: string, database: string): string =>
    `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`;
  const sockets = socketDirectory(cluster, port);
  // By its Unix socket where there is one (libpq's connection URIs, "host"): a question costs less by that.
  const by = sockets === undefined ? "" : `?host=${encodeURIComponent(sockets)}`;
  return {
    process: new KeptProcess(plan, log, patience),
    ownerURL: url(OWNER, cluster.ownerPassword, `${DATABASE}${by}`),
    superuserURL: url(SUPERUSER, cluster.superuserPassword, "postgres"),
  };
}
