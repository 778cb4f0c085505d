// What becomes of an environment that nobody destroyed: when it is collected, and at exit.

import { call, read, run } from "./calls";
import { AgentVenvError } from "./errors";
import { library, type Pointer } from "./library";

// Ephemeral environments of this thread that were not destroyed. At exit they are; a persistent one is kept anyway.
const live = new Set<Handle>();

/** The library's object behind an environment. It is freed once the environment is collected. */
export class Handle {
  readonly pointer: Pointer;

  constructor(pointer: Pointer) {
    this.pointer = pointer;
    if (read(library.environment_kind, pointer) === "ephemeral") {
      live.add(this);
    }
  }

  /** Free the object some time after `environment` was collected. */
  endWith(environment: object): void {
    collected.register(environment, this);
  }

  /** The environment was destroyed: nothing is left to do at exit. */
  destroyed(): void {
    live.delete(this);
  }

  /** The environment was collected. */
  free(): void {
    live.delete(this); // first: at exit nobody may meet an object that is being freed
    void run(library.environment_free, this.pointer); // it removes files, so not on the event loop
  }
}

const collected = new FinalizationRegistry<Handle>((handle) => handle.free());

/** Remove what is left. Nothing is freed: another thread may still be inside a call. */
process.on("exit", () => {
  for (const handle of live) {
    quietly(() => call(library.environment_destroy, handle.pointer, null));
  }
  library.give_back();
});

function quietly(work: () => void): void {
  try {
    work();
  } catch (failure) {
    if (!(failure instanceof AgentVenvError)) {
      throw failure;
    }
  }
}
