package agentvenv_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"agentvenv"
)

const (
	fakeToken = "sk-ant-oat01-fake-token"
	document  = `{"id":"mine","program":"my-agent","env":{"MINE_HOME":"$EPHEMERAL_HOME"},"env_unset":["MINE_TOKEN"],
		"login":[{"profile":"auth","host":[{"file":"~/.mine"}]}],"argv":["{program}","--model","{model}","{extra_argv}"]}`
)

// newHost is a home of the test's own, with a fake login for each agent.
func newHost(t *testing.T) string {
	t.Helper()
	home := must(filepath.EvalSymlinks(t.TempDir()))
	t.Setenv("HOME", home)
	for _, directory := range []string{".claude", ".codex"} {
		check(t, os.Mkdir(filepath.Join(home, directory), 0o700))
	}
	write(filepath.Join(home, ".claude/.credentials.json"), claudeLogin("host", 4102444800000))
	write(filepath.Join(home, ".codex/auth.json"), `{"OPENAI_API_KEY":"fake"}`)
	return home
}

func claudeLogin(mark string, expiresAt int64) string {
	return fmt.Sprintf(`{"claudeAiOauth":{"accessToken":"fake-%s","expiresAt":%d}}`, mark, expiresAt)
}

func made(t *testing.T, adapter agentvenv.Adapter) *agentvenv.Environment {
	t.Helper()
	env, err := agentvenv.NewEphemeralFor(ctx, adapter)
	check(t, err)
	t.Cleanup(func() { check(t, env.Destroy(ctx)) })
	return env
}

func statusIs(t *testing.T, env *agentvenv.Environment, want agentvenv.LoginState) agentvenv.LoginStatus {
	t.Helper()
	login, err := env.LoginStatus(ctx)
	check(t, err)
	if login.Status != want {
		t.Errorf("%q, not %q", login.Status, want)
	}
	return login
}

func mergedOf(t *testing.T, env *agentvenv.Environment, base ...string) []string {
	t.Helper()
	merged, err := env.Merged(base)
	check(t, err)
	return merged
}

func TestTheStatusFollowsHostAndProfileUntilOneIsForcedOnTheOther(t *testing.T) {
	host := filepath.Join(newHost(t), ".claude/.credentials.json")
	env := made(t, agentvenv.ClaudeCode{})
	profile := filepath.Join(env.Path(), ".credentials.json")
	ends := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	file := agentvenv.LoginFile{Path: ".credentials.json", Status: agentvenv.StateSame, InProfile: true, OnHost: true,
		ExpiresAt: &ends, HostExpiresAt: &ends}
	want := agentvenv.LoginStatus{Status: agentvenv.StateSame, ExpiresAt: &ends, Files: []agentvenv.LoginFile{file}}
	if login := statusIs(t, env, agentvenv.StateSame); !reflect.DeepEqual(login, want) {
		t.Errorf("%+v", login)
	}

	write(host, claudeLogin("host again", 4102444900000))
	statusIs(t, env, agentvenv.StateHostNewer)
	check(t, env.RefreshCredentials(ctx))

	write(profile, claudeLogin("agent", 4102445000000))
	statusIs(t, env, agentvenv.StateProfileNewer)
	err := env.RefreshCredentials(ctx)
	var failure *agentvenv.Error
	if !errors.As(err, &failure) || failure.Kind != agentvenv.ErrCredentialsConflict || failure.Payload["adapter_id"] != "claude-code" {
		t.Errorf("%v", err)
	}
	check(t, env.With(agentvenv.WithForce()).RefreshCredentials(ctx))
	if got := read(t, profile); got != claudeLogin("host again", 4102444900000) {
		t.Errorf("%q", got)
	}
	check(t, os.Remove(profile))
	if login := statusIs(t, env, agentvenv.StateNone); login.ExpiresAt != nil || login.Files[0].InProfile {
		t.Errorf("%+v", login)
	}
	check(t, env.Destroy(ctx))
	if _, err := env.LoginStatus(ctx); err == nil {
		t.Error("the status of what was destroyed")
	}
}

