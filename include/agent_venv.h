/*
 * agent_venv.h: virtualenv for coding-agent CLIs.
 *
 * An agent such as Claude Code or Codex keeps its settings, history and login in one directory per user. This library makes
 * an environment: a profile directory of its own for one invocation, or for a name, with the host's login in it, and the
 * variables that point the agent there. It never runs the agent, and never changes the host's own profile.
 *
 *     avenv_spec *spec = NULL;
 *     avenv_environment *env = NULL;
 *     avenv_error *error = NULL;
 *     char **envp = NULL;
 *
 *     if (avenv_spec_for_adapter("claude-code", NULL, &spec, &error) == AVENV_OK &&
 *         avenv_environment_create_ephemeral(spec, NULL, &env, &error) == AVENV_OK &&
 *         avenv_environment_envp(env, NULL, &envp, &error) == AVENV_OK) {
 *         ... posix_spawnp(&pid, "claude", NULL, NULL, argv, envp), waitpid(pid, ...) ...
 *     } else {
 *         fprintf(stderr, "%s\n", avenv_error_message(error));
 *     }
 *     avenv_error_free(error);
 *     avenv_envp_free(envp);
 *     avenv_environment_free(env);
 *     avenv_spec_free(spec);
 *
 * Link with -lagent_venv (pkg-config: agent-venv).
 *
 * Conventions, told once
 * ----------------------
 * Status    A function that can fail answers an avenv_status: AVENV_OK, or the kind of the failure.
 * Errors    The last parameter, avenv_error **error, may be NULL. On failure it receives an error object, which is yours,
 *           for avenv_error_free(); on success it is set to NULL. What it held before is overwritten, not freed.
 * Outputs   come after the inputs. On failure they are set to NULL.
 * Ownership A `const char *` that is answered is lent: it belongs to the object it was asked of, never changes, and lives
 *           until that object is freed. A `char *` is yours, for avenv_string_free(). Every _free(NULL) does nothing.
 *           Arguments are read during the call and never kept.
 * Strings   are UTF-8 and end with NUL; bad UTF-8 is AVENV_INVALID_ENVIRONMENT_SPEC. Contents of files are a pointer and a
 *           length; environment blocks are bytes.
 * NULL      for a parameter that is needed is AVENV_INVALID_ENVIRONMENT_SPEC, and the payload's field is the parameter's
 *           name. A getter of NULL answers NULL. NULL options are the defaults; a NULL spec is the empty one.
 * JSON      in both directions is as in docs/: spec, events, errors, adapters.
 * Threads   Every function may be called from any thread at any time, on the same environment too; but _free must be the
 *           last call on its object, and a spec or options are not changed while another thread uses them. Getters take
 *           no lock. The library starts no thread, handles no signal, calls nobody back, and leaves errno as it was.
 *           Do not call it from a signal handler. Environment variables are read during calls: a program that calls
 *           setenv() in another thread passes roots by options instead.
 * Fork      An environment belongs to the process that created it. In a forked child, _free frees memory only, destroy and
 *           refresh of an inherited ephemeral environment are AVENV_INTERNAL_INVARIANT_VIOLATION, exit removes nothing,
 *           and a new ephemeral environment is the child's own. A persistent environment is anybody's: a child may use the
 *           inherited handle, but for one that another thread was destroying or refreshing at the fork, which then is
 *           AVENV_INTERNAL_INVARIANT_VIOLATION too: attach anew. A forked child that lives keeps its parent's
 *           environments from being reaped. A program that becomes a daemon by forking creates its environments after that.
 * Panics    A bug in the library never unwinds into your program: the call answers AVENV_INTERNAL_INVARIANT_VIOLATION
 *           (a getter: NULL).
 * Growth    Functions and status numbers are added, never changed, as long as AVENV_ABI_VERSION stays.
 */


#ifndef AGENT_VENV_H
#define AGENT_VENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Marks the functions of the library; define it yourself for a compiler that needs something else. */
#ifndef AVENV_API
#if defined(__GNUC__)
#define AVENV_API __attribute__((visibility("default")))
#else
#define AVENV_API
#endif
#endif


/**
 * The version of this header: what `avenv_version()` begins with.
 */
#define AVENV_VERSION_MAJOR 0

/**
 * See `AVENV_VERSION_MAJOR`.
 */
