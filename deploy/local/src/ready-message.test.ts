import { expect, test } from "vitest";
import { readyMessage } from "./ready-message.ts";

function message(home: string): string {
  return readyMessage(
    {
      publicURL: "https://localhost:1",
      mtlsURL: "https://localhost:2",
      tenant: "default",
      adminToken: "sxt_secret",
      caFile: `${home}/ca.pem`,
      tokenFile: `${home}/admin-token`,
      caFingerprint: "AA:BB",
      after: 1.25,
    },
    "/clone",
  );
}

test("the commands to try next can be pasted as they are", () => {
  const said = message("/clone/.sextant");
  expect(said).toContain(
    'curl --cacert .sextant/ca.pem -H "Authorization: Bearer $(cat .sextant/admin-token)"',
  );
  expect(said).toMatch(/^ {4}npm run demo$/m);
  expect(said).toMatch(new RegExp(`^ {4}kill ${process.pid} `, "m"));
});

test("the demo finds a plane that is elsewhere", () => {
  expect(message("/srv/plane")).toContain("SEXTANT_HOME=/srv/plane npm run demo");
});

test("a path with a blank in it is quoted", () => {
  expect(message("/srv/my plane")).toContain("--cacert '/srv/my plane/ca.pem'");
});
