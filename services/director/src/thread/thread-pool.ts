/**
 * Threads for work that may take long or much memory: each has a limit of both, is kept for the next piece of work, and is ended
 * and replaced when a piece exceeds them. Other work of the process goes on meanwhile.
 */
import { Worker } from "node:worker_threads";

/** What a thread does first: it tells that it can be given work. */
export const READY = "ready";

/** A piece of work either was answered or exceeded the limits of time and memory. */
export type ThreadAnswer<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false };

/** See {@link createThreadPool}. */
export type ThreadPool<Request, Answer> = {
  /** Has a thread answer a request; waits until one is free. */
  run(request: Request): Promise<ThreadAnswer<Answer>>;
  /** Ends all threads. What they work at, or what waits, is rejected. */
  close(): Promise<void>;
};

type Job<Request, Answer> = {
  readonly request: Request;
  readonly resolve: (answer: ThreadAnswer<Answer>) => void;
  readonly reject: (error: Error) => void;
};

type Thread<Request, Answer> = {
  readonly worker: Worker;
  ready: boolean;
  job: Job<Request, Answer> | undefined;
  timer: NodeJS.Timeout | undefined;
};

/**
 * Makes a pool. `script` is a module that calls `serveThread`. Threads are started when they are needed, at most `size`. Time
 * counts from when a thread takes up the work: neither its start nor the wait for it.
 */
export function createThreadPool<Request, Answer>(options: {
  readonly script: URL;
  readonly size: number;
  /** Milliseconds for one piece of work. */
  readonly timeLimit: number;
  readonly memoryMebibytes: number;
  /** Milliseconds after which a thread without work is ended, so that its memory is given back; never when left out. */
  readonly idleLimit?: number;
}): ThreadPool<Request, Answer> {
  type Own = Thread<Request, Answer>;
  const { script, size, timeLimit, memoryMebibytes, idleLimit } = options;
  const threads = new Set<Own>();
  const waiting: Job<Request, Answer>[] = [];
  let closed = false;

  const end = (thread: Own): Promise<unknown> => {
    threads.delete(thread);
    clearTimeout(thread.timer);
    return thread.worker.terminate();
  };

  /** The thread is of no use any more: what it worked at has exceeded the limits, or it could not even start. */
  const lost = (thread: Own, error?: Error): void => {
    if (!threads.has(thread)) return;
    void end(thread);
    if (thread.job !== undefined) thread.job.resolve({ ok: false });
    else if (!thread.ready && error !== undefined) waiting.shift()?.reject(error);
    next();
  };

  const take = (thread: Own): void => {
    const job = waiting.shift();
    if (job === undefined) {
      if (idleLimit !== undefined)
        thread.timer = setTimeout(() => void end(thread), idleLimit).unref();
      return;
    }
    clearTimeout(thread.timer);
    thread.job = job;
    thread.timer = setTimeout(() => lost(thread), timeLimit);
    thread.worker.postMessage(job.request);
  };

  const startThread = (): void => {
    const worker = new Worker(script, {
      resourceLimits: { maxOldGenerationSizeMb: memoryMebibytes },
    });
    const thread: Own = { worker, ready: false, job: undefined, timer: undefined };
    threads.add(thread);
    // An idle thread does not keep the process.
    worker.unref();
    worker.on("message", (message: Answer) => {
      if (!thread.ready) {
        thread.ready = true;
      } else {
        clearTimeout(thread.timer);
        const { job } = thread;
        thread.job = undefined;
        job?.resolve({ ok: true, answer: message });
      }
      take(thread);
    });
    worker.on("error", (error) => lost(thread, error));
    worker.on("exit", () => lost(thread, new Error("a thread ended before it could work")));
  };

  const next = (): void => {
    if (closed || waiting.length === 0) return;
    const idle = [...threads].find((thread) => thread.ready && thread.job === undefined);
    if (idle !== undefined) {
      take(idle);
      return;
    }
    const starting = [...threads].filter((thread) => !thread.ready).length;
    if (threads.size < size && starting < waiting.length) startThread();
  };

  return {
    run: (request) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new Error("the threads are closed"));
          return;
        }
        waiting.push({ request, resolve, reject });
        next();
      }),

    async close() {
      closed = true;
      const ended = new Error("the threads were closed");
      for (const job of waiting.splice(0)) job.reject(ended);
      const running = [...threads];
      for (const thread of running) thread.job?.reject(ended);
      await Promise.all(running.map((thread) => end(thread)));
    },
  };
}
