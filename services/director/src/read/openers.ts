import { type OpenAuth, type OpenText, openStoredAuth, shownAuth } from "../auth/auth.ts";
import type { Sealer } from "../secret/sealer.ts";

/** What opens each kind of sealed value. */
export type Openers = {
  readonly openAuth: OpenAuth;
  readonly openText: OpenText;
  readonly openTemplate: OpenText;
};

/** Opens what declared reads find sealed. What was sealed for another tenant than the caller's does not open. */
export function openers(sealer: Sealer): Openers {
  return {
    openAuth: (sealed, identity) =>
      shownAuth(openStoredAuth(sealer, identity.tenant ?? "", String(sealed))),
    openText: (sealed, identity) =>
      sealer.open(identity.tenant ?? "", "signing-secret", String(sealed)),
    openTemplate: (sealed, identity) =>
      sealer.open(identity.tenant ?? "", "template", String(sealed)),
  };
}
