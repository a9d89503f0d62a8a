/** How fast this machine is today: without that, rates of different days and machines cannot be compared. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { availableParallelism } from "node:os";

const DATA = Buffer.alloc(300, 7);
const MILLISECONDS = 500;

/** Signatures a second by one thread. */
function perSecond(privateKey: KeyObject): number {
  const begun = performance.now();
  let made = 0;
  for (; performance.now() - begun < MILLISECONDS; made += 1) sign("sha256", DATA, privateKey);
  return (made * 1000) / (performance.now() - begun);
}

/** Prints it, by what node:crypto does on one core: arithmetic that no version of this project changes. */
export function printMachine(): void {
  const rsa = perSecond(generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey);
  const p256 = perSecond(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  console.log(
    `\nThis machine: ${availableParallelism()} cores; with node:crypto one makes ${rsa.toFixed(0)} RSA-2048 and ${p256.toFixed(0)} P-256 signatures a second`,
  );
}
