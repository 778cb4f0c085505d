// Never run: what the declarations promise, and what they must refuse.

import {
  AgentVenvError,
  capabilities,
  ClaudeCode,
  CredentialsMissingError,
  DataAdapter,
  defaultRegistryRoot,
  defineAdapter,
  Environment,
  EnvironmentSpec,
  reap,
  repair,
  version,
  type LoginStatus,
} from "agent-venv-native";

export async function promised(registryRoot: string): Promise<unknown> {
  const spec = ClaudeCode({ model: "m", reasoningEffort: "high", extraArgv: ["-v"] }).buildSpec();
  spec.seedFiles["CLAUDE.md"] = "text";
  spec.credentials["key"] = new Uint8Array(1);
  const env = await Environment.createOrAttach("name", { spec, registryRoot, lockTimeoutMs: 0, durable: true });
  const attached: Environment = await Environment.attach("name", { adapter: "claude-code" });
  const names: string[] = await Environment.list({ registryRoot });
  const kind: "ephemeral" | "persistent" = env.kind;
  const name: string | null = env.name;
  const variable: string | undefined = env.envOverrides["CLAUDE_CONFIG_DIR"];
  const merged: Record<string, string> = env.merged({ PATH: "/bin", UNSET: undefined });
  await env.refreshCredentials();
  await env.refreshCredentials(undefined, { force: true });
  const login: LoginStatus = await env.loginStatus();
  const ends: (string | null)[] = login.files.map((file) => file.host_expires_at);
  const shared: DataAdapter = new DataAdapter("codex", { login: "share", isolation: "strict", trustedDirectories: ["/w"] });
  await env.destroy();
  const removed: string[] = (await reap({ force: true })).ephemeral.removed;
  const restored: string[] = (await repair()).restored;
  const argv: string[] = defineAdapter({ id: "x", program: "x" })().buildArgv("prompt", { workspace: "/w" });
  const told: string[] = [version, defaultRegistryRoot(), capabilities().package_version];
  return [attached, names, kind, name, variable, merged, removed, restored, argv, told, ends, shared];
}

export function narrowed(error: unknown): string[] {
  if (error instanceof CredentialsMissingError) {
    const kind: "CredentialsMissing" = error.kind;
    return [kind, ...error.payload.looked_at];
  }
  return error instanceof AgentVenvError ? [error.kind, error.message, String(error.events[0]?.ts_ms)] : [];
}

export function refused(env: Environment): void {
  // @ts-expect-error: there is no such field
  new EnvironmentSpec({ seed_files: {} });
  // @ts-expect-error: there is no such option
  void Environment.ephemeral({ registryRoot: "/x" });
  // @ts-expect-error: no login is had like that
  ClaudeCode({ login: "steal" });
  // @ts-expect-error: made by its static methods only
  new Environment();
  // @ts-expect-error: never changes
  env.path = "/x";
  // @ts-expect-error: never changes
  env.envOverrides["A"] = "x";
}
