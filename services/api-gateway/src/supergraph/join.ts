/** Carries out the plan of a joined operation: asks the services, and puts their answers together. */
import { isErrorCode, SextantError } from "@sextant/errors";
import type { Fetch, KeySelection, Step } from "./join-plan.ts";

/** An object of the answers that are put together. */
export type Answered = Record<string, unknown>;

/** What was answered, and what was not. */
export type Joined = {
  readonly data: Answered;
  /** Why an object, or a list, has no value under a key. */
  readonly problems: ReadonlyMap<object, ReadonlyMap<string, SextantError>>;
};

type ServiceError = {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
};

/** What a service said. */
export type ServiceAnswer = {
  readonly data?: Answered | null;
  readonly errors?: readonly ServiceError[];
};

/** What a plan is carried out with. */
export type JoinContext = {
  /** Asks a service; throws what keeps it from answering. */
  readonly ask: (service: string, body: string) => Promise<ServiceAnswer>;
  /** The variables as the client sent them. */
  readonly given: Readonly<Record<string, unknown>>;
  /** The variables by GraphQL's rules, with their defaults. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** The error that a client may see of what was thrown. */
  readonly shown: (thrown: unknown) => SextantError;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Whether an object of a type is one of another, an interface perhaps. */
  readonly isOfType: (type: string, other: string) => boolean;
  /** Keys at the root that must have a value. */
  readonly required: ReadonlySet<string>;
};

/** Thrown when a service refuses its part of a query before it does anything: so is the whole. */
export class RefusedError extends Error {
  readonly problems: readonly SextantError[];

  constructor(problems: readonly SextantError[]) {
    super("a service has refused its part of the query");
    this.name = "RefusedError";
    this.problems = problems;
  }
}

