// How an environment's login stands to the host's.

/**
 * `none`: the profile has no login, or the environment no adapter; `host_newer`: refreshing brings it; `diverged`: nobody can
 * tell which is newer.
 */
export type LoginState = "none" | "same" | "host_newer" | "profile_newer" | "diverged" | "shared" | "token";

/** One file that the agent keeps a login in. Never its content. */
export interface LoginFile {
  /** Below the profile. */
  path: string;
  status: LoginState;
  /** Whether the profile has it; with `login` `token` or `share` it is one that the agent made for itself. */
  in_profile: boolean;
  on_host: boolean;
  /** When the profile's ends (RFC 3339), where it tells. */
  expires_at: string | null;
  host_expires_at: string | null;
}

/** What is known of an environment's login, with the names of fields that all languages share. Never the login. */
export interface LoginStatus {
  /** All files together. */
  status: LoginState;
  /** When the login that the agent uses ends (RFC 3339), where its file tells. */
  expires_at: string | null;
  files: LoginFile[];
}
