/**
 * Short reads share connections, statements and transactions: those of one turn of the event loop that see the same rows go out
 * under one Sync, and those with the same statement as one statement with arrays of values. PostgreSQL spends more on starting a
 * transaction or a statement than on such a read, and is woken up once for all of them, as is this process.
 */
import type { PoolClient } from "pg";
import { arrayText } from "./array-text.ts";
import type { Call, Row } from "./batch.ts";
import { ConnectionLostError, isOutdated, StatementError } from "./error.ts";
import { type Line, lineOf } from "./line.ts";

/** Reads on their way over one connection. */
const TOGETHER = 16;

/**
 * A short read. `forMany` answers many at once: it takes an array in each place that `columns` names, of a value for each, and
 * the same value for all in the others; the last column of each of its rows says whose it is, counted from 1.
 */
export type ShortCall = Call & {
  readonly forMany?: { readonly text: string; readonly columns: readonly boolean[] } | undefined;
};

type Read = {
  readonly before: readonly Call[];
  readonly call: ShortCall;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: unknown) => void;
  /** It was among others that failed: it is tried alone. */
  isAlone: boolean;
  /** Its statement was found outdated. */
  wasOutdated: boolean;
};

/** Reads that one statement answers. */
type Alike = [Read, ...Read[]];

type OpenLine = {
  readonly client: PoolClient;
  readonly line: Line;
  reads: number;
  isRetired: boolean;
};

/** What short reads need of the database. */
export type ShortReadsOptions = {
  connect(): Promise<PoolClient>;
  /** Sends one batch before it returns. */
  send(
    line: Line,
    before: readonly Call[],
    calls: readonly Call[],
  ): Promise<readonly (readonly Row[])[]>;
  /** Hears that a statement was found outdated. */
  outdated(): void;
  /** Reads that may wait. */
  readonly most: number;
};

/** Whether a connection is of no use after an error: it is lost, or holds statements that are. */
export function isSpoilt(error: unknown): boolean {
  return !(error instanceof StatementError) || isOutdated(error);
}

/** Whether the same rows are open to both. */
function isBeside(one: Read, other: Read): boolean {
  const [first, second] = [one.before[0], other.before[0]];
  return first?.text === second?.text && first?.values[0] === second?.values[0];
}

/** Whether one statement can answer both. */
function isAlike({ text, values, forMany }: ShortCall, other: ShortCall): boolean {
  if (forMany === undefined || text !== other.text) return false;
  const { columns } = forMany;
  return values.every((value, place) => columns[place] === true || value === other.values[place]);
}

/** Those that one statement can answer, beside each other. */
function alike(group: readonly Read[]): readonly Alike[] {
  const all: Alike[] = [];
  for (const read of group) {
    const known = all.find(([first]) => isAlike(first.call, read.call));
    if (known === undefined) all.push([read]);
    else known.push(read);
  }
  return all;
}

/** The statement that answers all of them. One that is alone has its own, which is started for less. */
function statementFor(reads: Alike): Call {
  const { text, values, forMany } = reads[0].call;
  if (forMany === undefined || reads.length === 1) return { text, values };
  const own = (place: number): string =>
    arrayText(reads.map(({ call }) => call.values[place] ?? null));
  return {
    text: forMany.text,
    values: values.map((value, place) => (forMany.columns[place] === true ? own(place) : value)),
  };
}

function answer(reads: Alike, rows: readonly Row[]): void {
  if (reads.length === 1) {
    reads[0].resolve(rows);
    return;
  }
  const answers: Row[][] = reads.map(() => []);
  for (const row of rows) answers[Number(row.at(-1)) - 1]?.push(row.slice(0, -1));
  for (const [place, read] of reads.entries()) read.resolve(answers[place] ?? []);
}

/** Takes connections of a pool while there is something to read, and gives them back. */
export class ShortReads {
  readonly #options: ShortReadsOptions;
  readonly #open: OpenLine[] = [];
  #waiting: Read[] = [];
  #isGrowing = false;
  #isServing = false;

  constructor(options: ShortReadsOptions) {
    this.#options = options;
  }

  /** Reads that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs one, with others; `before` opens the rows that it is to see. */
  run(before: readonly Call[], call: ShortCall): Promise<readonly Row[]> {
    if (this.#waiting.length >= this.#options.most) return Promise.reject(tooManyWait());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ before, call, resolve, reject, isAlone: false, wasOutdated: false });
      this.#serveSoon();
    });
  }

  /** Lets no other read onto the connections that are open now. */
  retire(): void {
    for (const open of this.#open) open.isRetired = true;
  }

  /** When all that comes about in this turn of the event loop is there. */
  #serveSoon(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    setImmediate(() => {
      this.#isServing = false;
      this.#serve();
    });
  }

  /** Lets those that wait start, where there is room. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      // The first with room: another is used only when that one is full.
      const open = this.#open.find(
        ({ line, reads, isRetired }) => !isRetired && reads < TOGETHER && line.isClear,
      );
      if (open === undefined) return void this.#grow();
      void this.#run(open, this.#take(TOGETHER - open.reads));
    }
  }

  /** The first that waits, with those that can go with it. */
  #take(most: number): readonly Read[] {
    const [first] = this.#waiting;
    const group: Read[] = [];
    const left: Read[] = [];
    for (const read of this.#waiting) {
      const isFirst = read === first;
      const fits = group.length < most && first !== undefined && isBeside(first, read);
      if (isFirst || (fits && !read.isAlone && !first.isAlone)) group.push(read);
      else left.push(read);
    }
    this.#waiting = left;
    return group;
  }

  async #run(open: OpenLine, group: readonly Read[]): Promise<void> {
    const together = alike(group);
    const calls = together.map((reads) => statementFor(reads));
    const before = group[0]?.before ?? [];
    open.reads += group.length;
    try {
      const results = await this.#options.send(open.line, before, calls);
      for (const [place, reads] of together.entries()) answer(reads, results[place] ?? []);
    } catch (error) {
      if (isSpoilt(error)) open.isRetired = true;
      if (isOutdated(error)) this.#options.outdated();
      for (const read of group) this.#failed(read, group.length > 1, error);
    } finally {
      open.reads -= group.length;
      this.#giveBack(open);
      if (this.#waiting.length > 0) this.#serveSoon();
    }
  }

  /** What was refused may have been another of the group: nothing is lost by reading again. */
  #failed(read: Read, wasAmongOthers: boolean, error: unknown): void {
    const isRenewed = isOutdated(error) && !read.wasOutdated;
    if (!(error instanceof StatementError) || !(wasAmongOthers || isRenewed)) {
      read.reject(error);
      return;
    }
    read.isAlone = true;
    read.wasOutdated ||= isRenewed;
    this.#waiting.push(read);
  }

  async #grow(): Promise<void> {
    if (this.#isGrowing) return;
    this.#isGrowing = true;
    let client: PoolClient;
    try {
      client = await this.#options.connect();
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return;
    } finally {
      this.#isGrowing = false;
    }
    const open = { client, line: lineOf(client), reads: 0, isRetired: false };
    this.#open.push(open);
    this.#serve();
    this.#giveBack(open);
  }

  #giveBack(open: OpenLine): void {
    const place = this.#open.indexOf(open);
    if (open.reads > 0 || place < 0) return;
    this.#open.splice(place, 1);
    open.client.release(open.isRetired);
  }
}

/** The error for a caller that is turned away. */
export const tooManyWait = (): Error =>
  new ConnectionLostError("too many callers wait for a connection to the database");
