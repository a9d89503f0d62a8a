import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { addressKey, createClientAddresses, trustedProxies } from "./address.ts";

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as unknown as IncomingMessage;

const addresses = (...networks: string[]) => {
  const proxies = trustedProxies(networks);
  if (proxies === undefined) throw new Error("not networks");
  return createClientAddresses(proxies);
};

describe("the address of a client", () => {
  it("is that of the connection when no proxy is trusted, whatever a header says", () => {
    expect(addresses().of(request("203.0.113.9", "198.51.100.1"))).toBe("203.0.113.9");
    expect(addresses("10.0.0.0/8").of(request("203.0.113.9", "198.51.100.1"))).toBe("203.0.113.9");
  });

  it("is the last that trusted proxies do not have themselves: what a client wrote before it counts for nothing", () => {
    const behind = addresses("10.0.0.0/8", "fd00::/8");
    expect(behind.of(request("10.1.1.1", "192.0.2.66, 198.51.100.1, 10.2.2.2"))).toBe(
      "198.51.100.1",
    );
    expect(behind.of(request("fd00::1", "2001:db8::7"))).toBe("2001:db8::7");
    expect(behind.of(request("::ffff:10.1.1.1", "198.51.100.1"))).toBe("198.51.100.1");
  });

  it("is that of the proxy when it says nothing that is an address", () => {
    const behind = addresses("10.0.0.0/8");
    for (const said of ["", "unknown", "198.51.100.1, evil", "198.51.100.1:80"])
      expect(behind.of(request("10.1.1.1", said))).toBe("10.1.1.1");
  });

  it.each(["10.0.0.0/33", "10.0.0", "::/129", "10.0.0.0/", "host", "10.0.0.0/-1"])(
    "is not read from %s, which is not a network",
    (wrong) => {
      expect(trustedProxies(["127.0.0.1", wrong])).toBeUndefined();
    },
  );
});

describe("whom an address stands for", () => {
  it("is an address of IPv4, and a /64 of IPv6, however it is written", () => {
    expect(addressKey("203.0.113.9")).toBe("203.0.113.9");
    const one = addressKey("2001:db8:0:1::1");
    expect(addressKey("2001:0db8:0000:0001:ffff::")).toBe(one);
    expect(addressKey("2001:db8:0:1:2:3:4:5")).toBe(one);
    expect(addressKey("2001:db8:0:2::1")).not.toBe(one);
    expect(addressKey("fe80::1%eth0")).toBe(addressKey("fe80::2"));
  });
});
