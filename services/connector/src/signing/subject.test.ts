import { expect, it } from "vitest";
import { checkSubject, subjectOf } from "./subject.ts";

const expected = subjectOf("RUNTIME", "r1");

it("a subject that is the one told passes", () => {
  expect(() => checkSubject(expected, expected)).not.toThrow();
});

it("each part that differs is named, with what it must be", () => {
  const requested = expected.replace("CN=r1", "CN=r2").replace("OU=Runtimes", "OU=Admins");
  expect(() => checkSubject(expected, requested)).toThrow(
    /csr.subject.OU: must be "Runtimes".*csr.subject.CN: must be "r1"/,
  );
});

it("a part that is missing or too much is named", () => {
  expect(() => checkSubject(expected, expected.replace("C=ZZ,", ""))).toThrow(
    /csr.subject.C: must be "ZZ"/,
  );
});