#define AVENV_VERSION_MINOR 1

/**
 * See `AVENV_VERSION_MAJOR`.
 */
#define AVENV_VERSION_PATCH 0

/**
 * The binary interface that this header describes. A program runs with a library whose `avenv_abi_version()` is the same.
 */
#define AVENV_ABI_VERSION 0

/**
 * An environment: a profile directory, and the variables that point an agent at it.
 */
typedef struct avenv_environment avenv_environment;

/**
 * Why a call failed. It is the caller's, for `avenv_error_free()`; its strings live as long as it does.
 */
typedef struct avenv_error avenv_error;

/**
 * Where and how. NULL wherever it is taken means the defaults. Setting is not for two threads at once.
 */
typedef struct avenv_options avenv_options;

/**
 * What an environment shall hold. Any number of environments can be made from one. Adding to it is not for two threads
 * at once, nor while another thread makes an environment from it.
 */
typedef struct avenv_spec avenv_spec;

/**
 * What a call answers: AVENV_OK, or what failed. Treat a number that you don't know as a failure: new ones may come.
 */
typedef int32_t avenv_status;



/**
 * The call did what it says.
 */
#define AVENV_OK 0

/**
 * The name is not registered. Payload: name, registry_root.
 */
#define AVENV_ENVIRONMENT_NOT_FOUND 1

/**
 * Reserved. Payload: name.
 */
#define AVENV_ENVIRONMENT_ALREADY_EXISTS 2

/**
 * The recorded adapter and the one asked for differ. Payload: name, expected_adapter_id, actual_adapter_id.
 */
#define AVENV_ADAPTER_MISMATCH 3

/**
 * The profile could not be written: disk full, no permission, a root that is not safe. Payload: reason, path.
 */
#define AVENV_PROFILE_SETUP_FAILED 4

/**
 * The registry can't be read or written, is locked for too long, or corrupt. Payload: reason, path.
 */
#define AVENV_REGISTRY_UNAVAILABLE 5

/**
 * The adapter wants the host's login, and there is none. Payload: adapter_id, looked_at (a list of all places tried).
 */
#define AVENV_CREDENTIALS_MISSING 6

/**
 * The agent's program is not on PATH. Payload: adapter_id, cli_bin.
 */
#define AVENV_ADAPTER_UNAVAILABLE 7

/**
 * Removal failed. Payload: path, os_error. Destroying again tries again.
 */
#define AVENV_CLEANUP_FAILED 8

/**
 * An argument is malformed. Payload: field, reason.
 */
#define AVENV_INVALID_ENVIRONMENT_SPEC 9

/**
 * A handle was misused (after destroy, in a forked child), or the library has a bug. Payload: message.
 */
#define AVENV_INTERNAL_INVARIANT_VIOLATION 10

/**
 * Reserved. Payload: name.
 */
#define AVENV_ENVIRONMENT_IN_USE 11

/**
 * A login in a profile is newer than the host's, or may be, and was kept. Payload: adapter_id, reason.
 */
#define AVENV_CREDENTIALS_CONFLICT 12

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The library's version, such as "0.1.0". Static: never free it.
 */
AVENV_API const char *avenv_version(void);

/**
 * The number of the library's binary interface. Whoever loads the library at run time compares it with
 * AVENV_ABI_VERSION before anything else.
 */
AVENV_API uint32_t avenv_abi_version(void);

/**
 * What this library offers, as a JSON object: "spec_version", "package_version", "language", "operations" and
 * "platforms". Static: never free it.
 */
AVENV_API const char *avenv_capabilities_json(void);

/**
 * The kind that a status stands for, such as "EnvironmentNotFound". Static: never free it. "" for AVENV_OK and for
 * numbers that this version does not know.
 */
AVENV_API const char *avenv_status_kind(avenv_status status);

/**
 * Free a string that a function handed out as `char *`. NULL is nothing to free.
 */
AVENV_API void avenv_string_free(char *string);

/**
 * The status that the failed call answered; AVENV_OK for NULL.
 */
AVENV_API avenv_status avenv_error_status(const avenv_error *error);

/**
 * The kind, such as "CredentialsMissing": the same word in every language. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_error_kind(const avenv_error *error);

/**
 * One line: what failed, where, and what to do. For people; decide by the kind. Never holds a credential.
 * Lent; NULL for NULL.
 */
