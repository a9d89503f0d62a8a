import { expect, it } from "vitest";
import { authenticated } from "./authentication.ts";

it("puts credentials, headers and query parameters of an auth value on the request", () => {
  const auth = {
    credential: { basic: { username: "u", password: "p" }, oauth: null },
    additionalHeaders: { "X-A": ["1", "2"] },
    additionalQueryParams: { q: ["a b"] },
    requestAuth: null,
  };
  expect(authenticated("https://example.com/hook?x=1", auth)).toEqual({
    url: "https://example.com/hook?x=1&q=a+b",
    headers: { "x-a": "1, 2", authorization: "Basic dTpw" },
  });
});
