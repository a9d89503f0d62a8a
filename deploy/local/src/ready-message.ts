import { dirname, join, relative } from "node:path";

/** What a plane that has just become ready says to whoever started it. */
export interface ReadyFacts {
  readonly publicURL: string;
  readonly mtlsURL: string;
  readonly tenant: string;
  readonly adminToken: string;
  readonly caFile: string;
  readonly tokenFile: string;
  readonly caFingerprint: string;
  /** Seconds from the command to here. */
  readonly after: number;
}

/** A path as one would type it: relative where that is shorter, quoted where it must be. */
function typed(path: string, from: string): string {
  const short = relative(from, path);
  const chosen = short.startsWith("..") || short === "" ? path : short;
  return /^[\w./@:+-]+$/.test(chosen) ? chosen : `'${chosen.replaceAll("'", `'\\''`)}'`;
}

/** The message, with three commands to go on with. */
export function readyMessage(facts: ReadyFacts, directory: string): string {
  const token = typed(facts.tokenFile, directory);
  const home = dirname(facts.tokenFile);
  const forThisHome =
    home === join(directory, ".sextant") ? "" : `SEXTANT_HOME=${typed(home, directory)} `;
  return `
  Sextant is ready after ${facts.after.toFixed(1)} s.

    public URL        ${facts.publicURL}
    mTLS URL          ${facts.mtlsURL}
    GraphQL explorer  ${facts.publicURL}/graphql
    tenant            ${facts.tenant}
    admin token       ${facts.adminToken}
    CA                ${typed(facts.caFile, directory)}
    CA fingerprint    ${facts.caFingerprint}

  Try next, in another terminal:

    curl --cacert ${typed(facts.caFile, directory)} -H "Authorization: Bearer $(cat ${token})" \\
      -H 'Content-Type: application/json' -d '{"query":"{ viewer { id type } }"}' ${facts.publicURL}/graphql
    ${forThisHome}npm run demo
    kill ${process.pid}    # or Ctrl-C here: stops everything in order

`;
}