AVENV_API const char *avenv_error_message(const avenv_error *error);

/**
 * The kind's payload as a JSON object, such as {"path":"...","reason":"..."}. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_error_payload_json(const avenv_error *error);

/**
 * The events of the call that failed, as a JSON list; the last one is the error itself. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_error_events_json(const avenv_error *error);

/**
 * Free an error. NULL is nothing to free.
 */
AVENV_API void avenv_error_free(avenv_error *error);

/**
 * A spec from its JSON form. All fields may be left out; any other one is refused.
 *
 *   adapter_id     string: which adapter this is for; "generic", or the adapter's
 *   env_overrides  object of strings: variables to hand back; $EPHEMERAL_HOME becomes the profile's path
 *   seed_files     object of strings: path below the profile -> content
 *   credentials    the same, mode 0600; refresh_credentials writes only these anew
 *   file_modes     object of integers: path -> mode, 0 to 511 (octal 777); 384 (octal 600) where none is given
 *   prefix         string: start of an ephemeral directory's name, at most 64 bytes
 *   adapter        string or object: an adapter's id, or a definition; the other fields are laid over its own
 *   options        object: the adapter's options, see avenv_spec_for_adapter()
 *
 * json   the text. Read during the call, not kept. The parser may leave copies of its strings in memory: a credential that
 *        must not linger there comes by avenv_spec_add_credential().
 * spec   receives the spec; yours, for avenv_spec_free(). NULL on failure.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: something is malformed; the payload's field names it, such as seed_files["../x"].
 */
AVENV_API
avenv_status avenv_spec_parse(const char *json,
                              avenv_spec **spec,
                              avenv_error **error);

/**
 * A spec for an adapter, to which files and variables can be added. It reads no login: that happens each time an
 * environment is made from it.
 *
 * adapter       an adapter's id ("claude-code", "codex", ...; see avenv_adapter_definition_json()), or a definition as JSON
 *               (it begins with '{').
 * options_json  a JSON object of the adapter's options; NULL for the defaults.
 * spec          receives the spec; yours, for avenv_spec_free(). NULL on failure.
 *
 * The options:
 *
 *   login                "copy" (default): the profile gets a copy of the host's login. "none": it gets none. "share": the
 *                        agent uses the host's login in place. "token": it gets a long-lived token by a variable, read at
 *                        each attach and written nowhere; it is then among the handle's env_overrides.
 *   token_env            for "token": the variable that holds it; default: the one that the agent itself reads
 *   token_file           or the file that holds it: this user's, and nobody else's to read
 *   isolation            "standard" (default) or "strict": close also what else the agent's variables can close
 *   trusted_directories  list of absolute paths which the agent shall trust without asking, where it would ask
 *   load_credentials     false is an older form of login "none"
 *   model, reasoning_effort, workspace, extra_argv
 *                        for avenv_adapter_argv_json()
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: an unknown adapter or option, a malformed definition, or a login that this agent can't
 * have; the reason says why.
 */
AVENV_API
avenv_status avenv_spec_for_adapter(const char *adapter,
                                    const char *options_json,
                                    avenv_spec **spec,
                                    avenv_error **error);

/**
 * Set a variable to hand back, or replace it. $EPHEMERAL_HOME in the value becomes the profile's path.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: the name is empty or holds '='.
 */
AVENV_API avenv_status avenv_spec_set_env(avenv_spec *spec, const char *name, const char *value, avenv_error **error);

/**
 * Add a file that is written when the profile is made, or replace it.
 *
 * path  relative to the profile; directories on the way are made.
 * data  the content, len bytes of it; NULL with 0 is an empty file. Copied.
 * mode  POSIX mode bits, at most octal 777; 0: what the spec's file_modes says, else octal 600.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: a bad path or mode, a path that is a credential's, or a file where another file needs
 * a directory.
 */
AVENV_API
avenv_status avenv_spec_add_seed_file(avenv_spec *spec,
                                      const char *path,
                                      const void *data,
                                      size_t len,
                                      uint32_t mode,
                                      avenv_error **error);

/**
 * Add a credential, or replace it (mode: what the spec's file_modes says, else octal 600): in place of the host's login where the path is the adapter's own.
 *
 * path  relative to the profile.
 * data  the content, len bytes of it. Copied; the copy is wiped from memory when it is let go.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: as for avenv_spec_add_seed_file().
 */
