// A host of its own for each test file: HOME, temporary directory, roots. All logins are fake.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

export const host = realpathSync(mkdtempSync(join(tmpdir(), "avenv-node-")));
process.on("exit", () => rmSync(host, { recursive: true, force: true }));

for (const variable of Object.keys(process.env)) {
  if (/^(AGENT_VENV_(REGISTRY|EPHEMERAL)_ROOT|XDG_|CLAUDE_|CODEX_|ANTHROPIC_|OPENAI_)/.test(variable)) {
    delete process.env[variable];
  }
}
/** Where npm and cargo keep what they downloaded. */
export const callersHome = process.env.HOME;
process.env.HOME = directory("home");
process.env.TMPDIR = directory("tmp");
process.env.AGENT_VENV_EPHEMERAL_ROOT = directory("ephemeral");
process.env.AGENT_VENV_REGISTRY_ROOT = join(host, "registry");

// Imported only now, so that no test sees the caller's own variables.
export const agentVenv = await import("agent-venv-native");

/** Make a directory of the host. */
export function directory(name) {
  const path = join(host, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

let registries = 0;

/** A registry that no other test uses. */
export function freshRegistry() {
  return join(host, `registry-${++registries}`);
}

export function claudeLogin(subscription) {
  return JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-fake", subscriptionType: subscription } });
}

/** Put a fake login where Claude Code keeps its own; without one, take it away. */
export function setClaudeLogin(content) {
  const place = join(process.env.HOME, ".claude", ".credentials.json");
  mkdirSync(dirname(place), { recursive: true });
  if (content === undefined) {
    rmSync(place, { force: true });
  } else {
    writeFileSync(place, content, { mode: 0o600 });
  }
  return place;
}

/** Everything below the ephemeral root: process directories, profiles, files. */
export function ephemeralLeft() {
  const root = process.env.AGENT_VENV_EPHEMERAL_ROOT;
  return existsSync(root) ? readdirSync(root, { recursive: true }) : [];
}

let programs = 0;

/** A program that uses the package from outside, as a file. */
export function program(source) {
  const script = join(host, `program-${++programs}.mjs`);
  const resolved = source
    .replaceAll('"agent-venv-native"', JSON.stringify(join(packageRoot, "dist/index.mjs")))
    .replaceAll('"koffi"', JSON.stringify(join(packageRoot, "node_modules/koffi/index.js")));
  writeFileSync(script, resolved);
  return script;
}

/** Run a program to its end. */
export function runProgram(source, { command = [process.execPath], env = {} } = {}) {
  const [file, ...rest] = [...command, program(source)];
  return spawnSync(file, rest, { encoding: "utf8", env: { ...process.env, ...env } });
}

/** Start a program, and wait for its first line. */
export async function startProgram(source) {
  const child = spawn(process.execPath, [program(source)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((done) => child.on("exit", (code, signal) => done({ code, signal })));
  const line = await new Promise((read, refuse) => {
    child.stdout.once("data", (chunk) => read(String(chunk).split("\n")[0]));
    void ended.then((end) => refuse(new Error(`the program ended early: ${JSON.stringify(end)}`)));
  });
  return { child, ended, line };
}

/** Another process that holds a registry's lock until it is told to let go. */
export async function holdLock(registryRoot) {
  const holder = await startProgram(`
    import { openSync } from "node:fs";
    import koffi from "koffi";
    const flock = koffi.load(null).func("int flock(int descriptor, int operation)");
    if (flock(openSync(${JSON.stringify(join(registryRoot, ".lock"))}, "r"), 2) !== 0) process.exit(1);
    console.log("held");
    process.stdin.resume().on("end", () => process.exit(0));
  `);
  return async function release() {
    holder.child.stdin.end();
    await holder.ended;
  };
}

/** Let the event loop turn until something holds. */
export async function until(holds) {
  while (!(await holds())) {
    await turn();
  }
}

/** The error that a call answers. */
export async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("the call succeeded");
}
