/** The command `keys` as a process, on copies of one plane's directory. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setUp, type SetUpOptions } from "../src/set-up.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");

/** How a run ended. */
export type Ended = { readonly status: number; readonly out: string; readonly err: string };

/**
 * Sets a plane up, to be copied for each test; and serves, as a running plane would, what `told` says: at `path`, of the service that
 * the setting `opsSetting` names.
 */
export async function startKeys(options: {
  readonly setUp: Omit<SetUpOptions, "home" | "now">;
  readonly path: string;
  readonly opsSetting: string;
  readonly told: () => unknown;
}) {
  const scratch = mkdtempSync(join(tmpdir(), "sextant-keys-"));
  const made = join(scratch, "made");
  await setUp({ ...options.setUp, home: made, now: new Date() });
  const service = createServer((request, response) =>
    response
      .writeHead(request.url === options.path ? 200 : 404)
      .end(JSON.stringify(options.told())),
  );
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const opsURL = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  let homes = 0;
  return {
    scratch,
    /** The directory that others are copies of. */
    made,
    /** A plane of a test's own. */
    aPlane(): string {
      const home = join(scratch, `home-${(homes += 1)}`);
      cpSync(made, home, { recursive: true });
      return home;
    },
    /** Runs a command; the plane is asked when it is `running`. */
    keys: (home: string, words: string, running = true): Promise<Ended> =>
      new Promise((resolve) => {
        const env = { SEXTANT_HOME: home, ...(running ? { [options.opsSetting]: opsURL } : {}) };
        execFile(process.execPath, [MAIN, ...words.split(" ")], { env }, (error, out, err) =>
          resolve({ status: Number(error?.code ?? 0), out, err }),
        );
      }),
    file: (home: string, name: string): string => readFileSync(join(home, "keys", name), "utf8"),
    close(): void {
      service.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
