/** A plane of the bench's own: its own directory, ports and PostgreSQL. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Agent, request } from "undici";

const root = join(import.meta.dirname, "../..");
const START_LIMIT = 60_000;
/** All load comes from one client at one address: budgets that are kept as always, and never spent. */
const AMPLE = "client=10000000/10000000 tenant=10000000/10000000";

/** What `plane.json` says. */
type PlaneFile = {
  readonly publicURL: string;
  readonly mtlsURL: string;
  readonly adminToken: string;
  readonly caFile: string;
  readonly services: Readonly<Record<string, { readonly pid: number }>>;
};

/** A running plane. */
export type Plane = PlaneFile & {
  readonly home: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to readiness. */
  readonly startedIn: number;
  /** Carries out an operation as the admin; throws for an answer with errors. */
  graphql<Data>(query: string, variables?: object): Promise<Data>;
  stop(): Promise<void>;
};

/** Starts a plane in `home` and waits until it is ready. */
export async function startPlane(
  home: string,
  port: number,
  databaseURL: string | undefined,
): Promise<Plane> {
  const begun = performance.now();
  const file = join(home, "plane.json");
  const child: ChildProcess = spawn(
    process.execPath,
    ["--max-semi-space-size=1", "deploy/local/src/main.ts"],
    {
      cwd: root,
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compiled"),
        SEXTANT_HOME: home,
        SEXTANT_PORT: String(port),
        LOG_LEVEL: "warn",
        SEXTANT_RATE_ADMINISTRATION: AMPLE,
        SEXTANT_RATE_POLLING: AMPLE,
        SEXTANT_RATE_PAIRING: `${AMPLE} address=10000000/10000000`,
        SEXTANT_RATE_CONNECTION: "address=10000000/10000000",
        SEXTANT_RATE_REFUSED: "address=10000000/10000000",
        SEXTANT_MAX_CONNECTIONS_ADDRESS: "25000",
        ...(databaseURL === undefined ? {} : { DATABASE_URL: databaseURL }),
      },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  while (!existsSync(file)) {
    if (child.exitCode !== null || performance.now() - begun > START_LIMIT)
      throw new Error("the plane did not start");
    await pause(20);
  }
  const startedIn = performance.now() - begun;
  const plane = JSON.parse(readFileSync(file, "utf8")) as PlaneFile;
  const dispatcher = new Agent({ connect: { ca: readFileSync(plane.caFile) } });
  return {
    ...plane,
    home,
    pid: child.pid as number,
    startedIn,
    async graphql<Data>(query: string, variables: object = {}): Promise<Data> {
      const answer = await request(`${plane.publicURL}/graphql`, {
        method: "POST",
        dispatcher,
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${plane.adminToken}`,
        },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await answer.body.json()) as {
        data: Data;
        errors?: readonly { message: string }[];
      };
      if (errors !== undefined) throw new Error(errors[0]?.message);
      return data;
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await dispatcher.close();
    },
  };
}
