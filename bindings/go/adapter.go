package agentvenv

// #include <agent_venv.h>
import "C"

import "context"

// Adapter says what an agent needs. [ClaudeCode] and [Codex] are built in; a [Definition] is an adapter as data; write
// your own where data does not do.
type Adapter interface {
	// AdapterID is recorded with environments, and compared on attach.
	AdapterID() string
	// BuildSpec says what an environment for the agent shall hold. It is called when one is made, and again when its
	// credentials are refreshed.
	BuildSpec(ctx context.Context) (Spec, error)
}

// AdapterOptions are the options of adapters that the library knows.
type AdapterOptions struct {
	// Model is needed by BuildArgv.
	Model string
	// ReasoningEffort is given to the agent where it is not empty.
	ReasoningEffort string
	// NoCredentials leaves the host's login out. Without it, a host that has none is [ErrCredentialsMissing].
	NoCredentials bool
	// ExtraArgv are further arguments at the end of the command line.
	ExtraArgv []string
}

// ClaudeCode is the adapter for Claude Code, whose directory is moved by CLAUDE_CONFIG_DIR.
type ClaudeCode struct {
	// Model is needed by BuildArgv.
	Model string
	// ReasoningEffort is given to the agent where it is not empty.
	ReasoningEffort string
	// NoCredentials leaves the host's login out. Without it, a host that has none is [ErrCredentialsMissing].
	NoCredentials bool
	// ExtraArgv are further arguments at the end of the command line.
	ExtraArgv []string
}

// Codex is the adapter for Codex, whose directory is moved by CODEX_HOME.
type Codex struct {
	// Model is needed by BuildArgv.
	Model string
	// ReasoningEffort is given to the agent where it is not empty.
	ReasoningEffort string
	// NoCredentials leaves the host's login out. Without it, a host that has none is [ErrCredentialsMissing].
	NoCredentials bool
	// ExtraArgv are further arguments at the end of the command line.
	ExtraArgv []string
}

// Definition is an adapter as data, for an agent that is not built in.
type Definition struct {
	// ID is recorded with persistent environments.
	ID string `json:"id"`
	// Program is the agent's, looked up on PATH by EnsureAvailable. It is never run.
	Program string `json:"program"`
	// Prefix is the start of an ephemeral directory's name.
	Prefix string `json:"prefix,omitempty"`
	// Env are the variables to hand back; $EPHEMERAL_HOME in a value becomes the profile's path.
	Env map[string]string `json:"env,omitempty"`
	// EnvUnset are variables that the agent must not inherit: they would lead it to another login than the profile's.
	EnvUnset []string `json:"env_unset,omitempty"`
	// SeedFiles are written when a profile is made: path below the profile to content.
	SeedFiles map[string]string `json:"seed_files,omitempty"`
	// Login are the files that log the agent in.
	Login []Login `json:"login,omitempty"`
	// Argv is a command line for unattended runs, with {program}, {model}, {reasoning_effort}, {workspace} and
	// {extra_argv} for their values; {name:quoted} is the value as a JSON string. A []string within it is left out where
	// one of its values was not given.
	Argv []any `json:"argv,omitempty"`

	// Options are those of this use of the adapter.
	Options AdapterOptions `json:"-"`
}

// Login is a file that logs an agent in.
type Login struct {
	// Profile is its path below the profile.
	Profile string `json:"profile"`
	// Host is where it may lie on the host, in order of preference.
	Host []HostLogin `json:"host"`
}

// HostLogin is a place on the host: one of the two.
type HostLogin struct {
	// File is a path that begins with ~/.
	File string `json:"file,omitempty"`
	// Keychain is a service in the macOS Keychain.
	Keychain string `json:"keychain,omitempty"`
}

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
	if o.Model != "" {
		given["model"] = o.Model
	}
	if o.ReasoningEffort != "" {
		given["reasoning_effort"] = o.ReasoningEffort
	}
	if o.NoCredentials {
		given["load_credentials"] = false
	}
	if len(o.ExtraArgv) > 0 {
		given["extra_argv"] = o.ExtraArgv
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
