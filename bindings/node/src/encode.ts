// What goes into the library: strings, and JSON. What they cannot say is refused here; the library judges the rest.

import { invalid } from "./errors";

/** A map that is safe with any name: without a prototype, `__proto__` and `constructor` are names like others. */
export type StringMap<T> = Record<string, T>;

/** The entries of a plain object as a map. */
export function toMap<T>(entries: Readonly<Record<string, T>>): StringMap<T> {
  return Object.assign(Object.create(null), entries);
}

/** A string that crosses as such: NUL would end it early, so it is refused. */
export function text(value: unknown, field: string): string {
  const checked = unicode(value, field);
  if (checked.includes("\0")) {
    throw invalid(field, "holds NUL");
  }
  return checked;
}

/** JSON of `value`. `field` names the place where it stands, none being the whole spec. */
export function json(value: unknown, field = ""): string {
  try {
    refuseUnsayable(value, field);
    return JSON.stringify(value);
  } catch (reason) {
    if (reason instanceof RangeError) {
      throw invalid(field || "spec", "nests too deep, or is too long");
    }
    throw reason;
  }
}

/** Whether JSON says all of it: no class, no Map, no Date. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null; // also another realm's
}

/** What a value is, for a message. */
export function typeName(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return Object.getPrototypeOf(value)?.constructor?.name || "object";
  }
  return value === null ? "null" : typeof value;
}

function refuseUnsayable(value: unknown, field: string): void {
  if (typeof value === "string") {
    unicode(value, field || "spec");
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) { // not forEach, which skips holes
      refuseUnsayable(value[index], `${field}[${index}]`);
    }
  } else if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const within = placeIn(field, key);
      unicode(key, within);
      refuseUnsayable(item, within);
    }
  } else if (typeof value !== "boolean" && value !== null && !Number.isFinite(value)) {
    throw invalid(field || "spec", `cannot be ${typeof value === "number" ? value : typeName(value)}`);
  }
}

// Fields that map names of the caller's choosing; other objects have fields of their own.
const maps = /(^|\.)(env|env_overrides|seed_files|credentials|file_modes)$/;

/** What the library calls a place in a spec: `options.model`, `seed_files["a/b"]`. */
function placeIn(field: string, key: string): string {
  if (maps.test(field) || !/^\w+$/.test(key)) {
    return field ? `${field}[${JSON.stringify(key)}]` : JSON.stringify(key);
  }
  return field ? `${field}.${key}` : key;
}

function unicode(value: unknown, field: string): string {
  if (typeof value !== "string") {
    throw invalid(field, `must be a string, not ${typeName(value)}`);
  }
  if (!value.isWellFormed()) {
    throw invalid(field, "holds a lone surrogate, so it is not UTF-8");
  }
  return value;
}
