package agentvenv

// #include <agent_venv.h>
import "C"

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"unsafe"
)

// Environment is a profile directory of its own for an agent, and the variables that point the agent there.
type Environment struct {
	handle   *handle
	settings *settings
	delivery *delivery

	// These never change, and still read after Destroy.
	path, name, kind, adapterID string
	overrides                   map[string]string
	unset                       []string
}

// handle is the library's object, which the collector frees.
type handle struct{ pointer *C.avenv_environment }

func owned(pointer *C.avenv_environment) *handle {
	h := &handle{pointer}
	runtime.AddCleanup(h, func(pointer *C.avenv_environment) { C.avenv_environment_free(pointer) }, pointer)
	return h
}

// lend gives the object to one call, and keeps the collector from it until that is over: nobody else need hold it.
func (h *handle) lend(use func(*C.avenv_environment) error) error {
	defer runtime.KeepAlive(h)
	return use(h.pointer)
}

// Path is the profile directory: absolute, and without links in it.
func (e *Environment) Path() string { return e.path }

// Name is the name of a persistent environment; an ephemeral one has none.
func (e *Environment) Name() string { return e.name }

// Kind is "ephemeral" or "persistent".
func (e *Environment) Kind() string { return e.kind }

// IsPersistent tells whether the environment is kept until it is destroyed.
func (e *Environment) IsPersistent() bool { return e.kind == "persistent" }

// AdapterID is the adapter that the environment is for; "generic" where none was named.
func (e *Environment) AdapterID() string { return e.adapterID }

// EnvOverrides are the variables to set for the agent.
func (e *Environment) EnvOverrides() map[string]string { return maps.Clone(e.overrides) }

// EnvUnset are the variables that the agent must not inherit: they would lead it to another login than the profile's.
func (e *Environment) EnvUnset() []string { return slices.Clone(e.unset) }

// Merged answers the environment block for a child: the entries of environ ("NAME=value", see [os.Environ]), less those
// of EnvUnset and EnvOverrides, and the overrides. It is what [os/exec.Cmd.Env] takes.
//
// [ErrInternalInvariantViolation]: the environment was destroyed.
func (e *Environment) Merged(environ []string) ([]string, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	base := make([]*C.char, len(environ)+1)
	for i, entry := range environ {
		text, err := lent(entry, "environ["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		pinner.Pin(text)
		base[i] = text
	}
	var envp **C.char
	err := e.handle.lend(func(env *C.avenv_environment) error {
		return call(func(failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_envp(env, &base[0], &envp, failure)
		})
	})
	if err != nil {
		return nil, err
	}
	defer C.avenv_envp_free(envp)
	merged := []string{}
	for ; *envp != nil; envp = next(envp) {
		merged = append(merged, C.GoString(*envp))
	}
	return merged, nil
}

func next(entry **C.char) **C.char {
	return (**C.char)(unsafe.Add(unsafe.Pointer(entry), unsafe.Sizeof(*entry)))
}

// Events is what was done to the environment through this value, in order.
func (e *Environment) Events() []Event {
	var text string
	err := e.handle.lend(func(env *C.avenv_environment) (err error) {
		text, err = callForText(func(out **C.char, failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_events_json(env, out, failure)
		})
		return err
	})
	if err != nil {
		panic(err) // a bug: of an environment that stands or has stood, the log can be read
	}
	return decode[[]Event](text)
}

// With answers the same environment, whose calls have further options: e.With(WithForce()).RefreshCredentials(ctx).
func (e *Environment) With(options ...Option) *Environment {
	same, settings := *e, *e.settings
	for _, option := range options {
		option(&settings)
	}
	same.settings = &settings
	return &same
}

// RefreshCredentials writes the credentials anew, each file replaced as a whole, and nothing else in the profile. Where
// an adapter was given with the environment, its BuildSpec says which. Else it is the host's login as it is now, where the
// environment was made for an adapter, and the credentials that it was made with.
//
// [ErrInvalidEnvironmentSpec], field spec: there are no credentials to write.
// [ErrCredentialsMissing]: the host has no login now. The profile keeps the one it has.
// [ErrCredentialsConflict]: the profile's login is newer than the host's, or may be; [WithForce] replaces it all the same.
// [ErrEnvironmentNotFound]: somebody destroyed the environment; what has its name now is another.
// [ErrInternalInvariantViolation]: the environment was destroyed through this value.
func (e *Environment) RefreshCredentials(ctx context.Context) error {
	return e.during(ctx, func(env *C.avenv_environment) error {
		if e.settings.adapter == nil {
			return e.settings.refresh(env, nil)
		}
		spec, err := e.settings.adapter.BuildSpec(ctx)
		if err != nil {
			return err
		}
		return spec.lend(func(spec *C.avenv_spec) error { return e.settings.refresh(env, spec) })
	})
}

// RefreshCredentialsWith writes that spec's credentials instead, see [Environment.RefreshCredentials].
func (e *Environment) RefreshCredentialsWith(ctx context.Context, spec Spec) error {
	return e.during(ctx, func(env *C.avenv_environment) error {
		return spec.lend(func(spec *C.avenv_spec) error { return e.settings.refresh(env, spec) })
	})
}

func (s *settings) refresh(env *C.avenv_environment, spec *C.avenv_spec) error {
	return s.call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
		return C.avenv_environment_refresh_credentials(env, spec, options, failure)
	})
}

// Destroy removes the profile, and the name of a persistent environment. A second time it does nothing; a persistent one
// that somebody else destroyed counts as destroyed, and what has its name since is left alone. The getters, Events and
// EnvOverrides answer as before.
//
// As for every call, a context that is done prevents it.
//
// [ErrCleanupFailed]: something could not be removed; all else was, and the name is free. Call again to try again.
func (e *Environment) Destroy(ctx context.Context) error {
	return e.during(ctx, func(env *C.avenv_environment) error {
		return e.settings.call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_destroy(env, options, failure)
		})
	})
}

// during makes a call on the handle, and then tells its events.
func (e *Environment) during(ctx context.Context, work func(*C.avenv_environment) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer e.delivery.tell(e.Events)
	return e.handle.lend(work)
}

// Format writes kind, name, adapter and path, whatever the verb: the variables may be secrets.
func (e *Environment) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "agentvenv.Environment{%s", e.kind)
	if e.name != "" {
		fmt.Fprintf(state, " %q", e.name)
	}
	fmt.Fprintf(state, " for %q at %q}", e.adapterID, e.path)
}
