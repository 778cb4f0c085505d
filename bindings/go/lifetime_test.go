package agentvenv_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"agentvenv"
)

// forget makes environments that nobody holds any more.
func forget(t *testing.T, root string) (ephemeral []string, persistent string) {
	t.Helper()
	for range 20 {
		env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{SeedFiles: map[string]string{"a/b": "1"}})
		check(t, err)
		ephemeral = append(ephemeral, env.Path())
	}
	env, err := agentvenv.CreateOrAttach(ctx, "kept", agentvenv.Spec{}, agentvenv.WithRegistryRoot(root))
	check(t, err)
	return ephemeral, env.Path()
}

func TestTheCollectorRemovesForgottenEphemeralEnvironmentsAndKeepsPersistentOnes(t *testing.T) {
	ephemeral, persistent := forget(t, t.TempDir())
	for slices.ContainsFunc(ephemeral, exists) {
		runtime.GC()
		runtime.Gosched()
	}
	if !exists(persistent) {
		t.Error("the persistent one was removed")
	}
}

func forgetHeldBySink(t *testing.T) string {
	var env *agentvenv.Environment
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{Credentials: map[string]string{"c": "1"}},
		agentvenv.WithEventSink(func(agentvenv.Event) {
			if env != nil {
				_ = env.Path()
			}
		}))
	check(t, err)
	check(t, env.RefreshCredentials(ctx))
	return env.Path()
}

func TestTheCollectorRemovesAForgottenEnvironmentThatItsSinkHolds(t *testing.T) {
	for path := forgetHeldBySink(t); exists(path); {
		runtime.GC()
		runtime.Gosched()
	}
}

func TestTheCollectorLeavesAnEnvironmentAloneForAsLongAsACallLasts(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	check(t, os.MkdirAll(filepath.Join(home, ".claude"), 0o700))
	login := filepath.Join(home, ".claude/.credentials.json")
	for {
		write(login, hostLogin)
		env := must(agentvenv.NewEphemeralFor(ctx, agentvenv.ClaudeCode{}))
		// A login that is torn is read again for a while: so long the call lasts, of which nobody holds the environment.
		write(login, hostLogin[:10])
		answer := make(chan error)
		go func(env *agentvenv.Environment) { answer <- env.RefreshCredentials(ctx) }(env)
		env = nil
		for range 3 {
			collect()
		}
		write(login, hostLogin)
		err := <-answer
		if errors.Is(err, agentvenv.ErrCredentialsMissing) {
			continue // it was not mended in time, and tells nothing
		}
		check(t, err)
		return
	}
}

// collect returns when the collector has run, and so have the cleanups of what it found.
func collect() {
	canary := func() string { return must(agentvenv.NewEphemeral(ctx, agentvenv.Spec{})).Path() }
	for path := canary(); exists(path); {
		runtime.GC()
		runtime.Gosched()
	}
}

func TestACallInProgressHoldsItsEnvironment(t *testing.T) {
	root := agentvenv.WithRegistryRoot(t.TempDir())
	spec := agentvenv.Spec{Credentials: map[string]string{"c": "1"}, EnvOverrides: map[string]string{"P": "$EPHEMERAL_HOME"}}
	_, err := agentvenv.CreateOrAttach(ctx, "n", spec, root)
	check(t, err)

	// Each environment is garbage as soon as the call on it has begun, and the collector is always at work.
	var done atomic.Bool
	var collector, workers sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for !done.Load() {
			runtime.GC()
		}
	}()
	base := slices.Repeat([]string{"NAME=value"}, 200)
	for range 4 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for range 100 {
				if events := must(agentvenv.Attach(ctx, "n", root)).Events(); kindsOf(events) != "env.attached registry.read" {
					t.Errorf("%v", events)
				}
				merged := must(must(agentvenv.NewEphemeral(ctx, spec)).Merged(base))
				if len(merged) != 201 || !strings.HasPrefix(merged[200], "P=/") {
					t.Errorf("%q", merged)
				}
				if err := must(agentvenv.NewEphemeral(ctx, spec)).RefreshCredentials(ctx); err != nil {
					t.Error(err)
				}
				if err := must(agentvenv.NewEphemeral(ctx, spec)).Destroy(ctx); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	workers.Wait()
	done.Store(true)
	collector.Wait()
}

