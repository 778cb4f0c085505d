// How many calls run off the event loop at once.

/**
 * How many threads calls may take: all but one of Node's pool. A call can wait seconds for a registry's lock, and the rest of
 * the program's files and name look-ups use that pool, too. (And koffi takes 256 calls at most.)
 */
export function availableThreads(): number {
  const pool = Number.parseInt(process.env["UV_THREADPOOL_SIZE"] ?? "", 10) || 4;
  return Math.min(Math.max(pool - 1, 1), 128);
}

/** Lets so many through at once, and the others in the order in which they came. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) {
      this.#free--;
    } else {
      await new Promise<void>((enter) => this.#waiting.push(enter));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) {
        next(); // the place goes to the one who waited
      } else {
        this.#free++;
      }
    }
  }
}
