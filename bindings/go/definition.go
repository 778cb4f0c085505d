package agentvenv

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
	// Token names the variable that hands a long-lived token to the agent.
	Token *Variable `json:"token,omitempty"`
	// Share says how the agent uses the host's login in place, or why it can't.
	Share *Share `json:"share,omitempty"`
	// Trust says where the agent keeps which directories it trusts.
	Trust *Trust `json:"trust,omitempty"`
	// Strict is set and unset besides with [IsolationStrict].
	Strict *Variables `json:"strict,omitempty"`
	// Argv is a command line for unattended runs, with {program}, {model}, {reasoning_effort}, {workspace} and
	// {extra_argv} for their values; {name:quoted} is the value as a JSON string. A []string within it is left out where
	// one of its values was not given.
	Argv []any `json:"argv,omitempty"`
	// Leaks are what no variable closes, a sentence each.
	Leaks []string `json:"leaks,omitempty"`

	// Options are those of this use of the adapter.
	Options AdapterOptions `json:"-"`
}

// Login is a file that logs an agent in.
type Login struct {
	// Profile is its path below the profile.
	Profile string `json:"profile"`
	// Optional: it may be missing on the host, as long as one of all is there.
	Optional bool `json:"optional,omitempty"`
	// Beside: it is no login by itself, and copied only beside one.
	Beside bool `json:"beside,omitempty"`
	// Members are JSON Pointers to what of the file is the login, where settings lie in it too.
	Members []string `json:"members,omitempty"`
	// Host is where it may lie on the host, in order of preference.
	Host []HostLogin `json:"host"`
	// Expiry says where it tells when it ends.
	Expiry *Expiry `json:"expiry,omitempty"`
}

// HostLogin is a place on the host: File or Keychain.
type HostLogin struct {
	// File is a path that begins with ~/, or one below Directory.
	File string `json:"file,omitempty"`
	// Directory is where File lies, unless one of Variables names another.
	Directory string `json:"directory,omitempty"`
	// Keychain is a service in the macOS Keychain.
	Keychain string `json:"keychain,omitempty"`
	// Variables of the agent's own that move the login.
	Variables []string `json:"variables,omitempty"`
}

// Expiry is a place in a login.
type Expiry struct {
	// Pointer is a JSON Pointer.
	Pointer string `json:"pointer"`
	// Format is unix_ms, unix_s, rfc3339 or jwt.
	Format string `json:"format"`
}

// Variable is a variable by its name.
type Variable struct {
	Name string `json:"variable"`
}

// Share is one of the three.
type Share struct {
	// Variable leads the agent to the login's directory on the host.
	Variable string `json:"variable,omitempty"`
	// Link: the login file is a symbolic link to the host's.
	Link bool `json:"link,omitempty"`
	// Refused is why the agent can't.
	Refused string `json:"refused,omitempty"`
}

// Trust is a file of the profile, and what is merged into it (JSON) or appended (Append) for each "{directory}".
type Trust struct {
	File   string `json:"file"`
	JSON   any    `json:"json,omitempty"`
	Append string `json:"append,omitempty"`
}

// Variables are set and unset for an agent.
type Variables struct {
	Env      map[string]string `json:"env,omitempty"`
	EnvUnset []string          `json:"env_unset,omitempty"`
}
