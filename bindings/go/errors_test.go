package agentvenv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"agentvenv"
)

// refused checks kind and whole payload, and what every error is.
func refused(t *testing.T, err error, kind agentvenv.Kind, payload map[string]any) {
	t.Helper()
	var failure *agentvenv.Error
	if !errors.As(err, &failure) {
		t.Fatalf("no *Error but %T: %v", err, err)
	}
	if !errors.Is(err, kind) || failure.Kind != kind || !reflect.DeepEqual(failure.Payload, payload) {
		t.Errorf("%v\n got payload %v\nwant %s %v", err, failure.Payload, kind, payload)
	}
	if failure.Message == "" || strings.Contains(failure.Message, "\n") || err.Error() != string(kind)+": "+failure.Message {
		t.Errorf("message: %q", err.Error())
	}
	if len(failure.Events) == 0 {
		t.Fatal("an error without its events")
	}
	last := failure.Events[len(failure.Events)-1]
	if last.Kind != "error" || last.Data["error_kind"] != string(kind) || last.Data["message"] != failure.Message {
		t.Errorf("last event: %v", last)
	}
}

func TestEachKindIsToldByTheCallThatFails(t *testing.T) {
	registry := t.TempDir()
	root := agentvenv.WithRegistryRoot(registry)
	notFound := map[string]any{"name": "nobody", "registry_root": registry}

	_, err := agentvenv.Attach(ctx, "nobody", root)
	refused(t, err, agentvenv.ErrEnvironmentNotFound, notFound)
	refused(t, agentvenv.DestroyByName(ctx, "nobody", root), agentvenv.ErrEnvironmentNotFound, notFound)

	env, err := agentvenv.CreateOrAttach(ctx, "mine", agentvenv.Spec{AdapterID: "first"}, root)
	check(t, err)
	mismatch := map[string]any{"name": "mine", "expected_adapter_id": "first", "actual_adapter_id": "codex"}
	_, err = agentvenv.CreateOrAttachFor(ctx, "mine", agentvenv.Codex{NoCredentials: true}, root)
	refused(t, err, agentvenv.ErrAdapterMismatch, mismatch)
	_, err = agentvenv.Attach(ctx, "mine", root, agentvenv.WithAdapter(agentvenv.Codex{}))
	refused(t, err, agentvenv.ErrAdapterMismatch, mismatch)

	check(t, env.Destroy(ctx))
	_, err = env.Merged(nil)
	misuse := "the environment at " + fmt.Sprintf("%q", env.Path()) + " was destroyed: create another"
	refused(t, err, agentvenv.ErrInternalInvariantViolation, map[string]any{"message": misuse})
	refused(t, env.RefreshCredentials(ctx), agentvenv.ErrInternalInvariantViolation, map[string]any{"message": misuse})
}

func TestAHostWithoutLoginIsToldWhereItWasLookedFor(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	_, err := agentvenv.NewEphemeralFor(ctx, agentvenv.Codex{})
	refused(t, err, agentvenv.ErrCredentialsMissing, map[string]any{
		"adapter_id": "codex", "looked_at": []any{filepath.Join(home, ".codex/auth.json")},
	})
}

func TestAnAgentThatIsNotOnPathIsTold(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	unavailable := map[string]any{"adapter_id": "claude-code", "cli_bin": "claude"}
	refused(t, agentvenv.ClaudeCode{}.EnsureAvailable(), agentvenv.ErrAdapterUnavailable, unavailable)
	refused(t, agentvenv.Definition{ID: "own", Program: "own-agent"}.EnsureAvailable(), agentvenv.ErrAdapterUnavailable,
		map[string]any{"adapter_id": "own", "cli_bin": "own-agent"})
	check(t, os.WriteFile(filepath.Join(bin, "claude"), []byte("#!/bin/sh\n"), 0o755))
	check(t, agentvenv.ClaudeCode{}.EnsureAvailable())
}

func TestAnEphemeralRootThatIsNoDirectoryIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(file, "")
	_, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{}, agentvenv.WithEphemeralRoot(file))
	var failure *agentvenv.Error
	if !errors.As(err, &failure) || failure.Payload["path"] != file || failure.Payload["reason"] == "" {
		t.Fatalf("%v", err)
	}
	refused(t, err, agentvenv.ErrProfileSetupFailed, failure.Payload)
}

func TestATornIndexIsRefusedAndRepaired(t *testing.T) {
	registry := t.TempDir()
	root := agentvenv.WithRegistryRoot(registry)
	env, err := agentvenv.CreateOrAttach(ctx, "kept", agentvenv.Spec{}, root)
	check(t, err)
	index := filepath.Join(registry, "index.json")
	write(index, `{"schema_version":1,"ent`)

	_, err = agentvenv.List(ctx, root)
	var failure *agentvenv.Error
	if !errors.As(err, &failure) || failure.Payload["path"] != index || failure.Payload["reason"] == "" {
		t.Fatalf("%v", err)
	}
	refused(t, err, agentvenv.ErrRegistryUnavailable, failure.Payload)

	report, err := agentvenv.Repair(ctx, root)
	check(t, err)
	if report.Root != registry || report.KeptIndex == nil || !reflect.DeepEqual(report.Restored, []string{"kept"}) {
		t.Errorf("%+v", report)
	}
	attached, err := agentvenv.Attach(ctx, "kept", root)
	check(t, err)
	if attached.Path() != env.Path() {
		t.Error("another profile")
	}
}

