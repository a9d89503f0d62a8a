import { describe, expect, it } from "vitest";
import * as errors from "./index.ts";

const samples = [
  errors.notFound("Application", "a1"),
  errors.notUnique("Application shop"),
  errors.invalidData("ApplicationRegisterInput", [
    { field: "name", message: "must not be empty." },
    { field: "description", message: "is longer than 2000 characters" },
  ]),
  errors.insufficientScopes(["application:write"], ["application:read", "runtime:read"]),
  errors.tenantRequired(),
  errors.tenantNotFound("acme"),
  errors.unauthenticated("the token is not known"),
  errors.forbidden("a runtime may not do this"),
  errors.invalidOperation("the runtime is being provisioned: wait until it is CONNECTED"),
  errors.concurrentUpdate("Runtime", "r1"),
  errors.rateLimited(1.2),
  errors.internal("e-1", new Error("secret text")),
];

describe("an error", () => {
  it("exists for every code of the closed set", () => {
    expect(new Set(samples.map((error) => error.code))).toEqual(
      new Set(Object.keys(errors.ERROR_CODES)),
    );
  });

  it("names kind and id when something does not exist", () => {
    expect(errors.notFound("Application", "a1").message).toBe(
      "Application with id a1 does not exist",
    );
  });

  it("repeats of what was sent no more than could be an id", () => {
    for (const error of [
      errors.notFound("A", "x".repeat(1e6)),
      errors.tenantNotFound("x".repeat(1e6)),
    ])
      expect(error.message).toMatch(/ x{256}… does not exist/);
  });

  it("names every violated field, each once and with one full stop at the end", () => {
    expect(samples[2]?.message).toBe(
      "validation error for type ApplicationRegisterInput: name: must not be empty; description: is longer than 2000 characters.",
    );
  });

  it("says which scopes were needed and which were there", () => {
    expect(samples[3]?.message).toBe(
      "insufficient scopes provided, required: [application:write], actual: [application:read, runtime:read]",
    );
  });

  it("tells a client to come back after whole seconds, at least one", () => {
    expect(errors.rateLimited(1.2).retryAfter).toBe(2);
    expect(errors.rateLimited(0).retryAfter).toBe(1);
  });

  it("is recognised by its code, and a plain Error is not one", () => {
    expect(errors.isSextantError(samples[0])).toBe(true);
    expect(errors.isSextantError(samples[0], "NOT_FOUND")).toBe(true);
    expect(errors.isSextantError(samples[0], "INTERNAL")).toBe(false);
    expect(errors.isSextantError(new Error("NOT_FOUND"))).toBe(false);
  });
});

describe("in GraphQL", () => {
  it("carries code and number, and nothing that is not needed", () => {
    expect(errors.graphqlExtensions(errors.forbidden("no"))).toEqual({
      code: "FORBIDDEN",
      error_code: 26,
    });
    expect(errors.graphqlExtensions(errors.rateLimited(3))).toEqual({
      code: "RATE_LIMITED",
      error_code: 429,
      retryAfter: 3,
    });
  });

  it("of an unexpected fault shows the id and never the cause", () => {
    const error = errors.internal("e-1", new Error("secret text"));
    expect(errors.graphqlExtensions(error)).toEqual({
      code: "INTERNAL",
      error_code: 10,
      errorId: "e-1",
    });
    expect(error.message).not.toContain("secret");
  });
});

describe("between services", () => {
  it("every error comes back as it was sent", () => {
    for (const error of samples) {
      const back = errors.fromJSON(JSON.parse(JSON.stringify(errors.toJSON(error))));
      expect(back).toBeInstanceOf(errors.SextantError);
      expect({ ...back, message: back?.message }).toEqual({ ...error, message: error.message });
    }
  });

  it("neither stack nor cause crosses", () => {
    expect(JSON.stringify(errors.toJSON(errors.internal("e-1", new Error("secret text"))))).toBe(
      '{"code":"INTERNAL","message":"internal error","errorId":"e-1"}',
    );
  });

  it("what is not an error of this form is refused", () => {
    for (const value of [
      undefined,
      null,
      "NOT_FOUND",
      {},
      { code: "NOT_FOUND" },
      { code: "toString", message: "x" },
      { code: "NEW_CODE", message: "x" },
      { code: "INVALID_DATA", message: "x", faults: [{ field: 1 }] },
      { code: "RATE_LIMITED", message: "x", retryAfter: "3" },
    ]) {
      expect(errors.fromJSON(value)).toBeUndefined();
    }
  });

  it("every code has an HTTP status that a client can act on", () => {
    expect(errors.httpStatus(errors.unauthenticated("x"))).toBe(401);
    for (const status of Object.values(errors.HTTP_STATUS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
    }
  });
});
