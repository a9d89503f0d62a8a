/** The set-up as a process: `main.ts` makes what is missing; `main.ts show` prints how to reach the plane, `show ca` its root. */
import { ConfigError } from "@sextant/config";
import { readSettings } from "./config.ts";
import { SetUpError } from "./key-files.ts";
import { setUp } from "./set-up.ts";
import { readPlaneFacts } from "./show.ts";

async function run(words: string): Promise<string> {
  const { options, publicURL, mtlsURL } = readSettings();
  if (words === "") {
    const { caFile, caFingerprint, created } = await setUp({ ...options, now: new Date() });
    const what = created ? "the plane is set up" : "the plane was set up already";
    return `${what}: CA ${caFile}, SHA-256 ${caFingerprint}, admin token in ${options.home}/admin-token\n`;
  }
  if (words !== "show" && words !== "show ca") {
    throw new SetUpError(`"${words}" is not understood: nothing, show, or show ca`);
  }
  const facts = await readPlaneFacts(options.home, { publicURL, mtlsURL });
  return words === "show" ? `${JSON.stringify(facts, undefined, 2)}\n` : facts.ca;
}

try {
  process.stdout.write(await run(process.argv.slice(2).join(" ")));
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof SetUpError)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