const isObject = (value: unknown): value is Answered =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The value of a key that the object has itself: a client may call a field `__proto__`. */
export function valueOf(object: Answered, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function set(object: Answered, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else
    Object.defineProperty(object, key, {
      value,
      ...{ writable: true, enumerable: true, configurable: true },
    });
}

/** Adds what another service knows of an object. */
function merge(into: Answered, from: Answered): void {
  for (const key of Object.keys(from)) {
    const known = valueOf(into, key);
    const told = from[key];
    if (Array.isArray(known) && Array.isArray(told)) {
      for (const [index, item] of known.entries()) {
        const other: unknown = told[index];
        if (isObject(item) && isObject(other)) merge(item, other);
      }
    } else if (isObject(known) && isObject(told)) merge(known, told);
    else if (known === undefined || known === null) set(into, key, told);
  }
}

/** The objects at a path below a value; lists on the way are walked through. */
function objectsAt(value: unknown, path: readonly string[], from = 0): readonly Answered[] {
  if (Array.isArray(value)) {
    const next = path[from] === "@" ? from + 1 : from;
    return value.flatMap((item) => objectsAt(item, path, next));
  }
  if (!isObject(value)) return [];
  const key = path[from];
  return key === undefined ? [value] : objectsAt(valueOf(value, key), path, from + 1);
}

/** What a service needs to know an object by; undefined when the object is none of its, or lacks some of it. */
function representationOf(
  object: Answered,
  selections: readonly KeySelection[],
  isOfType: JoinContext["isOfType"],
): Answered | undefined {
  const told: Answered = {};
  for (const selection of selections) {
    if (selection.kind === "InlineFragment") {
      const { typeCondition } = selection;
      const type = valueOf(object, "__typename");
      if (typeCondition !== undefined && !isOfType(String(type), typeCondition)) continue;
      const more = representationOf(object, selection.selections, isOfType);
      if (more === undefined) return undefined;
      merge(told, more);
      continue;
    }
    const key = selection.alias ?? selection.name;
    const value = valueOf(object, key);
    if (value === undefined) return undefined;
    const { selections: below } = selection;
    const part = (one: unknown): unknown =>
      below !== undefined && isObject(one) ? representationOf(one, below, isOfType) : one;
    set(told, key, Array.isArray(value) ? value.map(part) : part(value));
  }
  return Object.keys(told).length === 0 ? undefined : told;
}

/** The error of a service as it may be passed on; undefined for one that is not of our own. */
export function passedOn({ message, extensions = {} }: ServiceError): SextantError | undefined {
  const { code, errorId, retryAfter } = extensions;
  if (!isErrorCode(code)) return undefined;
  return new SextantError(code, message, {
    ...(typeof errorId === "string" ? { errorId } : {}),
    ...(typeof retryAfter === "number" ? { retryAfter } : {}),
  });
}

/**
 * Carries out a plan. Throws {@link RefusedError}, and what kept every service that was asked from answering: then nothing is
 * known, as when one service is asked alone.
 */
export async function carryOut(step: Step, context: JoinContext): Promise<Joined> {
  const root: Answered = {};
  const problems = new Map<object, Map<string, SextantError>>();
  const thrown: unknown[] = [];
  let answered = 0;

  const note = (object: object, key: string, problem: SextantError): void => {
    let known = problems.get(object);
    if (known === undefined) problems.set(object, (known = new Map()));
    if (!known.has(key)) known.set(key, problem);
  };

  /** Notes an error where its value is missing: at the last object or list that there is on its path. */
  const noteAt = (
    base: Answered,
    path: readonly (string | number)[],
    problem: SextantError,
  ): void => {
    let object: object = base;
    for (const part of path) {
      const value = valueOf(object as Answered, String(part));
      if (value === null || typeof value !== "object") {
        note(object, String(part), problem);
        return;
      }
      object = value;
    }
  };

  const askFor = async (fetch: Fetch, objects: readonly Answered[]): Promise<void> => {
    const { requires, keys } = fetch;
    let targets = objects;
    const sent: Answered = {};
    for (const { name, as } of fetch.variables)
      if (Object.hasOwn(context.given, name)) set(sent, as, context.given[name]);
    if (requires !== undefined) {
      const told: Answered[] = [];
      targets = objects.filter((object) => {
        const one = representationOf(object, requires, context.isOfType);
        if (one !== undefined) told.push(one);
        return one !== undefined;
      });
      if (told.length === 0) return;
      sent["representations"] = told;
    }
    const noteAll = (problem: SextantError): void => {
      for (const target of targets) for (const key of keys) note(target, key, problem);
    };
    let answer: ServiceAnswer;
    try {
      answer = await context.ask(fetch.service, `${fetch.head}${JSON.stringify(sent)}}`);
      answered += 1;
    } catch (fault) {
      if (context.signal.aborted) throw fault;
      thrown.push(fault);
      noteAll(context.shown(fault));
      return;
    }
    const { data, errors = [] } = answer;
    const told = errors.map(
      (error) => passedOn(error) ?? context.shown(new Error(`${fetch.service}: ${error.message}`)),
    );
    if (data === undefined && errors.length > 0 && !fetch.isMutation) throw new RefusedError(told);
    if (requires === undefined) {
      for (const target of targets) merge(target, data ?? {});
    } else {
      const entities = data?.["_entities"];
      if (Array.isArray(entities))
        for (const [index, target] of targets.entries()) {
          const entity: unknown = entities[index];
          if (isObject(entity)) merge(target, entity);
        }
    }
    for (const [index, { path = [] }] of errors.entries()) {
      const problem = told[index] as SextantError;
      const [first, place, ...rest] = path;
      const target = typeof place === "number" ? targets[place] : undefined;
      if (requires === undefined && first !== undefined)
        for (const one of targets) noteAt(one, path, problem);
      else if (requires !== undefined && target !== undefined && rest.length > 0)
        noteAt(target, rest, problem);
      else if (requires !== undefined && target !== undefined)
        for (const key of keys) note(target, key, problem);
      else noteAll(problem);
    }
  };

  const isOver = (): boolean =>
    [...(problems.get(root)?.keys() ?? [])].some((key) => context.required.has(key));

  const walk = async (one: Step, value: unknown): Promise<void> => {
    switch (one.do) {
      case "fetch":
        return askFor(one, objectsAt(value, []));
      case "together":
        await Promise.all(one.steps.map((each) => walk(each, value)));
        return;
      case "at":
        return walk(one.step, objectsAt(value, one.path));
      case "if": {
        const next = context.variables[one.variable] === true ? one.step : one.otherwise;
        return next === undefined ? undefined : walk(next, value);
      }
      case "inOrder":
        for (const each of one.steps) {
          // A failed field of a mutation that must not be null ends it: what is behind it is not carried out.
          if (each.do === "fetch" && each.isMutation && isOver()) return;
          await walk(each, value);
        }
    }
  };

  await walk(step, root);
  if (answered === 0 && thrown.length > 0) throw thrown[0];
  return { data: root, problems };
}
