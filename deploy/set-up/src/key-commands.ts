/** The commands by which an operator changes the keys inside a plane: prepare, activate, retire. */
import { hkdfSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { serviceNames, type ServiceName } from "@sextant/identity";
import { readCertificateChain } from "@sextant/x509";
import { ensureInternal, INTERNAL, newInternal } from "./authorities.ts";
import { alternativeNames } from "./hosts.ts";
import { ensureIdentityKeys, newIdentityKey, SERVICE_KEY } from "./identity-keys.ts";
import { ensureFile, readIfPresent, replaceFile, SetUpError } from "./key-files.ts";
import {
  keyBlocks,
  keyLines,
  type RotationStep,
  secondsSince,
  stepFile,
  stepped,
} from "./rotating-keys.ts";
import { ensureInternalTls, placesOf, type SetUpOptions } from "./set-up.ts";

/** What can be changed. */
export const rotatingKeys = ["identity", "internal", "data"] as const;

/** One of them. */
export type RotatingKey = (typeof rotatingKeys)[number];

/** What a command works with. */
export type KeyCommandOptions = Pick<SetUpOptions, "home" | "keys" | "owner" | "now"> & {
  /** Whether to retire without asking. */
  readonly force: boolean;
  /** How many secrets in the database are sealed by another data key than the one in use, or by an earlier version; undefined: nobody could be asked. */
  readonly sealedByOthers: () => Promise<number | undefined>;
};

/** Tokens that were signed before live so long at most: an access token. */
const TOKEN_LIFE = 3_600;

const subjects: Readonly<Record<RotatingKey, string>> = {
  identity: "a signing key of each service",
  internal: "an internal authority",
  data: "a data key",
};
const done: Readonly<Record<RotationStep, string>> = {
  prepare:
    "is trusted from now on and not used yet. Next, in ten seconds or when volumes are up to date: activate",
  activate:
    "is used from now on, and the one before is trusted still. Undo: activate. Next, in ten seconds or when volumes are up to date: retire",
  retire: "is the only one",
};

/** Carries out one step. */
export async function stepKeys(
  which: RotatingKey,
  step: RotationStep,
  options: KeyCommandOptions,
): Promise<string> {
  if (which === "identity") await stepIdentity(step, options);
  if (which === "internal") await stepInternal(step, options);
  if (which === "data") await stepData(step, options);
  return `${subjects[which]} ${done[step]}\n`;
}

/** How many keys there are: for people. */
export async function showKeys(which: RotatingKey, options: KeyCommandOptions): Promise<string> {
  const { directories, offline } = placesOf(options);
  const [path, split] = {
    identity: [join(directories.director, SERVICE_KEY), keyBlocks],
    internal: [join(offline, INTERNAL.key), keyBlocks],
    data: [join(directories.director, "data-key"), keyLines],
  }[which] as [string, (text: string) => readonly string[]];
  const present = await readIfPresent(path);
  if (present === undefined)
    throw new SetUpError(`${path} is missing: the plane is not set up yet`);
  const count = split(present.toString()).length;
  const next = count === 1 ? "prepare" : "activate or retire";
  const left = which === "data" ? await options.sealedByOthers() : undefined;
  const sealed =
    left === undefined
      ? ""
      : ` ${left} secrets are sealed by another key than the one in use, or by an earlier version.`;
  return `${count === 1 ? "one key, in use" : "two keys: one is used, both are trusted"}.${sealed} Next: ${which} ${next}\n`;
}

async function stepIdentity(step: RotationStep, options: KeyCommandOptions): Promise<void> {
  const { directories } = placesOf(options);
  const { owner, now, force } = options;
  const paths = serviceNames.map((service) => join(directories[service], SERVICE_KEY));
  if (step === "retire" && !force) {
    const youngest = Math.min(...(await Promise.all(paths.map((path) => secondsSince(path, now)))));
    if (youngest < TOKEN_LIFE) {
      const minutes = Math.ceil((TOKEN_LIFE - youngest) / 60);
      throw new SetUpError(
        `tokens that were signed before are good for ${minutes} more minutes: wait, or use --force, and clients have to get new ones`,
      );
    }
  }
  const counts = await Promise.all(
    paths.map(async (path) => keyBlocks(String(await readIfPresent(path))).length),
  );
  // A run that was cut short is completed by the next. Which of two keys a service uses makes no difference: both are trusted.
  const wanted = paths.filter((_, at) => counts[at] === (step === "prepare" ? 1 : 2));
  const how = { what: "identity", split: keyBlocks, newKey: newIdentityKey, owner };
  for (const path of wanted.length === 0 ? paths : wanted) await stepFile(path, step, how);
  await ensureIdentityKeys(directories, owner);
}

async function stepInternal(step: RotationStep, options: KeyCommandOptions): Promise<void> {
  const { directories, offline } = placesOf(options);
  const { now, owner } = options;
  const [keyFile, certificateFile] = [
    join(offline, INTERNAL.key),
    join(offline, INTERNAL.certificate),
  ];
  const [keys, certificates] = (await Promise.all(
    [keyFile, certificateFile].map(async (path) => {
      const present = await readIfPresent(path);
      if (present === undefined)
        throw new SetUpError(`${path} is missing: put it back for this run`);
      return present.toString();
    }),
  )) as [string, string];
  const made = step === "prepare" ? await newInternal(now) : { key: "", certificate: "" };
  const chain = readCertificateChain(certificates).map(({ pem }) => pem);
  const nextKeys = stepped(keyBlocks(keys), step, "internal", () => made.key);
  const nextChain = stepped(chain, step, "internal", () => made.certificate);
  await replaceFile(certificateFile, nextChain.join(""));
  await replaceFile(keyFile, nextKeys.join(""));
  const names = async (service: ServiceName) => {
    const path = join(directories[service], "internal-cert.pem");
    const [leaf] = readCertificateChain(await readFile(path, "utf8"));
    return alternativeNames([...(leaf?.names.dns ?? []), ...(leaf?.names.ip ?? [])]);
  };
  await ensureInternalTls(directories, await ensureInternal(offline, now), names, { now, owner });
}

async function stepData(step: RotationStep, options: KeyCommandOptions): Promise<void> {
  const { directories } = placesOf(options);
  if (step === "retire" && !options.force) {
    const left = await options.sealedByOthers();
    if (left === undefined)
      throw new SetUpError(
        "the plane is not running, and how many secrets the other key has sealed cannot be asked: start it, or name SEXTANT_DIRECTOR_OPS_URL",
      );
    if (left > 0)
      throw new SetUpError(
        `${left} secrets are sealed by the other key: Director seals them anew by itself, wait until it has`,
      );
  }
  const path = join(directories.director, "data-key");
  if (step === "prepare") {
    // Digests stay those of the first key, as Director derives them: equal plans are known as equal.
    const [first = ""] = keyLines(String(await readIfPresent(path)));
    const derived = hkdfSync(
      "sha256",
      Buffer.from(first.trim(), "base64"),
      "",
      "sextant digest",
      32,
    );
    const digest = `${Buffer.from(derived).toString("base64")}\n`;
    await ensureFile(join(directories.director, "digest-key"), () => digest, {
      owner: options.owner,
    });
  }
  await stepFile(path, step, {
    what: "data",
    split: keyLines,
    newKey: () => `${randomBytes(32).toString("base64")}\n`,
    owner: options.owner,
  });
}
