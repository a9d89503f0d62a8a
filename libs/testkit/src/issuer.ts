/** An identity provider for tests: real HTTP, real keys, and tokens as a test wants them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";

type Key = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJWK: JWK;
};

/** See {@link startTestIssuer}. */
export type TestIssuer = Awaited<ReturnType<typeof startTestIssuer>>;

async function makeKey(kid: string, alg: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJWK = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  return { kid, alg, privateKey, publicJWK };
}

/** Starts one with a key for RS256. It serves its configuration and its keys, and counts who asks. */
export async function startTestIssuer() {
  const asked = { configuration: 0, keys: 0 };
  /** What a test may turn. */
  const turned: { away: boolean; configuration: object } = { away: false, configuration: {} };
  let made = 0;
  const newKey = (alg: string) => makeKey(`key-${(made += 1)}`, alg);
  let keys: readonly Key[] = [await newKey("RS256")];
  const server = createServer((request, response) => {
    if (turned.away) {
      request.socket.destroy();
      return;
    }
    const json = (value: object) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(value));
    };
    if (request.url === "/.well-known/openid-configuration") {
      asked.configuration += 1;
      json({ issuer: url, jwks_uri: `${url}/keys`, ...turned.configuration });
    } else if (request.url === "/keys") {
      asked.keys += 1;
      json({ keys: keys.map(({ publicJWK }) => publicJWK) });
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    asked,
    turned,
    /** The keys that are served, the newest last. */
    keys: () => keys,
    /** Serves a new key; with `only`, no other any more. */
    async rotate(alg = "RS256", only = true): Promise<void> {
      keys = [...(only ? [] : keys), await newKey(alg)];
    },
    /** Signs these claims beside those that every token has; one that is undefined is left out. `key`: by whom instead. */
    async token(
      claims: Readonly<Record<string, unknown>> = {},
      header: Partial<JWTHeaderParameters> = {},
      key: Pick<Key, "kid" | "alg" | "privateKey"> = keys.at(-1) as Key,
    ): Promise<string> {
      const now = Math.floor(Date.now() / 1000);
      const said = { iss: url, sub: "ada", aud: "sextant", iat: now, exp: now + 300, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(said)))
        .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
        .sign(key.privateKey);
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