AVENV_API
avenv_status avenv_spec_add_credential(avenv_spec *spec,
                                       const char *path,
                                       const void *data,
                                       size_t len,
                                       avenv_error **error);

/**
 * Free a spec and wipe its credentials from memory; environments made from it keep theirs. NULL is nothing to free.
 */
AVENV_API void avenv_spec_free(avenv_spec *spec);

/**
 * Options with their defaults; yours, for avenv_options_free().
 */
AVENV_API avenv_options *avenv_options_new(void);

/**
 * The registry of persistent environments. Default: $AGENT_VENV_REGISTRY_ROOT, else $XDG_DATA_HOME/agent-venv/envs, else
 * ~/.local/share/agent-venv/envs.
 */
AVENV_API
avenv_status avenv_options_set_registry_root(avenv_options *options,
                                             const char *registry_root,
                                             avenv_error **error);

/**
 * Where ephemeral environments are made. Default: $AGENT_VENV_EPHEMERAL_ROOT, else agent-venv-UID in $TMPDIR, else in
 * /tmp. It is made, mode 0700, where it is missing.
 */
AVENV_API
avenv_status avenv_options_set_ephemeral_root(avenv_options *options,
                                              const char *ephemeral_root,
                                              avenv_error **error);

/**
 * The adapter that an environment must have been created for, in avenv_environment_attach(). Default: any.
 */
AVENV_API
avenv_status avenv_options_set_expected_adapter(avenv_options *options,
                                                const char *adapter_id,
                                                avenv_error **error);

/**
 * How long to wait for the registry's lock, in milliseconds. 0: don't wait. -1: the default, 5,000.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: less than -1.
 */
AVENV_API
avenv_status avenv_options_set_lock_timeout_ms(avenv_options *options,
                                               int64_t lock_timeout_ms,
                                               avenv_error **error);

/**
 * Whether files and directories are flushed to the disk before a call answers, so that they outlive a loss of power.
 * Default: false.
 */
AVENV_API avenv_status avenv_options_set_durable(avenv_options *options, bool durable, avenv_error **error);

/**
 * Whether to do what is otherwise refused for safety's sake. Default: false.
 *
 * avenv_environment_refresh_credentials(): replace a login in the profile that is newer than the host's, or may be.
 * avenv_reap(): remove also what a process on another machine may still own: on network file systems, where its lock can't
 * be seen from here, directories of another boot are otherwise kept.
 */
AVENV_API
avenv_status avenv_options_set_force(avenv_options *options,
                                     bool force,
                                     avenv_error **error);

/**
 * Free options. NULL is nothing to free.
 */
AVENV_API void avenv_options_free(avenv_options *options);

/**
 * Create an ephemeral environment: a fresh profile directory that lives until it is destroyed.
 *
 * spec     what the profile shall hold; NULL for an empty one. Read during the call, not kept.
 * options  where and how; NULL for the defaults. Not kept.
 * env      receives the handle; yours, for avenv_environment_free(). NULL on failure.
 * error    receives the reason on failure; yours, for avenv_error_free(). May be NULL.
 *
 * The host's login is read now, where the spec's adapter wants it.
 *
 * AVENV_PROFILE_SETUP_FAILED: the directory could not be written (disk full, no permission), or the ephemeral root is
 * not safe to use; the message says what to do.
 * AVENV_CREDENTIALS_MISSING: the adapter wants the host's login, and there is none.
 * On failure nothing is left on disk. Any thread; see "Fork" above before you fork with a live handle.
 */
AVENV_API
avenv_status avenv_environment_create_ephemeral(const avenv_spec *spec,
                                                const avenv_options *options,
                                                avenv_environment **env,
                                                avenv_error **error);

/**
 * Attach to the persistent environment `name`, creating it where there is none.
 *
 * name     any UTF-8 text of 1 to 1,024 bytes.
 * spec     what a new profile shall hold; NULL for an empty one. Where the name exists nothing in it is changed, and of the
 *          spec only the adapter's id counts.
 * options  where and how; NULL for the defaults.
 * env      receives the handle; yours, for avenv_environment_free(), which only detaches. NULL on failure.
 *
 * A name is either absent or whole, whichever process dies when; of all who create it at once exactly one does, and all
 * get the same. Whether this call created it, the events tell (env.created or env.attached).
 *
 * AVENV_ADAPTER_MISMATCH: it exists, for another adapter.
 * AVENV_REGISTRY_UNAVAILABLE: the registry can't be read or written, or was locked for longer than the lock timeout.
 * AVENV_PROFILE_SETUP_FAILED, AVENV_CREDENTIALS_MISSING: as for avenv_environment_create_ephemeral().
 * On failure nothing is left but, perhaps, an empty registry.
 */
