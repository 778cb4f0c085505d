package agentvenv_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"agentvenv"
)

// adapterFunc is an adapter of a caller's own.
type adapterFunc func() (agentvenv.Spec, error)

func (f adapterFunc) AdapterID() string { return "own" }

func (f adapterFunc) BuildSpec(context.Context) (agentvenv.Spec, error) { return f() }

func TestAnOwnAdapterIsAskedWhenAnEnvironmentIsMadeAndAtEachRefresh(t *testing.T) {
	token := "first"
	own := adapterFunc(func() (agentvenv.Spec, error) {
		return agentvenv.Spec{
			AdapterID:    "own",
			EnvOverrides: map[string]string{"OWN_HOME": "$EPHEMERAL_HOME"},
			Credentials:  map[string]string{"token": token},
		}, nil
	})
	root := agentvenv.WithRegistryRoot(t.TempDir())
	ephemeral, err := agentvenv.NewEphemeralFor(ctx, own)
	check(t, err)
	defer ephemeral.Destroy(ctx)
	persistent, err := agentvenv.CreateOrAttachFor(ctx, "n", own, root)
	check(t, err)
	attached, err := agentvenv.Attach(ctx, "n", root, agentvenv.WithAdapter(own))
	check(t, err)
	for _, env := range []*agentvenv.Environment{ephemeral, persistent, attached} {
		token += "+"
		check(t, env.RefreshCredentials(ctx))
		if got := read(t, env.Path(), "token"); got != token {
			t.Errorf("%v: %q, not %q", env, got, token)
		}
	}
	token = "unasked"
	check(t, persistent.RefreshCredentialsWith(ctx, agentvenv.Spec{Credentials: map[string]string{"token": "given"}}))
	if got := read(t, persistent.Path(), "token"); got != "given" {
		t.Errorf("%q", got)
	}
}

func TestAnOwnAdaptersFailureIsTheCallersOwnError(t *testing.T) {
	mine := errors.New("mine")
	own := adapterFunc(func() (agentvenv.Spec, error) { return agentvenv.Spec{}, mine })
	ephemeral := t.TempDir()
	if _, err := agentvenv.NewEphemeralFor(ctx, own, agentvenv.WithEphemeralRoot(ephemeral)); err != mine {
		t.Error(err)
	}
	if entriesBelow(t, ephemeral) != 0 {
		t.Error("something was made")
	}
}

func TestTheSpecOfABuiltInAdapterHoldsNoSecretAndCanBeAddedTo(t *testing.T) {
	spec, err := agentvenv.ClaudeCode{Model: "m", NoCredentials: true}.BuildSpec(ctx)
	check(t, err)
	if len(spec.Credentials) != 0 || spec.AdapterID != "claude-code" {
		t.Errorf("%v", spec)
	}
	spec.SeedFiles = map[string]string{"CLAUDE.md": "Answer in one sentence.\n"}
	env, err := agentvenv.NewEphemeral(ctx, spec)
	check(t, err)
	defer env.Destroy(ctx)
	if files := filesIn(t, env.Path()); !slices.Equal(files, []string{".claude.json 600", "CLAUDE.md 600"}) {
		t.Errorf("%q", files)
	}
}

func TestCommandLinesAreForUnattendedRuns(t *testing.T) {
	claude, err := agentvenv.ClaudeCode{Model: "m", ReasoningEffort: "high", ExtraArgv: []string{"--x", "ü"}}.BuildArgv("")
	check(t, err)
	if want := []string{"claude", "--print", "--model", "m", "--output-format", "stream-json", "--verbose",
		"--dangerously-skip-permissions", "--effort", "high", "--x", "ü"}; !slices.Equal(claude, want) {
		t.Errorf("%q", claude)
	}
	codex, err := agentvenv.Codex{Model: "m", ReasoningEffort: "low"}.BuildArgv("/w")
	check(t, err)
	if want := []string{"codex", "exec", "--model", "m", "--cd", "/w", "--json", "--skip-git-repo-check",
		"--dangerously-bypass-approvals-and-sandbox", "-c", `model_reasoning_effort="low"`}; !slices.Equal(codex, want) {
		t.Errorf("%q", codex)
	}
	_, err = agentvenv.ClaudeCode{}.BuildArgv("")
	refused(t, err, agentvenv.ErrInvalidEnvironmentSpec,
		map[string]any{"field": "options.model", "reason": "is missing: the command line needs it"})
	_, err = agentvenv.Codex{Model: "\xff"}.BuildArgv("")
	refused(t, err, agentvenv.ErrInvalidEnvironmentSpec,
		map[string]any{"field": `options["model"]`, "reason": "is not valid UTF-8"})
}

func TestADefinitionDoesWhatABuiltInAdapterDoes(t *testing.T) {
	definition := agentvenv.Definition{
		ID: "mine", Program: "mine", Prefix: "mine-",
		Env:       map[string]string{"MINE": "$EPHEMERAL_HOME"},
		EnvUnset:  []string{"MINE_TOKEN"},
		SeedFiles: map[string]string{"settings": "{}"},
		Login:     []agentvenv.Login{{Profile: "auth", Host: []agentvenv.HostLogin{{File: "~/.codex/auth.json"}}}},
		Argv:      []any{"{program}", []string{"--model", "{model}"}, []string{"--effort", "{reasoning_effort}"}, "{extra_argv}"},
		Options:   agentvenv.AdapterOptions{Model: "m"},
	}
	env, err := agentvenv.NewEphemeralFor(ctx, definition)
	check(t, err)
	defer env.Destroy(ctx)
	if files := filesIn(t, env.Path()); !slices.Equal(files, []string{"auth 600", "settings 600"}) {
		t.Errorf("%q", files)
	}
	if env.AdapterID() != "mine" || env.EnvOverrides()["MINE"] != env.Path() || !slices.Equal(env.EnvUnset(), []string{"MINE_TOKEN"}) {
		t.Errorf("%v %v %v", env, env.EnvOverrides(), env.EnvUnset())
	}
	argv, err := definition.BuildArgv("")
	check(t, err)
	if !slices.Equal(argv, []string{"mine", "--model", "m"}) {
		t.Errorf("%q", argv)
	}
}