func TestAnyNumberOfGoroutinesMayDestroyOneEnvironment(t *testing.T) {
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{SeedFiles: map[string]string{"a/b/c": "1"}})
	check(t, err)
	var group sync.WaitGroup
	for range 32 {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := env.Destroy(ctx); err != nil {
				t.Error(err)
			}
			_, _ = env.Merged(os.Environ())
			_ = env.EnvOverrides()
		}()
	}
	group.Wait()
	if kindsOf(env.Events()) != "env.created profile.materialized env.destroyed" || exists(env.Path()) {
		t.Errorf("%v", env.Events())
	}
}

func TestOfAllGoroutinesThatMakeANameExactlyOneDoes(t *testing.T) {
	root := agentvenv.WithRegistryRoot(t.TempDir())
	spec := agentvenv.Spec{SeedFiles: map[string]string{"a": "1"}}
	for round := range 20 {
		name := fmt.Sprint("round ", round)
		var created atomic.Int32
		var paths sync.Map
		var group sync.WaitGroup
		for range 16 {
			group.Add(1)
			go func() {
				defer group.Done()
				env, err := agentvenv.CreateOrAttach(ctx, name, spec, root)
				if err != nil {
					t.Error(err)
					return
				}
				if env.Events()[0].Kind == "env.created" {
					created.Add(1)
				}
				paths.Store(env.Path(), true)
				if content, err := os.ReadFile(filepath.Join(env.Path(), "a")); err != nil || string(content) != "1" {
					t.Errorf("not whole: %q, %v", content, err)
				}
			}()
		}
		group.Wait()
		found := 0
		paths.Range(func(any, any) bool { found++; return true })
		if created.Load() != 1 || found != 1 {
			t.Errorf("%s: %d made it, at %d places", name, created.Load(), found)
		}
	}
}

// own makes an environment and a child that outlives it, tells where, and waits to be killed.
func own() error {
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{Credentials: map[string]string{"c": "sk-fake"}})
	if err != nil {
		return err
	}
	child := exec.Command("cat")
	child.Stdin = os.Stdin
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(env.Path())
	if err := child.Wait(); err != nil {
		return err
	}
	return env.Destroy(ctx)
}

func TestAKilledOwnersProfileIsReapedThoughItsChildLives(t *testing.T) {
	ephemeral := t.TempDir()
	owner := startActor(t, "owner", nil, "AGENT_VENV_EPHEMERAL_ROOT="+ephemeral)
	path := owner.line(t)
	root, registry := agentvenv.WithEphemeralRoot(ephemeral), agentvenv.WithRegistryRoot(t.TempDir())

	report, err := agentvenv.Reap(ctx, root, registry)
	check(t, err)
	if report.Ephemeral.Kept != 1 || len(report.Ephemeral.Removed) != 0 || !exists(path) {
		t.Fatalf("of a living owner: %+v", report)
	}
	check(t, owner.command.Process.Kill())
	_ = owner.command.Wait()
	report, err = agentvenv.Reap(ctx, root, registry)
	check(t, err)
	if !slices.Equal(report.Ephemeral.Removed, []string{filepath.Dir(path)}) || report.Ephemeral.Kept != 0 || exists(path) {
		t.Errorf("of a killed owner: %+v", report)
	}
	if report.Ephemeral.Root == nil || *report.Ephemeral.Root != ephemeral || len(report.Ephemeral.Failed) != 0 {
		t.Errorf("%+v", report)
	}
}

func TestReapGivesThisProcesssOwnDirectoryBackWhenItIsEmpty(t *testing.T) {
	ephemeral := t.TempDir()
	root := agentvenv.WithEphemeralRoot(ephemeral)
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{}, root)
	check(t, err)
	_, err = agentvenv.Reap(ctx, root)
	check(t, err)
	if !exists(env.Path()) {
		t.Fatal("it took what is in use")
	}
	check(t, env.Destroy(ctx))
	_, err = agentvenv.Reap(ctx, root)
	check(t, err)
	if entriesBelow(t, ephemeral) != 0 {
		t.Error("the directory is still there")
	}
}
