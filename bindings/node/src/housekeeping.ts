// The registry as a whole, what killed processes left, and what this package is.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { callFor, callForAsync } from "./calls";
import { library } from "./library";
import { withOptions, type DiskOptions, type EphemeralRootOptions, type RegistryOptions } from "./options";

/** What {@link reap} did in one root. */
export interface ReapReport {
  /** The root; null where there is none yet. */
  root: string | null;
  /** Directories that were removed. */
  removed: string[];
  /** How many have a living owner. */
  kept: number;
  /** What could not be removed. */
  failed: { path: string; reason: string }[];
}

/** What {@link repair} did. */
export interface RepairReport {
  root: string;
  /** Where the unreadable index was kept. */
  kept_index: string | null;
  /** Names put into the index again. */
  restored: string[];
  /** The same, of other programs' environments: whether these are whole can't be told. */
  unverified: string[];
  /** Names taken out, as nothing stands behind them. */
  dropped: string[];
  /** Names whose entry leads out of the registry; left as they are. */
  hostile: string[];
  /** Directories that an unfinished change had left. */
  removed: string[];
  /** Directories that could not be read; left as they are. */
  unreadable: string[];
}

/** What this package can do, and where. */
export interface Capabilities {
  spec_version: string;
  package_version: string;
  language: "node";
  operations: string[];
  platforms: string[];
}

/** Options of {@link reap}. */
export interface ReapOptions extends EphemeralRootOptions, Pick<RegistryOptions, "registryRoot"> {
  /** Also take what another machine may still use, where the root is on a network file system: say so only if none does. */
  force?: boolean | undefined;
}

/** Remove what killed processes left, ephemeral environments and unfinished changes of the registry, and report it. */
export async function reap(options: ReapOptions = {}): Promise<{ ephemeral: ReapReport; registry: ReapReport }> {
  return withOptions(options, async (where) => JSON.parse(await callForAsync(library.reap, where)));
}

/** Make the registry's index agree with what is there, after somebody damaged it. Safe at any time, and twice. */
export async function repair(options: RegistryOptions & DiskOptions = {}): Promise<RepairReport> {
  return withOptions(options, async (where) => JSON.parse(await callForAsync(library.registry_repair, where)));
}

/** Where persistent environments are kept unless a call says otherwise. It need not exist. */
export function defaultRegistryRoot(): string {
  return callFor(library.registry_root, null);
}

/** What this package can do, and where. */
export function capabilities(): Capabilities {
  return { ...JSON.parse(library.capabilities_json() as string), language: "node" };
}

/** This package's version. */
export const version: string = JSON.parse(readFileSync(join(__dirname, "..", "package.json"), "utf8")).version;
