/** The plane's revocation list, as openssl reads it. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { promisify } from "node:util";
import type { StoryPlane } from "../story/plane.ts";

/** Times in milliseconds since 1970, serial numbers in lower-case hexadecimal digits without leading zeros. */
export interface ReadList {
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly serialNumbers: readonly string[];
}

const download = ({ publicURL, caFile }: StoryPlane): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const request = get(
      `${publicURL}/v1/ca/crl`,
      { ca: readFileSync(caFile), agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => {
          const body = Buffer.concat(parts);
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`no revocation list: ${response.statusCode} ${body.toString()}`));
        });
      },
    );
    request.once("error", reject);
  });

async function describe(der: Buffer): Promise<string> {
  const words = ["crl", "-inform", "DER", "-noout", "-text"];
  const running = promisify(execFile)("openssl", words);
  running.child.stdin?.end(der);
  return (await running).stdout;
}

/** Downloads and reads it. */
export async function readRevocationList(plane: StoryPlane): Promise<ReadList> {
  const text = await describe(await download(plane));
  const time = (name: string): number =>
    Date.parse(new RegExp(`${name}: (.*)`).exec(text)?.[1] ?? "");
  return {
    thisUpdate: time("Last Update"),
    nextUpdate: time("Next Update"),
    serialNumbers: [...text.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, digits = ""]) =>
      digits.toLowerCase().replace(/^0+/, ""),
    ),
  };
}