func TestALockThatIsHeldIsWaitedForNoLongerThanAsked(t *testing.T) {
	registry := t.TempDir()
	root := agentvenv.WithRegistryRoot(registry)
	_, err := agentvenv.CreateOrAttach(ctx, "mine", agentvenv.Spec{}, root)
	check(t, err)
	lock, err := os.Open(filepath.Join(registry, ".lock"))
	check(t, err)
	defer lock.Close()
	check(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	for _, timeout := range []time.Duration{0, time.Nanosecond, 30 * time.Millisecond} {
		err = agentvenv.DestroyByName(ctx, "mine", root, agentvenv.WithLockTimeout(timeout))
		if !errors.Is(err, agentvenv.ErrRegistryUnavailable) {
			t.Errorf("%v: %v", timeout, err)
		}
	}
	env, err := agentvenv.Attach(ctx, "mine", root, agentvenv.WithLockTimeout(0))
	check(t, err)
	if err := env.Destroy(ctx); !errors.Is(err, agentvenv.ErrRegistryUnavailable) {
		t.Errorf("the option was not kept for later calls: %v", err)
	}
	_ = lock.Close()
	check(t, env.Destroy(ctx))
}

func mountAndDestroy() error {
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{SeedFiles: map[string]string{"mounted/x": "", "other": ""}})
	if err != nil {
		return err
	}
	mounted := filepath.Join(env.Path(), "mounted")
	if err := syscall.Mount("none", mounted, "tmpfs", 0, ""); err != nil {
		return err
	}
	failed := env.Destroy(ctx)
	if err := syscall.Unmount(mounted, 0); err != nil {
		return err
	}
	again := env.Destroy(ctx)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"error": failed, "mounted": mounted, "again": again == nil, "gone": !exists(env.Path()), "log": kindsOf(env.Events()),
	})
}

func TestWhatCannotBeRemovedIsToldAndTriedAgain(t *testing.T) {
	mounter := startActor(t, "mounter", &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	})
	var told struct {
		Error       agentvenv.Error
		Mounted     string
		Again, Gone bool
		Log         string
	}
	check(t, json.NewDecoder(mounter.output).Decode(&told))
	check(t, mounter.command.Wait())
	if told.Error.Payload["os_error"] == "" || !told.Again || !told.Gone {
		t.Errorf("%+v", told)
	}
	refused(t, &told.Error, agentvenv.ErrCleanupFailed, map[string]any{"path": told.Mounted, "os_error": told.Error.Payload["os_error"]})
	if told.Log != "env.created profile.materialized env.destroyed error env.destroyed" {
		t.Errorf("log: %s", told.Log)
	}
}

func TestAKindOfALaterLibraryIsTold(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &agentvenv.Error{Kind: "FromTheFuture"})
	if !errors.Is(err, agentvenv.Kind("FromTheFuture")) || errors.Is(err, agentvenv.ErrEnvironmentNotFound) {
		t.Error("the kind is not told")
	}
	for kind, name := range map[agentvenv.Kind]string{
		agentvenv.ErrEnvironmentAlreadyExists: "EnvironmentAlreadyExists",
		agentvenv.ErrEnvironmentInUse:         "EnvironmentInUse",
		agentvenv.ErrCredentialsConflict:      "CredentialsConflict",
	} {
		if !errors.Is(&agentvenv.Error{Kind: agentvenv.Kind(name)}, kind) {
			t.Errorf("reserved kind %s", name)
		}
	}
}

func TestAContextThatIsDonePreventsEveryCall(t *testing.T) {
	registry, ephemeral := t.TempDir(), t.TempDir()
	root, away := agentvenv.WithRegistryRoot(registry), agentvenv.WithEphemeralRoot(ephemeral)
	standing, err := agentvenv.CreateOrAttach(ctx, "standing", agentvenv.Spec{Credentials: map[string]string{"k": "1"}}, root)
	check(t, err)
	before := kindsOf(standing.Events())
	done, cancel := context.WithCancel(ctx)
	cancel()
	asked := adapterFunc(func() (agentvenv.Spec, error) {
		t.Error("the adapter was asked all the same")
		return agentvenv.Spec{}, nil
	})
	for name, call := range map[string]func() error{
		"NewEphemeral":           func() error { _, err := agentvenv.NewEphemeral(done, agentvenv.Spec{}, away); return err },
		"NewEphemeralFor":        func() error { _, err := agentvenv.NewEphemeralFor(done, asked, away); return err },
		"CreateOrAttach":         func() error { _, err := agentvenv.CreateOrAttach(done, "n", agentvenv.Spec{}, root); return err },
		"CreateOrAttachFor":      func() error { _, err := agentvenv.CreateOrAttachFor(done, "n", asked, root); return err },
		"Attach":                 func() error { _, err := agentvenv.Attach(done, "standing", root); return err },
		"List":                   func() error { _, err := agentvenv.List(done, root); return err },
		"Reap":                   func() error { _, err := agentvenv.Reap(done, root, away); return err },
		"Repair":                 func() error { _, err := agentvenv.Repair(done, root); return err },
		"DestroyByName":          func() error { return agentvenv.DestroyByName(done, "standing", root) },
		"RefreshCredentials":     func() error { return standing.RefreshCredentials(done) },
		"RefreshCredentialsWith": func() error { return standing.RefreshCredentialsWith(done, agentvenv.Spec{}) },
		"Destroy":                func() error { return standing.Destroy(done) },
	} {
		if err := call(); err != context.Canceled {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entriesBelow(t, ephemeral) != 0 || entriesBelow(t, filepath.Join(registry, "envs")) != 1 || kindsOf(standing.Events()) != before {
		t.Error("something was done all the same")
	}
	check(t, standing.Destroy(ctx))
}
