// The package as a user gets it: from npm pack's tarball, in an empty directory.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { callersHome, directory, ephemeralLeft, packageRoot } from "../support.mjs";

const programs = join(packageRoot, "tests/package");
const empty = directory("empty");
const own = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
let files;

const run = (command, ...given) => execFileSync(command, given, { cwd: empty, encoding: "utf8", env: clean });
const clean = { ...process.env };
delete clean.AGENT_VENV_LIBRARY;
for (const name of Object.keys(clean)) {
  if (/^npm_(package|lifecycle|config_local_prefix)/.test(name)) {
    delete clean[name];
  }
}

before(() => {
  const npm = { cwd: packageRoot, encoding: "utf8", env: { ...clean, HOME: callersHome } };
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", empty], npm);
  const tarball = join(empty, `${own.name}-${own.version}.tgz`);
  assert.ok(existsSync(tarball), packed);
  files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trimEnd().split("\n");
  const tools = Object.entries(own.devDependencies).map(([name, version]) => `${name}@${version}`);
  writeFileSync(join(empty, "package.json"), "{}");
  execFileSync("npm", ["install", "--silent", "--prefer-offline", tarball, ...tools], { ...npm, cwd: empty });
});

test("the tarball holds the library for this platform, the types and the programs, and no sources or tests", () => {
  const suffix = process.platform === "darwin" ? "dylib" : "so";
  for (const file of [
    `dist/${process.platform}-${process.arch}/libagent_venv.${suffix}`,
    "dist/index.js",
    "dist/index.d.ts",
    "dist/index.mjs",
    "dist/index.d.mts",
    "dist/LICENSE",
    "conformance.mjs",
    "examples/quickstart.mjs",
    "README.md",
    "package.json",
  ]) {
    assert.ok(files.includes(`package/${file}`), `${file} is missing of ${files}`);
  }
  const strays = files.filter((file) => !/^package\/(dist|examples)\/|^package\/(README\.md|package\.json|conformance\.mjs)$/.test(file));
  assert.deepEqual(strays, []);
  const text = files.filter((file) => /\.(m?js|d\.m?ts)$/.test(file)).map((file) => readFileSync(join(empty, "node_modules", own.name, file.slice(8)), "utf8"));
  assert.ok(text.every((each) => !each.includes(packageRoot)));
});

for (const name of ["program.mjs", "program.cjs"]) {
  test(`${name} runs`, () => {
    copyFileSync(join(programs, name), join(empty, name));
    assert.equal(run(process.execPath, name), "profile: set\nafterwards: gone\n");
  });
}

test("the quick start runs", () => {
  copyFileSync(join(packageRoot, "examples/quickstart.mjs"), join(empty, "quickstart.mjs"));
  const [profile, set] = run(process.execPath, "quickstart.mjs").trimEnd().split("\n");
  assert.equal(profile.replace(/^profile: /, ""), set.replace(/^set: /, ""));
  assert.deepEqual(ephemeralLeft(), []);
});

const tsc = (source, ...options) =>
  run("node_modules/.bin/tsc", "--strict", "--module", "nodenext", "--target", "es2022", "--noUncheckedIndexedAccess", ...options, source);

for (const name of ["program.mts", "program.cts"]) {
  test(`${name} compiles strictly against the types, and runs`, () => {
    copyFileSync(join(programs, "typed.ts"), join(empty, name));
    tsc(name, "--lib", "es2022,esnext.disposable", "--types", "node");
    assert.equal(run(process.execPath, name.replace("ts", "js")), "profile: set\nafterwards: gone\n");
  });
}

test("the types need no other types, and pass under the strictest options", () => {
  mkdirSync(join(empty, "alone"), { recursive: true });
  copyFileSync(join(programs, "types-alone.mts"), join(empty, "alone/types-alone.mts"));
  tsc("alone/types-alone.mts", "--noEmit", "--lib", "es2022", "--types", "", "--exactOptionalPropertyTypes", "--skipLibCheck", "false");
});

test("the conformance program is installed", () => {
  assert.match(run("node_modules/.bin/agent-venv-conformance"), /^\{"protocol":"agent-venv\.conformance","version":2,"language":"node"/);
});
