/** The subject of a client certificate: given by us, and nothing in a request changes it. No I/O. */
import { invalidData } from "@sextant/errors";
import { parseSubject } from "@sextant/x509";
import type { Subject } from "../context.ts";

const units: Readonly<Record<Subject, string>> = {
  APPLICATION: "Applications",
  RUNTIME: "Runtimes",
};

/** One line. ZZ is no country's code (ISO 3166 leaves it to users). */
export function subjectOf(consumerType: Subject, consumerID: string): string {
  return `O=Sextant,OU=${units[consumerType]},L=Plane,ST=Plane,C=ZZ,CN=${consumerID}`;
}

/** Throws INVALID_DATA naming every part of a request's subject that differs from the one that was told. */
export function checkSubject(expected: string, requested: string): void {
  if (expected === requested) return;
  const wanted = new Map(parseSubject(expected).map(({ type, value }) => [type, value]));
  const given = new Map(parseSubject(requested).map(({ type, value }) => [type, value]));
  const faults = [...new Set([...wanted.keys(), ...given.keys()])]
    .filter((type) => wanted.get(type) !== given.get(type))
    .map((type) => ({
      field: `csr.subject.${type}`,
      message: wanted.has(type)
        ? `must be ${JSON.stringify(wanted.get(type))}`
        : "must not be there",
    }));
  const order = [{ field: "csr.subject", message: `must be ${expected}` }];
  throw invalidData("CertificateSigningRequest", faults.length > 0 ? faults : order);
}
