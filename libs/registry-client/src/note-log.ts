/**
 * Acts without a commit of their own on their way into the audit log: what was refused, and what changes nothing that is stored. The
 * first of a kind is written at once, and what comes of it within a minute as one entry more: a flood of them is a few entries.
 */
import type { Logger } from "@sextant/logging";
import type { Actor, Note } from "./actor.ts";
import type { Registry } from "./contract.ts";
import { recordNote } from "./note.ts";

/** One act. */
export type Noted = {
  /** Undefined: no tenant can be named for it. It belongs to the plane's own log. */
  readonly tenant: string | undefined;
  readonly actor: Actor;
  readonly action: string;
  /** Why it was refused; absent: it was carried out. */
  readonly code?: string;
  readonly objects?: Note["objects"];
};

/** See {@link createNoteLog}. */
export type NoteLog = {
  /**
   * Takes note; need not be waited for, and never fails. False: it could not be written. A refusal is told with the next then; what
   * is not carried out for want of its entry is not told at all.
   */
  record(noted: Noted): Promise<boolean>;
  /** Writes what is left. */
  close(): Promise<void>;
};

/** The tenant of what no tenant can be named for. */
export const PLANE_TENANT = "00000000-0000-0000-0000-000000000000";

/** Milliseconds within which acts of a kind are one entry, and between two looks at what is over. */
const WINDOW = 60_000;
const EVERY = 2_000;
/** Kinds of refusals of one tenant that are kept apart in a window. What is more is told without who and from where. */
const MOST_KINDS = 100;
const MANY: Actor = { type: "MANY", id: "" };

type Kind = {
  readonly noted: Noted;
  readonly until: number;
  /** Since the first of it was written. */
  times: number;
  /** Whether the first of it was. */
  isWritten: Promise<boolean>;
};

/** Makes it. `now` is in milliseconds. */
export function createNoteLog(options: {
  readonly registry: Pick<Registry, "commit">;
  readonly newID: () => string;
  readonly now: () => number;
  readonly log: Logger;
}): NoteLog {
  const { now, log } = options;
  const kinds = new Map<string, Kind>();
  const perTenant = new Map<string, number>();
  let writing: Promise<unknown> = Promise.resolve();

  const write = ({ noted }: Kind, times: number): Promise<boolean> => {
    const { tenant = PLANE_TENANT, actor, action, code, objects = [] } = noted;
    const written = writing.then(async () => {
      try {
        await recordNote(options, tenant, actor, action, { code, objects, times });
        return true;
      } catch (error) {
        log.warn({ err: error, action, times }, "an entry of the audit log could not be written");
        return false;
      }
    });
    writing = written;
    return written;
  };

  /** Counts the refusals of a tenant that are kept apart. */
  const count = ({ noted: { tenant = PLANE_TENANT, code } }: Kind, one: 1 | -1): void => {
    if (code === undefined) return;
    const many = (perTenant.get(tenant) ?? 0) + one;
    if (many === 0) perTenant.delete(tenant);
    else perTenant.set(tenant, many);
  };
  const add = (key: string, kind: Kind): void => {
    kinds.set(key, kind);
    count(kind, 1);
  };
  const remove = (key: string, kind: Kind): void => {
    if (kinds.delete(key)) count(kind, -1);
  };
  const tellWithTheNext = (key: string, kind: Kind, times: number): void => {
    const known = kinds.get(key);
    if (known === undefined) add(key, { ...kind, times });
    else known.times += times;
  };

  const writeOver = async (isOver: (kind: Kind) => boolean): Promise<void> => {
    const over = [...kinds].filter(([, kind]) => isOver(kind));
    for (const [key, kind] of over) remove(key, kind);
    for (const [key, kind] of over) {
      const { times } = kind;
      if (times > 0 && !(await write(kind, times))) tellWithTheNext(key, kind, times);
    }
  };
  // What would end later than any window that begins now was begun before the clock was put back.
  const isOver = ({ until }: Kind): boolean => until <= now() || until > now() + WINDOW;
  const timer = setInterval(() => void writeOver(isOver), EVERY);
  timer.unref();

  const note = (noted: Noted): Promise<boolean> => {
    const { tenant = PLANE_TENANT, actor, action, code } = noted;
    const key = JSON.stringify([tenant, actor.type, actor.id, actor.address, action, code]);
    const known = kinds.get(key);
    if (known !== undefined) {
      known.times += 1;
      return known.isWritten;
    }
    if (actor !== MANY && code !== undefined && (perTenant.get(tenant) ?? 0) >= MOST_KINDS)
      return note({ tenant: noted.tenant, actor: MANY, action, code });
    const kind: Kind = {
      ...{ noted, until: now() + WINDOW, times: 0 },
      isWritten: Promise.resolve(true),
    };
    add(key, kind);
    kind.isWritten = write(kind, 1).then((isWritten) => {
      // What is not carried out for want of its entry has not happened, nor has what waited for the same.
      if (!isWritten && code === undefined) remove(key, kind);
      else if (!isWritten) tellWithTheNext(key, kind, 1);
      return isWritten;
    });
    return kind.isWritten;
  };

  return {
    record: note,
    async close() {
      clearInterval(timer);
      await writeOver(() => true);
      await writing;
    },
  };
}
