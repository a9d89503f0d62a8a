/** PEM (RFC 7468), strict: known label, matching boundaries, canonical base64. */

/** One PEM block. */
export type PemBlock = { readonly label: string; readonly der: Buffer };

/** Writes one block, lines of 64 characters, with a line end after the last. */
export function writePem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * Reads every block of `text`. Only white space may stand between the blocks. Undefined when anything is not PEM.
 */
export function readPem(text: string): PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const begin = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,39})-----\r?\n/.exec(rest);
    const label = begin?.[1];
    if (begin === null || label === undefined) return undefined;
    const boundary = `-----END ${label}-----`;
    const end = rest.indexOf(boundary, begin[0].length);
    if (end === -1) return undefined;
    const der = readBase64(rest.slice(begin[0].length, end));
    if (der === undefined) return undefined;
    blocks.push({ label, der });
    rest = rest.slice(end + boundary.length).trimStart();
  }
  return blocks;
}

/** Canonical base64 with white space between, or undefined. Buffer.from would skip over anything that is not base64. */
export function readBase64(text: string): Buffer | undefined {
  const compact = text.replaceAll(/[ \t\r\n]+/g, "");
  const bytes = Buffer.from(compact, "base64");
  return compact !== "" && bytes.toString("base64") === compact ? bytes : undefined;
}
