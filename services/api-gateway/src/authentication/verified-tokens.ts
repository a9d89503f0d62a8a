/** Signed tokens that were found to be right: one that comes again costs a look into memory, and no signature. */

/** A memory of what tokens say, by their hash. */
export type VerifiedTokens<Said extends { readonly expires: number }> = {
  has(hash: string): boolean;
  /** What the token says: as remembered, or as `verify` finds out. */
  of(hash: string, verify: () => Promise<Said>): Promise<Said>;
};

const MAX_ENTRIES = 20_000;
/** Milliseconds after which a token is verified anew: its key may have been withdrawn. */
const LIFE = 300_000;

/** Makes one. `expires` of what is said is in seconds. */
export function createVerifiedTokens<Said extends { readonly expires: number }>(
  now: () => number,
): VerifiedTokens<Said> {
  const entries = new Map<string, { readonly said: Said; readonly until: number }>();
  return {
    has: (hash) => entries.has(hash),
    async of(hash, verify) {
      const entry = entries.get(hash);
      if (entry !== undefined && entry.until > now()) return entry.said;
      entries.delete(hash);
      const said = await verify();
      if (entries.size >= MAX_ENTRIES) entries.delete(entries.keys().next().value as string);
      entries.set(hash, { said, until: Math.min(now() + LIFE, said.expires * 1000) });
      return said;
    },
  };
}
