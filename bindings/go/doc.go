// Package agentvenv gives each run of a coding-agent CLI a profile directory of its own.
//
// Agents such as Claude Code and Codex keep settings, history and a login in one directory per user. An [Environment] is
// such a directory for one run ([NewEphemeral]) or for a name ([CreateOrAttach]), with the host's login in it, and the
// variables that point the agent there. You start the agent; the host's own profile is never changed:
//
//	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.ClaudeCode{})
//	if err != nil {
//		return err
//	}
//	defer env.Destroy(context.WithoutCancel(ctx))
//
//	child := exec.CommandContext(ctx, "claude", "--print", "hello")
//	if child.Env, err = env.Merged(os.Environ()); err != nil {
//		return err
//	}
//	return child.Run()
//
// # The library
//
// The package is a binding, through cgo, of the C library agent-venv, which must be installed where pkg-config finds it.
// Programs link it dynamically, or, built with the tag agentvenv_static, statically.
//
// # Contexts
//
// A call whose context is done does nothing, and answers the context's error. A call that has begun runs to its end: it
// is work on files, and takes milliseconds, but for the wait for a registry's lock, which [WithLockTimeout] bounds. As
// [Environment.Destroy] is no exception, give it a context that outlives the work, as above.
//
// # Errors and events
//
// What the library refuses is an *[Error]; compare its kind with [errors.Is]:
//
//	if errors.Is(err, agentvenv.ErrCredentialsMissing) { ... }
//
// Each call tells what it did, see [Environment.Events] and [WithEventSink].
//
// # Lifetime
//
// An ephemeral environment lives until [Environment.Destroy]. One that is dropped without is removed at some time after
// the collector has found it, or, if the process ends first, by another process: each removes what it finds of the dead
// when it makes its first environment, and [Reap] removes all. A persistent one stays until it is destroyed.
//
// All functions and methods may be used by any number of goroutines at once.
package agentvenv
