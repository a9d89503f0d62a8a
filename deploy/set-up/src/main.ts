/** The set-up as a process: see {@link HELP}. */
import { parseArgs } from "node:util";
import { ConfigError } from "@sextant/config";
import {
  activate,
  type CommandOptions,
  prepare,
  retire,
  showAuthorities,
} from "./authority-commands.ts";
import { readSettings } from "./config.ts";
import { rotatingKeys, showKeys, stepKeys } from "./key-commands.ts";
import { askSealedByOthers, askTrustState } from "./plane-state.ts";
import { SetUpError } from "./key-files.ts";
import { setUp } from "./set-up.ts";
import { readPlaneFacts } from "./show.ts";

const HELP = `npm run keys -- <command>: keys and certificates of a plane. SEXTANT_HOME names it, by default .sextant

  make                       makes what is missing, and issues again what ends soon or has other names
  show                       how to reach the plane, as JSON
  show ca                    the certificates by which the plane is trusted

  ca                         the authorities, and how many runtimes know them
  ca prepare                 brings a new intermediate below the root; it is trusted and does not sign yet
     --new-root              … below a new root
     --chain=<f> --key=<f>   … of the operator: certificate and root in one PEM file, and the key
  ca activate <number>       lets an authority sign, once the runtimes know it; undone by activating the one before
     --at-least=<percent>    … once so many know it; default 100
     --force                 … without asking
  ca retire <number>         removes an authority none of whose certificates is in force
     --force                 … without asking: their holders have to pair anew

  identity | internal | data [prepare | activate | retire]
                             the keys by which services sign their calls; the authority of their own TLS; the key
                             that encrypts secrets in the database: how many there are, or one step of changing them
     --force                 retire without waiting or asking

docs/operations/rotation.md tells when to use which.
`;

const steps = ["prepare", "activate", "retire"] as const;
const options = {
  help: { type: "boolean", short: "h" },
  "new-root": { type: "boolean" },
  chain: { type: "string" },
  key: { type: "string" },
  "at-least": { type: "string" },
  force: { type: "boolean" },
} as const;

function readWords() {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new SetUpError(`${(error as Error).message}\n\n${HELP}`);
  }
}

const notUnderstood = (words: string): SetUpError =>
  new SetUpError(`"${words}" is not understood\n\n${HELP}`);

function percentOf(text: string | undefined): number {
  const percent = Number(text ?? 100);
  if (!(percent >= 0 && percent <= 100))
    throw new SetUpError(`--at-least must be a percentage from 0 to 100, got "${text}"`);
  return percent;
}

async function run(): Promise<string> {
  const { values, positionals } = readWords();
  if (values.help === true) return HELP;
  const settings = readSettings();
  const words = positionals.join(" ");
  if (words === "" || words === "make") {
    const now = new Date();
    const { caFile, caFingerprint, created } = await setUp({ ...settings.options, now });
    const what = created ? "the plane is set up" : "the plane was set up already";
    return `${what}: CA ${caFile}, SHA-256 ${caFingerprint}, admin token in ${settings.options.home}/admin-token\n`;
  }
  if (words === "show" || words === "show ca") {
    const { publicURL, mtlsURL } = settings;
    const facts = await readPlaneFacts(settings.options.home, { publicURL, mtlsURL });
    return words === "show" ? `${JSON.stringify(facts, undefined, 2)}\n` : facts.ca;
  }
  const [noun, verb, id, more] = positionals;
  const { home } = settings.options;
  const key = rotatingKeys.find((one) => one === noun);
  if (key !== undefined && id === undefined) {
    const step = steps.find((one) => one === verb);
    if (verb !== undefined && step === undefined) throw notUnderstood(words);
    const command = {
      ...settings.options,
      now: new Date(),
      force: values.force === true,
      sealedByOthers: () => askSealedByOthers(home, settings.directorOpsURL),
    };
    return step === undefined ? showKeys(key, command) : stepKeys(key, step, command);
  }
  if (noun !== "ca" || more !== undefined) throw notUnderstood(words);
  const command: CommandOptions = {
    ...settings.options,
    now: new Date(),
    trust: values.force === true ? undefined : await askTrustState(home, settings.connectorOpsURL),
  };
  const force = values.force === true;
  if (verb === undefined) return showAuthorities(command);
  if (verb === "prepare" && id === undefined) {
    const { chain, key } = values;
    if ((chain === undefined) !== (key === undefined))
      throw new SetUpError("--chain and --key go together: give both or none");
    const own =
      chain === undefined || key === undefined ? undefined : { chainFile: chain, keyFile: key };
    return prepare(command, { newRoot: values["new-root"] === true, own });
  }
  if (verb === "activate" && id !== undefined)
    return activate(command, id, { atLeast: percentOf(values["at-least"]), force });
  if (verb === "retire" && id !== undefined) return retire(command, id, { force });
  throw notUnderstood(words);
}

try {
  process.stdout.write(await run());
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof SetUpError)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
