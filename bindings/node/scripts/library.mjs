// Build the library and put it where the package looks for it; the licence goes with it.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const crate = resolve(here, "../..");
const name = `libagent_venv.${process.platform === "darwin" ? "dylib" : "so"}`;

if (!existsSync(join(crate, "Cargo.toml"))) {
  throw new Error(`There is no crate at ${crate}: run this in a checkout of the project.`);
}
execFileSync("cargo", ["rustc", "--release", "--locked", "--quiet", "--lib", "--crate-type", "cdylib"], { cwd: crate, stdio: "inherit" });

const built = join(resolve(crate, process.env.CARGO_TARGET_DIR || "target"), "release", name);
const place = join(here, "dist", `${process.platform}-${process.arch}`, name);
mkdirSync(dirname(place), { recursive: true });
rmSync(place, { force: true }); // a process may have the old one mapped: never write into it
copyFileSync(built, place);
copyFileSync(join(crate, "LICENSE"), join(here, "dist", "LICENSE"));
