/* Why a spec is refused, in the library's words (' stands for "). */
#ifndef REASONS_H
#define REASONS_H

#define UNKNOWN "is not known here; known are "
#define NOT_A_FIELD UNKNOWN "adapter_id, env_overrides, seed_files, credentials, file_modes, prefix, adapter, options"
#define NOT_AN_OPTION                                                                                                  \
    UNKNOWN "model, reasoning_effort, load_credentials, extra_argv, workspace, isolation, login, token_env, "          \
            "token_file, trusted_directories"
#define NOT_OF_AN_ADAPTER UNKNOWN "id, program, prefix, env, env_unset, seed_files, login, token, share, trust, strict, argv, leaks"
#define TWICE "is there twice"

#define ABSOLUTE "is absolute: paths are relative to the profile"
#define LEADS_OUT "has the component `..`: it would lead out of the profile"
#define HOLDS_DOT "has the component `.`"
#define EMPTY_PATH "is an empty path"
#define ENDS_IN_SLASH "ends in /: it must name a file"
#define NEEDS_A_DIRECTORY(file) "needs a directory where '" file "' is a file"
#define ON_THE_WAY_TO(file) "is a directory on the way to '" file "'"
#define SEED_AND_CREDENTIAL "is both a seed file and a credential: keep it in credentials alone"

#define NOTHING_WRITES "is a mode for a path that nothing writes"
#define OUT_OF_RANGE "must be from 0 to 511 (octal 777)"

#define EMPTY_VARIABLE_NAME "is an empty variable name"
#define BAD_VARIABLE_NAME "has a variable name that holds = or NUL"

#define NOT_BUILT_IN                                                                                                   \
    "is the id of no built-in adapter (there are claude-code, codex, gemini-cli, opencode, copilot-cli, qwen-code, pi)"
#define GIVE_DEFINITION "; give its definition instead"
#define NO_ADAPTER NOT_BUILT_IN ", and there is no agent-venv/adapters/nobody.json in $XDG_CONFIG_HOME or ~/.config" GIVE_DEFINITION
#define NEEDS_AN_ADAPTER "needs an adapter: name one in the field adapter"

#endif
