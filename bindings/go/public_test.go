package agentvenv_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agentvenv"
)

// What programs for the public package do.

func TestAnEphemeralProfileHasTheHostsLoginAndIsGoneAfterDestroy(t *testing.T) {
	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.ClaudeCode{})
	check(t, err)
	if files := filesIn(t, env.Path()); !slices.Equal(files, []string{".claude.json 600", ".credentials.json 600"}) {
		t.Errorf("files: %q", files)
	}
	if got := read(t, env.Path(), ".credentials.json"); got != hostLogin {
		t.Errorf("login: %q", got)
	}
	if env.EnvOverrides()["CLAUDE_CONFIG_DIR"] != env.Path() || len(env.EnvOverrides()) != 1 {
		t.Errorf("overrides: %v", env.EnvOverrides())
	}
	if env.Kind() != "ephemeral" || env.IsPersistent() || env.Name() != "" || env.AdapterID() != "claude-code" {
		t.Errorf("%s %t %q %s", env.Kind(), env.IsPersistent(), env.Name(), env.AdapterID())
	}
	check(t, env.Destroy(ctx))
	check(t, env.Destroy(ctx))
	if exists(env.Path()) {
		t.Error("the profile is still there")
	}
	if env.EnvOverrides()["CLAUDE_CONFIG_DIR"] != env.Path() || len(env.Events()) == 0 {
		t.Error("the getters don't answer after Destroy")
	}
}

func TestAChildOfTheProfileSeesItAndNoInheritedLogin(t *testing.T) {
	t.Setenv("CLAUDE_CONFIG_DIR", filepath.Join(os.Getenv("HOME"), ".claude"))
	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.ClaudeCode{})
	check(t, err)
	defer env.Destroy(ctx)

	child := exec.Command("sh", "-c", `printf '%s|%s|%s' "$CLAUDE_CONFIG_DIR" "${ANTHROPIC_API_KEY-unset}" "$AGENTVENV_TEST_UNRELATED"`)
	child.Env, err = env.Merged(os.Environ())
	check(t, err)
	output, err := child.Output()
	check(t, err)
	if string(output) != env.Path()+"|unset|kept" {
		t.Errorf("the child saw %q", output)
	}
	if !slices.Contains(env.EnvUnset(), "ANTHROPIC_API_KEY") {
		t.Errorf("unset: %q", env.EnvUnset())
	}
}

func TestMergedReplacesEveryDuplicateAndKeepsWhatIsNotUTF8(t *testing.T) {
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{EnvOverrides: map[string]string{"A": "$EPHEMERAL_HOME/x"}})
	check(t, err)
	defer env.Destroy(ctx)
	merged, err := env.Merged([]string{"A=1", "B=\xff\xfe", "A=2", "no equals sign", "AB=3"})
	check(t, err)
	if want := []string{"B=\xff\xfe", "no equals sign", "AB=3", "A=" + env.Path() + "/x"}; !slices.Equal(merged, want) {
		t.Errorf("%q", merged)
	}
	merged, err = env.Merged(nil)
	check(t, err)
	if !slices.Equal(merged, []string{"A=" + env.Path() + "/x"}) {
		t.Errorf("without entries: %q", merged)
	}
}

func TestASpecIsWrittenAsItSays(t *testing.T) {
	spec := agentvenv.Spec{
		AdapterID:    "mine",
		EnvOverrides: map[string]string{"MY_HOME": "$EPHEMERAL_HOME", "TWICE": "$EPHEMERAL_HOME:$EPHEMERAL_HOME"},
		SeedFiles:    map[string]string{"a/b/c": "deep", "empty": "", "bytes": "\x00\xff\n", "hook": "#!/bin/sh\n", "öß\n\"": "ü"},
		Credentials:  map[string]string{"key": "sk-fake", "wide": "\xff"},
		FileModes:    map[string]os.FileMode{"hook": 0o700, "wide": 0o640, "empty": 0},
		Prefix:       "mine-",
	}
	env, err := agentvenv.NewEphemeral(ctx, spec)
	check(t, err)
	defer env.Destroy(ctx)
	want := []string{"a/b/c 600", "bytes 600", "empty 0", "hook 700", "key 600", "wide 640", "öß\n\" 600"}
	if files := filesIn(t, env.Path()); !slices.Equal(files, want) {
		t.Errorf("files: %q", files)
	}
	for path, content := range map[string]string{"a/b/c": "deep", "bytes": "\x00\xff\n", "key": "sk-fake", "wide": "\xff", "öß\n\"": "ü"} {
		if got := read(t, env.Path(), path); got != content {
			t.Errorf("%q holds %q", path, got)
		}
	}
	if env.AdapterID() != "mine" || !strings.HasPrefix(filepath.Base(env.Path()), "mine-") {
		t.Errorf("%s at %s", env.AdapterID(), env.Path())
	}
	if env.EnvOverrides()["TWICE"] != env.Path()+":"+env.Path() {
		t.Errorf("overrides: %v", env.EnvOverrides())
	}
}

