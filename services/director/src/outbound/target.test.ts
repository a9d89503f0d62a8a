import { expect, it } from "vitest";
import { isPublicAddress, onlyPublic, targetFault } from "./target.ts";

it("only addresses of the public internet are public", () => {
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "0.0.0.0",
    "100.64.0.1",
    "::1",
    "fe80::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "255.255.255.255",
  ]) {
    expect([address, isPublicAddress(address)]).toEqual([address, false]);
  }
  for (const address of ["93.184.216.34", "2606:4700::1111"])
    expect(isPublicAddress(address)).toBe(true);
});

it("a URL with a private address is refused however the address is written", () => {
  for (const url of [
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "https://[::1]:9/",
    "http://localhost/x",
    "http://a.localhost/",
  ]) {
    expect([url, targetFault(url)]).toEqual([url, "must not be a private address"]);
  }
  expect(targetFault("https://example.com/hook")).toBeUndefined();
});

it("a name that leads to a private address is not connected to", async () => {
  const error = await new Promise((resolve) =>
    onlyPublic()("localhost", {}, (problem) => resolve(problem)),
  );
  expect(error).toMatchObject({ code: "EPRIVATE" });
});
