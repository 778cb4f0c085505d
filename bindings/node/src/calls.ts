// Calls into the library, on and off the event loop, and the errors that they answer.

import { availableThreads, Gate } from "./gate";
import { errorOfKind, type AgentVenvError } from "./errors";
import { library, type NativeFunction, type Out, type Pointer } from "./library";

const gate = new Gate(availableThreads());

/** Make a call that answers a status; throw the error that it reports. */
export function call(native: NativeFunction, ...parameters: unknown[]): void {
  const error: Out = [null];
  if (native(...parameters, error) !== 0) {
    throw decodeError(error[0]);
  }
}

/** The same off the event loop. */
export async function callAsync(native: NativeFunction, ...parameters: unknown[]): Promise<void> {
  const error: Out = [null];
  if ((await run(native, ...parameters, error)) !== 0) {
    throw decodeError(error[0]);
  }
}

/** A call whose last answer before the error is an object, or text. */
export async function callForAsync<T>(native: NativeFunction, ...parameters: unknown[]): Promise<T> {
  const out: Out<T> = [null];
  await callAsync(native, ...parameters, out);
  return out[0] as T;
}

/** As callForAsync, on the event loop. */
export function callFor<T>(native: NativeFunction, ...parameters: unknown[]): T {
  const out: Out<T> = [null];
  call(native, ...parameters, out);
  return out[0] as T;
}

/** Run a function off the event loop. */
export function run(native: NativeFunction, ...parameters: unknown[]): Promise<unknown> {
  return gate.pass(
    () =>
      new Promise((resolve, reject) => {
        native.async(...parameters, (failure: unknown, result: unknown) =>
          failure ? reject(failure) : resolve(result),
        );
      }),
  );
}

/** Copy a string that the library lends. */
export function read<T extends string | null = string>(getter: NativeFunction, object: Pointer): T {
  return getter(object) as T;
}

/** Decode JSON that the library lends. */
export function readJson<T>(getter: NativeFunction, object: Pointer): T {
  return JSON.parse(read(getter, object));
}

function decodeError(error: Pointer): AgentVenvError {
  try {
    return errorOfKind(
      read(library.error_kind, error),
      read(library.error_message, error),
      readJson(library.error_payload_json, error),
      readJson(library.error_events_json, error),
    );
  } finally {
    library.error_free(error);
  }
}
