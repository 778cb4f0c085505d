// Does with the Node package, awaited, what each line says: "ephemeral N" (see driver.c).

import { createInterface } from "node:readline";

const { Environment, EnvironmentSpec } = await import(process.argv[2]);

const spec = new EnvironmentSpec({
  seedFiles: { "settings.json": '{"theme":"dark"}' },
  credentials: { ".credentials.json": '{"token":"no secret"}' },
});

for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line.split(" ")[1]);
  const samples = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const env = await Environment.ephemeral({ spec });
    await env.destroy();
    samples.push((performance.now() - start) * 1e3);
  }
  console.log(JSON.stringify(samples));
}