AVENV_API
avenv_status avenv_environment_create_or_attach(const char *name,
                                                const avenv_spec *spec,
                                                const avenv_options *options,
                                                avenv_environment **env,
                                                avenv_error **error);

/**
 * Attach to the persistent environment `name`. Never creates it, takes no lock, and changes nothing.
 *
 * options  NULL for the defaults; avenv_options_set_expected_adapter() is for this call.
 * env      receives the handle; yours, for avenv_environment_free(), which only detaches. NULL on failure.
 *
 * AVENV_ENVIRONMENT_NOT_FOUND: the name is not registered.
 * AVENV_ADAPTER_MISMATCH: it exists, for another adapter than the expected one.
 * AVENV_CREDENTIALS_MISSING: it was made with login "token", and the token is not where it is taken from. To destroy such an
 * environment needs none: avenv_registry_destroy().
 * AVENV_REGISTRY_UNAVAILABLE: the registry or this entry can't be read, or another program never finished it.
 */
AVENV_API
avenv_status avenv_environment_attach(const char *name,
                                      const avenv_options *options,
                                      avenv_environment **env,
                                      avenv_error **error);

/**
 * The profile directory: an absolute path without links in it. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_environment_path(const avenv_environment *env);

/**
 * The name of a persistent environment. Lent; NULL for an ephemeral one, and for NULL.
 */
AVENV_API const char *avenv_environment_name(const avenv_environment *env);

/**
 * "ephemeral" or "persistent". Lent; NULL for NULL.
 */
AVENV_API const char *avenv_environment_kind(const avenv_environment *env);

/**
 * The adapter that this environment is for; "generic" where the spec named none. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_environment_adapter_id(const avenv_environment *env);

/**
 * The variables to set for the agent, as a JSON object of strings. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_environment_env_overrides_json(const avenv_environment *env);

/**
 * The variables that the agent must not inherit, as a JSON list of names: tokens and directories that would lead it to
 * another login than the profile's. [] where the adapter names none. Lent; NULL for NULL.
 */
AVENV_API const char *avenv_environment_env_unset_json(const avenv_environment *env);

/**
 * The whole environment block for a child, for execve() and posix_spawn(): base, less the variables to unset and those
 * that are overridden, and the overrides.
 *
 * base  entries "NAME=value", ended by NULL; NULL for this process's own environment. Bytes, not UTF-8.
 * envp  receives the block; yours, for avenv_envp_free(). NULL on failure.
 *
 * AVENV_INTERNAL_INVARIANT_VIOLATION: the environment was destroyed.
 */
AVENV_API
avenv_status avenv_environment_envp(const avenv_environment *env,
                                    const char *const *base,
                                    char ***envp,
                                    avenv_error **error);

/**
 * Free a block of avenv_environment_envp(), with all strings in it. NULL is nothing to free.
 */
AVENV_API void avenv_envp_free(char **envp);

/**
 * What was done through this handle, in order, as a JSON list: {"ts_ms":0,"kind":"env.created",...}. ts_ms counts
 * milliseconds since the handle's log began. Never holds a credential or a file's content.
 *
 * events_json  receives the text; yours, for avenv_string_free(). NULL on failure.
 */
AVENV_API
avenv_status avenv_environment_events_json(const avenv_environment *env,
                                           char **events_json,
                                           avenv_error **error);

