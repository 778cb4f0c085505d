package agentvenv

// #include <agent_venv.h>
import "C"

import "context"

// Adapter says what an agent needs. [ClaudeCode] and [Codex] are built in; a [DataAdapter] is any by its id; a [Definition]
// is an adapter as data; write your own where data does not do.
type Adapter interface {
	// AdapterID is recorded with environments, and compared on attach.
	AdapterID() string
	// BuildSpec says what an environment for the agent shall hold. It is called when one is made, and again when its
	// credentials are refreshed.
	BuildSpec(ctx context.Context) (Spec, error)
}

// AdapterOptions are the options of adapters that are data. What is empty is left to the library's default.
type AdapterOptions struct {
	// Model is needed by BuildArgv.
	Model string
	// ReasoningEffort is given to the agent where it is not empty.
	ReasoningEffort string
	// Login is what becomes of the host's login.
	Login LoginMode
	// TokenEnv is, for [LoginToken], the variable that holds the token. Default: the one that the agent itself reads.
	TokenEnv string
	// TokenFile is the file that holds it instead, which only its owner may read.
	TokenFile string
	// Isolation is how much is closed.
	Isolation Isolation
	// TrustedDirectories are absolute paths which the agent shall trust without asking.
	TrustedDirectories []string
	// NoCredentials is an older form of [LoginNone].
	NoCredentials bool
	// ExtraArgv are further arguments at the end of the command line.
	ExtraArgv []string
}

// ClaudeCode is the adapter for Claude Code, whose directory is moved by CLAUDE_CONFIG_DIR.
type ClaudeCode AdapterOptions

// Codex is the adapter for Codex, whose directory is moved by CODEX_HOME.
type Codex AdapterOptions

// AdapterID answers "claude-code".
func (c ClaudeCode) AdapterID() string { return "claude-code" }

// AdapterID answers "codex".
func (c Codex) AdapterID() string { return "codex" }

// AdapterID answers the definition's ID.
func (d Definition) AdapterID() string { return d.ID }

// BuildSpec answers a spec that names the adapter. It holds no secret: the library reads the login when an environment is
// made. What you set in it is laid over the adapter's own.
func (c ClaudeCode) BuildSpec(context.Context) (Spec, error) {
	return AdapterOptions(c).spec(c.AdapterID(), c.AdapterID()), nil
}

// BuildSpec answers a spec that names the adapter, see [ClaudeCode.BuildSpec].
func (c Codex) BuildSpec(context.Context) (Spec, error) {
	return AdapterOptions(c).spec(c.AdapterID(), c.AdapterID()), nil
}

// BuildSpec answers a spec with the definition in it, see [ClaudeCode.BuildSpec].
func (d Definition) BuildSpec(context.Context) (Spec, error) {
	return d.Options.spec(d.ID, d), nil
}

// BuildArgv answers the command line for an unattended run, with "claude" first. The prompt is not in it: give it to the
// agent's standard input. Claude Code works in the child's working directory and is not told the workspace.
func (c ClaudeCode) BuildArgv(workspace string) ([]string, error) {
	return AdapterOptions(c).argv(c.AdapterID(), workspace)
}

// BuildArgv answers the command line for an unattended run, with "codex" first. The prompt is not in it: give it to the
// agent's standard input. An empty workspace is the child's working directory.
func (c Codex) BuildArgv(workspace string) ([]string, error) {
	return AdapterOptions(c).argv(c.AdapterID(), workspace)
}

// BuildArgv fills in the definition's Argv.
func (d Definition) BuildArgv(workspace string) ([]string, error) {
	adapter, err := toJSON(d, "adapter")
	if err != nil {
		return nil, err
	}
	return d.Options.argv(adapter, workspace)
}

// EnsureAvailable checks that claude is on PATH, else it is [ErrAdapterUnavailable].
func (c ClaudeCode) EnsureAvailable() error { return ensureAvailable(c.AdapterID()) }

// EnsureAvailable checks that codex is on PATH, else it is [ErrAdapterUnavailable].
func (c Codex) EnsureAvailable() error { return ensureAvailable(c.AdapterID()) }

// EnsureAvailable checks that the program is on PATH, else it is [ErrAdapterUnavailable].
func (d Definition) EnsureAvailable() error {
	adapter, err := toJSON(d, "adapter")
	if err != nil {
		return err
	}
	return ensureAvailable(adapter)
}

func (o AdapterOptions) spec(id string, adapter any) Spec {
	return Spec{AdapterID: id, Adapter: adapter, Options: o.given()}
}

func (o AdapterOptions) given() map[string]any {
	given := map[string]any{}
	for name, value := range map[string]string{
		"model": o.Model, "reasoning_effort": o.ReasoningEffort, "login": string(o.Login),
		"token_env": o.TokenEnv, "token_file": o.TokenFile, "isolation": string(o.Isolation),
	} {
		if value != "" {
			given[name] = value
		}
	}
	for name, values := range map[string][]string{"trusted_directories": o.TrustedDirectories, "extra_argv": o.ExtraArgv} {
		if len(values) > 0 {
			given[name] = values
		}
	}
	if o.NoCredentials {
		given["load_credentials"] = false
	}
	return given
}

// argv takes an adapter as the library does: an id, or a definition as JSON.
func (o AdapterOptions) argv(adapter, workspace string) ([]string, error) {
	given := o.given()
	if workspace != "" {
		given["workspace"] = workspace
	}
	text, err := toJSON(given, "options")
	if err != nil {
		return nil, err
	}
	named, err := lent(adapter, "adapter")
	if err != nil {
		return nil, err
	}
	options, err := lent(text, "options")
	if err != nil {
		return nil, err
	}
	argv, err := callForText(func(out **C.char, failure **C.avenv_error) C.avenv_status {
		return C.avenv_adapter_argv_json(named, options, out, failure)
	})
	if err != nil {
		return nil, err
	}
	return decode[[]string](argv), nil
}

func ensureAvailable(adapter string) error {
	named, err := lent(adapter, "adapter")
	if err != nil {
		return err
	}
	return call(func(failure **C.avenv_error) C.avenv_status {
		return C.avenv_adapter_ensure_available(named, failure)
	})
}
