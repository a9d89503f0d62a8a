/** `npm run demo`: tells the main story on the plane that runs. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createCaller } from "../story/caller.ts";
import { readPlane, type StoryPlane } from "../story/plane.ts";
import { silent } from "../story/report.ts";
import { tellStory } from "../story/tell-story.ts";
import { ending } from "./ending.ts";
import { removeLeftOver } from "./left-over.ts";
import { createNarrator } from "./narrator.ts";

const HELP = `npm run demo: tells the main story on the plane that runs, with its real requests and answers

  npm run demo                 everything
  npm run demo -- --short      the steps without requests and answers
  npm run demo -- --remove     removes what earlier demos have left on the plane
  npm run demo -- --help       this text

It may be run again and again: every name is new each time. It needs curl and openssl.
SEXTANT_HOME says which plane (.sextant), NO_COLOR=1 switches colours off.
`;

/** A fault with its remedy, for a person. */
function fail(message: string, remedy: string): number {
  process.stderr.write(`\nsextant: ${message}\n         ${remedy}\n\n`);
  return 1;
}

/** Whether the plane answers at its public URL. */
async function answers(plane: StoryPlane): Promise<boolean> {
  const headers = { authorization: `Bearer ${plane.adminToken}` };
  const { publicURL: origin, caFile } = plane;
  const admin = createCaller({ name: "admin", origin, caFile, headers, report: silent });
  try {
    await admin.ask("{ viewer { id } }");
    return true;
  } catch {
    return false;
  } finally {
    await admin.close();
  }
}

async function remove(plane: StoryPlane): Promise<number> {
  const headers = { authorization: `Bearer ${plane.adminToken}` };
  const { publicURL: origin, caFile } = plane;
  const admin = createCaller({ name: "admin", origin, caFile, headers, report: silent });
  try {
    const names = await removeLeftOver(admin);
    process.stdout.write(
      names.length === 0 ? "nothing to remove\n" : `removed ${names.join(", ")}\n`,
    );
    return 0;
  } finally {
    await admin.close();
  }
}

async function tell(plane: StoryPlane, home: string, details: boolean): Promise<number> {
  const write = (text: string): void => void process.stdout.write(text);
  const { isTTY, columns } = process.stdout;
  const narrator = createNarrator({
    ...{ write, details },
    colour: isTTY && (process.env["NO_COLOR"] ?? "") === "",
    width: Math.min(columns ?? 100, 120),
  });
  write(
    `\nThe main story, told on ${plane.publicURL}. All of it really happens; long texts are shortened.\n`,
  );
  const suffix = `demo-${randomBytes(2).toString("hex")}`;
  const story = await tellStory({ ...plane, suffix }, narrator);
  write(ending(plane, home, story));
  return 0;
}

async function run(words: readonly string[]): Promise<number> {
  const known = ["--help", "-h", "--short", "--remove"];
  const unknown = words.filter((word) => !known.includes(word));
  if (unknown.length > 0)
    return fail(
      `"${unknown.join(" ")}" is not understood.`,
      "npm run demo -- --help shows what is.",
    );
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  const home = resolve(process.env["SEXTANT_HOME"] ?? ".sextant");
  if (!existsSync(join(home, "plane.json"))) {
    return fail(
      `no plane runs in ${home}.`,
      "Start one with npm start in another terminal, wait until it is ready, and run this again.",
    );
  }
  const plane = readPlane(home);
  if (!(await answers(plane))) {
    return fail(
      `the plane of ${home} does not answer at ${plane.publicURL}.`,
      "It may have been killed, or is starting: look at its terminal, or start it with npm start.",
    );
  }
  try {
    return words.includes("--remove")
      ? await remove(plane)
      : await tell(plane, home, !words.includes("--short"));
  } catch (error) {
    return fail(
      `the story broke off: ${(error as Error).message}`,
      "The plane's log says more (its terminal; LOG_LEVEL=debug npm start for all of it).",
    );
  }
}

process.once("SIGINT", () => process.exit(130));
process.stdout.on("error", () => process.exit(0));
process.exitCode = await run(process.argv.slice(2));
