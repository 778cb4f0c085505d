package agentvenv

// #include <agent_venv.h>
import "C"

import "context"

// List answers the names of all persistent environments, sorted. A registry that does not exist is empty.
func List(ctx context.Context, options ...Option) ([]string, error) {
	return report[[]string](ctx, options, func(options *C.avenv_options, out **C.char, failure **C.avenv_error) C.avenv_status {
		return C.avenv_registry_list_json(options, out, failure)
	})
}

// DestroyByName destroys the persistent environment of that name, also one that another program never finished.
//
// [ErrEnvironmentNotFound]: there is none.
// [ErrCleanupFailed]: something could not be removed; the name is free, and [Reap] takes the rest once it can.
func DestroyByName(ctx context.Context, name string, options ...Option) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	text, err := lent(name, "name")
	if err != nil {
		return err
	}
	return settingsOf(options).call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
		return C.avenv_registry_destroy(text, options, failure)
	})
}

// RepairReport is what [Repair] did.
type RepairReport struct {
	// Root is the registry's.
	Root string `json:"root"`
	// KeptIndex is where an unreadable index was kept; nil where it could be read.
	KeptIndex *string `json:"kept_index"`
	// Restored are the names that were put into the index again.
	Restored []string `json:"restored"`
	// Unverified are the same, of other programs' environments: whether these are whole can't be told.
	Unverified []string `json:"unverified"`
	// Dropped are the names that were taken out, as nothing stands behind them.
	Dropped []string `json:"dropped"`
	// Hostile are the names whose entry leads out of the registry; they are left as they are.
	Hostile []string `json:"hostile"`
	// Removed are the directories that an unfinished change had left.
	Removed []string `json:"removed"`
	// Unreadable are the directories that could not be read, or whose name another one holds; they are left as they are.
	Unreadable []string `json:"unreadable"`
}

// Repair makes the registry's index agree with what is there, after somebody damaged it. An unreadable index is kept
// under a name of its own. Safe at any time, and twice.
func Repair(ctx context.Context, options ...Option) (RepairReport, error) {
	return report[RepairReport](ctx, options, func(options *C.avenv_options, out **C.char, failure **C.avenv_error) C.avenv_status {
		return C.avenv_registry_repair(options, out, failure)
	})
}

// ReapReport is what [Reap] did: to ephemeral environments, and in the registry.
type ReapReport struct {
	Ephemeral Reaped `json:"ephemeral"`
	Registry  Reaped `json:"registry"`
}

// Reaped is what was done below one root.
type Reaped struct {
	// Root is nil where there is no such root yet.
	Root *string `json:"root"`
	// Removed are the directories of owners that are dead.
	Removed []string `json:"removed"`
	// Kept counts the directories of owners that live.
	Kept int `json:"kept"`
	// Failed are the directories that could not be removed.
	Failed []NotReaped `json:"failed"`
}

// NotReaped is a directory that could not be removed.
type NotReaped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Reap removes the ephemeral environments whose owner died without destroying them, and what unfinished changes left in
// the registry; it gives this process's own directories back where they are empty. What a living process owns is kept,
// and no lock is waited for. Call it when a program starts, or ends, or now and then.
func Reap(ctx context.Context, options ...Option) (ReapReport, error) {
	return report[ReapReport](ctx, options, func(options *C.avenv_options, out **C.char, failure **C.avenv_error) C.avenv_status {
		return C.avenv_reap(options, out, failure)
	})
}

// DefaultRegistryRoot is where persistent environments are kept unless a call says otherwise. It need not exist.
func DefaultRegistryRoot() (string, error) {
	return callForText(func(out **C.char, failure **C.avenv_error) C.avenv_status {
		return C.avenv_registry_root(nil, out, failure)
	})
}

// Capability is what an implementation offers, in terms that all languages share.
type Capability struct {
	SpecVersion    string   `json:"spec_version"`
	PackageVersion string   `json:"package_version"`
	Language       string   `json:"language"`
	Operations     []string `json:"operations"`
	Platforms      []string `json:"platforms"`
}

// Capabilities tells what this package, with the library that it found, offers.
func Capabilities() Capability {
	capability := decode[Capability](C.GoString(C.avenv_capabilities_json()))
	capability.Language = "go"
	return capability
}

func report[T any](
	ctx context.Context, options []Option, do func(*C.avenv_options, **C.char, **C.avenv_error) C.avenv_status,
) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	text, err := settingsOf(options).callForText(do)
	if err != nil {
		return none, err
	}
	return decode[T](text), nil
}