func TestFurtherOptionsAreThoseOfOneCallAndItsEventsAreHeard(t *testing.T) {
	newHost(t)
	var heard []string
	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.Codex{}, agentvenv.WithEventSink(func(e agentvenv.Event) { heard = append(heard, e.Kind) }))
	check(t, err)
	write(filepath.Join(env.Path(), "auth.json"), `{"OPENAI_API_KEY":"fake-agent"}`)
	check(t, env.With(agentvenv.WithForce()).RefreshCredentials(ctx))
	write(filepath.Join(env.Path(), "auth.json"), `{"OPENAI_API_KEY":"fake-agent"}`)
	if err := env.RefreshCredentials(ctx); err == nil {
		t.Error("it was forced again")
	}
	check(t, env.Destroy(ctx))
	if want := "env.created credentials.copied credentials.refreshed error env.destroyed"; strings.Join(heard, " ") != want {
		t.Errorf("%q", heard)
	}
}

func TestATokenIsHandedToTheChildAndKeptNowhere(t *testing.T) {
	home := newHost(t)
	t.Setenv("MY_TOKEN", fakeToken)
	registry := t.TempDir()
	root := agentvenv.WithRegistryRoot(registry)
	adapter := agentvenv.ClaudeCode{Login: agentvenv.LoginToken, TokenEnv: "MY_TOKEN"}
	_, err := agentvenv.CreateOrAttachFor(ctx, "n", adapter, root)
	check(t, err)
	env, err := agentvenv.Attach(ctx, "n", root)
	check(t, err)
	statusIs(t, env, agentvenv.StateToken)
	merged := mergedOf(t, env, "CLAUDE_CODE_OAUTH_TOKEN=other", "ANTHROPIC_API_KEY=other", "KEPT=1")
	if want := []string{"KEPT=1", "CLAUDE_CODE_OAUTH_TOKEN=" + fakeToken, "CLAUDE_CONFIG_DIR=" + env.Path()}; !slices.Equal(merged, want) {
		t.Errorf("%q", merged)
	}
	files := filesIn(t, registry)
	for _, file := range files {
		if strings.Contains(read(t, registry, file[:strings.LastIndex(file, " ")]), fakeToken) {
			t.Errorf("%s holds the token", file)
		}
	}
	if len(files) < 3 || exists(filepath.Join(env.Path(), ".credentials.json")) || strings.Contains(fmt.Sprintf("%v", env), fakeToken) {
		t.Errorf("%q %v", files, env)
	}

	write(filepath.Join(home, "token"), fakeToken+"\n")
	other := made(t, agentvenv.Codex{Login: agentvenv.LoginToken, TokenFile: "~/token"})
	if other.EnvOverrides()["CODEX_API_KEY"] != fakeToken {
		t.Error("no token from a file")
	}
}

func TestALoginIsShared(t *testing.T) {
	home := newHost(t)
	env := made(t, agentvenv.Codex{Login: agentvenv.LoginShare})
	if target := must(os.Readlink(filepath.Join(env.Path(), "auth.json"))); target != filepath.Join(home, ".codex/auth.json") {
		t.Error(target)
	}
	statusIs(t, env, agentvenv.StateShared)
}

func TestStrictIsolationReachesTheChild(t *testing.T) {
	base := []string{"ANTHROPIC_BASE_URL=x", "XDG_CACHE_HOME=/host", "KEPT=1"}
	standard := made(t, agentvenv.ClaudeCode{Login: agentvenv.LoginNone, Isolation: agentvenv.IsolationStandard})
	if merged := mergedOf(t, standard, base...); !slices.Equal(merged, append(base, "CLAUDE_CONFIG_DIR="+standard.Path())) {
		t.Errorf("%q", merged)
	}
	strict := made(t, agentvenv.ClaudeCode{Login: agentvenv.LoginNone, Isolation: agentvenv.IsolationStrict})
	merged := mergedOf(t, strict, base...)
	if merged[0] != "KEPT=1" || !slices.Contains(merged, "XDG_CACHE_HOME="+strict.Path()+"/cache") || slices.Contains(merged, "ANTHROPIC_BASE_URL=x") {
		t.Errorf("%q", merged)
	}
}