/**
 * How the profile's login stands to the host's now, as JSON; reads both, changes nothing, and never tells a secret:
 * {"status":"same","expires_at":"2026-05-10T12:00:00Z","files":[...]}.
 *
 * status       "none" (the profile has no login, or the environment no adapter), "same", "host_newer" (refresh brings it),
 *              "profile_newer", "diverged" (both were changed since the copy, or neither tells), "shared", "token".
 * expires_at   when the login that the agent uses ends, RFC 3339; null where its file doesn't tell.
 * files        for each login file: path (below the profile), status, in_profile, on_host, expires_at, host_expires_at.
 *              With the options login "token" and "share" a file in the profile is one that the agent made for itself.
 * status_json  receives the text; yours, for avenv_string_free(). NULL on failure.
 *
 * Which login is the newer one: the profile's, where the host's is still what was copied; else the one that ends later,
 * where both tell; else the host's, where the profile's is still the copy; else, where nobody wrote down what was copied, the
 * file that was changed later.
 *
 * AVENV_CREDENTIALS_MISSING: the host's login is there and can't be read, or is no JSON.
 * AVENV_ENVIRONMENT_NOT_FOUND, AVENV_REGISTRY_UNAVAILABLE, AVENV_PROFILE_SETUP_FAILED: the profile can't be looked at.
 * AVENV_INTERNAL_INVARIANT_VIOLATION: the environment was destroyed, or this is a forked child.
 */
AVENV_API
avenv_status avenv_environment_login_status_json(const avenv_environment *env,
                                                 char **status_json,
                                                 avenv_error **error);

/**
 * Write the credentials anew, each file replaced as a whole, and nothing else in the profile.
 *
 * spec     its credentials are written (its adapter's login, too, read from the host now). NULL: the host's login as it
 *          is now, where the environment was made for an adapter, and the credentials it was created with.
 * options  NULL for the defaults.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC, field spec: there are no credentials to write.
 * AVENV_CREDENTIALS_MISSING: the host has no login now. The profile keeps the one it has.
 * AVENV_CREDENTIALS_CONFLICT: the profile's login is newer than the host's, or may be (the agent renewed it, or logged in
 * anew): see avenv_environment_login_status_json(). avenv_options_set_force() replaces it all the same.
 * AVENV_PROFILE_SETUP_FAILED: a file could not be written; the one before it stands whole.
 * AVENV_ENVIRONMENT_NOT_FOUND: somebody destroyed the persistent environment; what has its name now is another.
 * AVENV_REGISTRY_UNAVAILABLE: as for avenv_environment_create_or_attach().
 * AVENV_INTERNAL_INVARIANT_VIOLATION: the environment was destroyed, or this is a forked child.
 */
AVENV_API
avenv_status avenv_environment_refresh_credentials(avenv_environment *env,
                                                   const avenv_spec *spec,
                                                   const avenv_options *options,
                                                   avenv_error **error);

/**
 * Remove the profile, and the name of a persistent environment. Again: AVENV_OK, nothing to do. So it is where somebody
 * else destroyed it, also if its name was created anew since: that one is left alone. The handle's getters and events
 * answer as before.
 *
 * options  NULL for the defaults.
 *
 * AVENV_CLEANUP_FAILED: something could not be removed (a mount, another user's file); all else was, and the name is free.
 * Call again to try again.
 * AVENV_REGISTRY_UNAVAILABLE: the registry can't be written, or was locked for too long.
 * AVENV_INTERNAL_INVARIANT_VIOLATION: this is a forked child, and the environment is its parent's.
 */
AVENV_API
avenv_status avenv_environment_destroy(avenv_environment *env,
                                       const avenv_options *options,
                                       avenv_error **error);

/**
 * Free a handle; the last call on it, by any thread. A persistent environment stays. An ephemeral environment that was not destroyed is removed, best
 * effort and silently: whoever wants to know calls avenv_environment_destroy() first. In a forked child only memory is
 * freed. NULL is nothing to free.
 */
AVENV_API
void avenv_environment_free(avenv_environment *env);

/**
 * The root of the registry of persistent environments: absolute, without links where it exists. It need not exist, and
 * is not made.
 *
 * path  receives the path; yours, for avenv_string_free(). NULL on failure.
 *
 * AVENV_REGISTRY_UNAVAILABLE: no root is known (no home directory), or its path is not UTF-8.
 */
AVENV_API avenv_status avenv_registry_root(const avenv_options *options, char **path, avenv_error **error);

/**
 * The names of all persistent environments, as a sorted JSON list of strings. A registry that does not exist is empty.
 *
 * names_json  receives the text; yours, for avenv_string_free(). NULL on failure.
 *
 * AVENV_REGISTRY_UNAVAILABLE: the registry can't be read.
 */
AVENV_API avenv_status avenv_registry_list_json(const avenv_options *options, char **names_json, avenv_error **error);

