// What an environment's calls did, as the library logs it.

/**
 * One entry of a log. Beside `ts_ms` and `kind` it holds the kind's own fields, under the names that they have in every
 * language: `{ ts_ms: 0, kind: "env.destroyed", path: "...", ok: true }`.
 */
export interface EnvironmentEvent {
  /** Milliseconds since the log began. */
  readonly ts_ms: number;
  /** What happened, such as `env.created`. */
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * Called with each event, in order, after the call that caused it. What it throws becomes a warning of the process: the call
 * has been made by then.
 */
export type EventSink = (event: EnvironmentEvent) => void;

/** Hands a log's events to the caller's sink: each once, in the log's order. */
export class Delivery {
  readonly #sink: EventSink | undefined;
  #delivered = 0;

  constructor(sink: EventSink | undefined) {
    this.#sink = sink;
  }

  /** Call the sink for what is new in the log. The log is only read where there is a sink. */
  handOver(log: () => readonly EnvironmentEvent[]): void {
    if (this.#sink === undefined) {
      return;
    }
    const events = log();
    while (this.#delivered < events.length) {
      const event = events[this.#delivered++]!; // counted first: the sink may use the environment
      try {
        this.#sink(event);
      } catch (thrown) {
        process.emitWarning(`onEvent threw: ${String(thrown)}`, "AgentVenvWarning");
      }
    }
  }
}