func TestAPersistentProfileIsTheSameForAllWhoNameIt(t *testing.T) {
	root := agentvenv.WithRegistryRoot(t.TempDir())
	first, err := agentvenv.CreateOrAttachFor(ctx, "skill", agentvenv.Codex{}, root)
	check(t, err)
	second, err := agentvenv.CreateOrAttach(ctx, "skill", agentvenv.Spec{AdapterID: "codex"}, root)
	check(t, err)
	third, err := agentvenv.Attach(ctx, "skill", root, agentvenv.WithAdapter(agentvenv.Codex{}))
	check(t, err)
	for _, env := range []*agentvenv.Environment{first, second, third} {
		if env.Path() != first.Path() || env.Name() != "skill" || !env.IsPersistent() || env.AdapterID() != "codex" ||
			env.EnvOverrides()["CODEX_HOME"] != first.Path() {
			t.Errorf("%v %v", env, env.EnvOverrides())
		}
	}
	names, err := agentvenv.List(ctx, root)
	check(t, err)
	if !slices.Equal(names, []string{"skill"}) {
		t.Errorf("%q", names)
	}
	check(t, agentvenv.DestroyByName(ctx, "skill", root))
	check(t, third.Destroy(ctx))
	if exists(first.Path()) {
		t.Error("the profile is still there")
	}
}

func TestTheDefaultRegistryIsTheOneOfTheVariable(t *testing.T) {
	root := t.TempDir()
	t.Setenv("AGENT_VENV_REGISTRY_ROOT", root)
	if got, err := agentvenv.DefaultRegistryRoot(); err != nil || got != root {
		t.Errorf("%q, %v", got, err)
	}
	env, err := agentvenv.CreateOrAttach(ctx, "here", agentvenv.Spec{})
	check(t, err)
	if !strings.HasPrefix(env.Path(), root+"/envs/") {
		t.Errorf("made at %s", env.Path())
	}
	names, err := agentvenv.List(ctx)
	check(t, err)
	if !slices.Equal(names, []string{"here"}) {
		t.Errorf("%q", names)
	}
}

func TestRefreshBringsTheLoginAsItIsNow(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	check(t, os.MkdirAll(filepath.Join(home, ".claude"), 0o700))
	login := filepath.Join(home, ".claude/.credentials.json")
	write(login, `{"n":1}`)
	root := agentvenv.WithRegistryRoot(t.TempDir())
	made, err := agentvenv.CreateOrAttachFor(ctx, "reviewer", agentvenv.ClaudeCode{}, root)
	check(t, err)
	attached, err := agentvenv.Attach(ctx, "reviewer", root)
	check(t, err)

	for i, refresh := range []func() error{
		func() error { return made.RefreshCredentials(ctx) },
		func() error { return attached.RefreshCredentials(ctx) },
	} {
		now := `{"n":"new ` + string(rune('1'+i)) + `"}`
		write(login, now)
		check(t, refresh())
		if got := read(t, made.Path(), ".credentials.json"); got != now {
			t.Errorf("refresh %d: %q", i, got)
		}
	}
	spec := agentvenv.Spec{Credentials: map[string]string{"token": "sk-fake-other"}}
	check(t, attached.RefreshCredentialsWith(ctx, spec))
	if got := read(t, made.Path(), "token"); got != "sk-fake-other" {
		t.Errorf("token: %q", got)
	}
	if got := read(t, made.Path(), ".credentials.json"); got != `{"n":"new 2"}` {
		t.Errorf("the other login was touched: %q", got)
	}

	check(t, os.Remove(login))
	if err := made.RefreshCredentials(ctx); !errors.Is(err, agentvenv.ErrCredentialsMissing) {
		t.Errorf("without a login on the host: %v", err)
	}
	if got := read(t, made.Path(), ".credentials.json"); got != `{"n":"new 2"}` {
		t.Errorf("the profile lost its login: %q", got)
	}
}

func TestDurableEnvironmentsAreMadeToo(t *testing.T) {
	root := agentvenv.WithRegistryRoot(t.TempDir())
	env, err := agentvenv.CreateOrAttach(ctx, "n", agentvenv.Spec{SeedFiles: map[string]string{"a": "1"}}, root, agentvenv.WithDurable())
	check(t, err)
	if read(t, env.Path(), "a") != "1" {
		t.Error("not written")
	}
	check(t, env.Destroy(ctx))
}

func TestCapabilitiesSpeakOfThisPackage(t *testing.T) {
	capabilities := agentvenv.Capabilities()
	if capabilities.Language != "go" || capabilities.SpecVersion != "0.1" || capabilities.PackageVersion == "" ||
		!slices.Contains(capabilities.Operations, "create_or_attach") || !slices.Contains(capabilities.Platforms, "linux") {
		t.Errorf("%+v", capabilities)
	}
}

func TestTheReadmeShowsTheExampleThatIsTested(t *testing.T) {
	if !strings.Contains(read(t, "README.md"), "```go\n"+read(t, "example/main.go")+"```\n") {
		t.Error("README.md and example/main.go differ")
	}
}