/**
 * Destroy the persistent environment `name`, also one that another program never finished.
 *
 * AVENV_ENVIRONMENT_NOT_FOUND: the name is not registered.
 * AVENV_CLEANUP_FAILED: something could not be removed; the name is free. avenv_reap() takes the rest once it can.
 * AVENV_REGISTRY_UNAVAILABLE: the registry can't be read or written, or was locked for too long.
 */
AVENV_API avenv_status avenv_registry_destroy(const char *name, const avenv_options *options, avenv_error **error);

/**
 * Make the registry's index agree with what is there, after somebody damaged it. An unreadable index is kept under a name
 * of its own. Safe at any time, and twice.
 *
 * report_json  receives what was done; yours, for avenv_string_free(). NULL on failure.
 *   root         the registry's root
 *   kept_index   where the unreadable index was kept, or null
 *   restored     names put into the index again
 *   unverified   the same, of other programs' environments: whether these are whole can't be told
 *   dropped      names taken out, as nothing stands behind them
 *   hostile      names whose entry leads out of the registry; left as they are
 *   removed      directories that an unfinished change had left
 *   unreadable   directories that could not be read, or whose name another one holds; left as they are
 *
 * AVENV_REGISTRY_UNAVAILABLE: the registry can't be written, or was locked for too long.
 */
AVENV_API
avenv_status avenv_registry_repair(const avenv_options *options,
                                   char **report_json,
                                   avenv_error **error);

/**
 * Give this process's own directories for ephemeral environments back, where they are empty. Quick: what a program does at
 * its end that cares for a tidy disk. Otherwise whoever reaps takes them.
 */
AVENV_API
void avenv_give_back(void);

/**
 * Remove the ephemeral environments whose owner died without destroying them, and what unfinished changes left in the
 * registry; give this process's own directories back where they are empty. What a living process owns is kept, and no
 * lock is waited for. Call it when your program starts, or ends, or now and then.
 *
 * report_json  receives what was done; yours, for avenv_string_free(). NULL on failure.
 *   {"ephemeral":{"root":"...","removed":["..."],"kept":1,"failed":[{"path":"...","reason":"..."}]},"registry":{the same}}
 *   root is null where there is no such root yet.
 *
 * AVENV_PROFILE_SETUP_FAILED: the ephemeral root is not safe to use; the message says what to do.
 * AVENV_REGISTRY_UNAVAILABLE: the same of the registry's.
 */
AVENV_API
avenv_status avenv_reap(const avenv_options *options,
                        char **report_json,
                        avenv_error **error);

/**
 * The definitions of the built-in adapters, as a JSON list. A definition of your own has the same fields
 * (docs/adapters.md). Static: never free it.
 */
AVENV_API const char *avenv_adapters_json(void);

/**
 * The definition that an adapter's id stands for, as JSON: a built-in one, else the user's document `<id>.json` in
 * $XDG_CONFIG_HOME/agent-venv/adapters (~/.config/agent-venv/adapters). A definition is answered as it is, checked.
 *
 * definition_json  receives the text; yours, for avenv_string_free(). NULL on failure.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: an unknown id, or a malformed document; the field names the place in it.
 */
AVENV_API avenv_status avenv_adapter_definition_json(const char *adapter, char **definition_json, avenv_error **error);

/**
 * The command line for an unattended run of an adapter's agent, as a JSON list of strings; the prompt goes to the agent's
 * standard input. The library never runs it.
 *
 * adapter       a built-in adapter's id, or a definition as JSON.
 * options_json  a JSON object of options: model (needed by the built-in ones), reasoning_effort, workspace, extra_argv.
 * argv_json     receives the text; yours, for avenv_string_free(). NULL on failure.
 *
 * AVENV_INVALID_ENVIRONMENT_SPEC: an unknown adapter or option, or a value that the command line needs is missing.
 */
AVENV_API
avenv_status avenv_adapter_argv_json(const char *adapter,
                                     const char *options_json,
                                     char **argv_json,
                                     avenv_error **error);

/**
 * Check that the program of an adapter's agent is on PATH. The library never does this by itself.
 *
 * AVENV_ADAPTER_UNAVAILABLE: it is not.
 */
AVENV_API avenv_status avenv_adapter_ensure_available(const char *adapter, avenv_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AGENT_VENV_H */