func TestDirectoriesAreTrusted(t *testing.T) {
	work := must(filepath.EvalSymlinks(t.TempDir()))
	env := made(t, agentvenv.ClaudeCode{Login: agentvenv.LoginNone, TrustedDirectories: []string{work, "/no/such"}})
	var settings struct {
		Projects map[string]map[string]bool `json:"projects"`
	}
	check(t, json.Unmarshal([]byte(read(t, env.Path(), ".claude.json")), &settings))
	if len(settings.Projects) != 2 || !settings.Projects[work]["hasTrustDialogAccepted"] || !settings.Projects["/no/such"]["hasTrustDialogAccepted"] {
		t.Errorf("%v", settings)
	}
}

func TestAnAdapterOfOnesOwnIsFoundByIdAndReadFromJSON(t *testing.T) {
	for _, by := range []string{document, ".config", "config"} {
		home := newHost(t)
		write(filepath.Join(home, ".mine"), "fake")
		named := by
		if by != document {
			named = "mine"
			t.Setenv("XDG_CONFIG_HOME", map[string]string{"config": filepath.Join(home, by)}[by])
			directory := filepath.Join(home, by, "agent-venv/adapters")
			check(t, os.MkdirAll(directory, 0o700))
			write(filepath.Join(directory, "mine.json"), document)
		}
		adapter, err := agentvenv.NewDataAdapter(named, agentvenv.AdapterOptions{Model: "m", ExtraArgv: []string{"-v"}})
		check(t, err)
		if definition := adapter.Definition(); adapter.AdapterID() != "mine" || definition.Program != "my-agent" || definition.Login[0].Profile != "auth" {
			t.Errorf("%+v", definition)
		}
		if argv := must(adapter.BuildArgv("")); !slices.Equal(argv, []string{"my-agent", "--model", "m", "-v"}) {
			t.Errorf("%q", argv)
		}
		refused(t, adapter.EnsureAvailable(), agentvenv.ErrAdapterUnavailable, map[string]any{"adapter_id": "mine", "cli_bin": "my-agent"})
		env := made(t, adapter)
		if merged := mergedOf(t, env, "MINE_TOKEN=x"); !slices.Equal(merged, []string{"MINE_HOME=" + env.Path()}) || read(t, env.Path(), "auth") != "fake" {
			t.Errorf("%q", merged)
		}
		write(filepath.Join(home, ".mine"), "fake again")
		check(t, env.RefreshCredentials(ctx))
		statusIs(t, env, agentvenv.StateSame)
	}
}

func TestADefinitionSaysAllThatTheBuiltInOnesSay(t *testing.T) {
	documents := must(filepath.Glob("../../src/adapter/builtin/*.json"))
	if len(documents) < 2 {
		t.Fatalf("%q", documents)
	}
	for _, document := range documents {
		builtIn, err := agentvenv.NewDataAdapter(strings.TrimSuffix(filepath.Base(document), ".json"), agentvenv.AdapterOptions{})
		check(t, err)
		var want, got any
		check(t, json.Unmarshal([]byte(read(t, document)), &want))
		check(t, json.Unmarshal(must(json.Marshal(builtIn.Definition())), &got))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v\nnot\n%v", got, want)
		}
	}
}

func TestABuiltInAdapterIsKnownByItsIDToo(t *testing.T) {
	newHost(t)
	adapter, err := agentvenv.NewDataAdapter("codex", agentvenv.AdapterOptions{Login: agentvenv.LoginShare})
	check(t, err)
	statusIs(t, made(t, adapter), agentvenv.StateShared)
}

func TestWhatIsNoAdapterOrCanNotBeHadIsRefused(t *testing.T) {
	for named, field := range map[string]string{"nobody": "adapter", "no\x00body": "adapter", `{"id":"x"}`: "adapter.program"} {
		if _, err := agentvenv.NewDataAdapter(named, agentvenv.AdapterOptions{}); err == nil || err.(*agentvenv.Error).Payload["field"] != field {
			t.Errorf("%q: %v", named, err)
		}
	}
	for field, options := range map[string]agentvenv.AdapterOptions{
		"options.login":                  {Login: agentvenv.LoginShare},
		"options.isolation":              {Isolation: "total"},
		"options.token_file":             {TokenFile: "/t"},
		"options.trusted_directories[0]": {TrustedDirectories: []string{"relative"}},
	} {
		adapter := must(agentvenv.NewDataAdapter(document, options))
		if _, err := agentvenv.NewEphemeralFor(ctx, adapter); err == nil || err.(*agentvenv.Error).Payload["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
