package agentvenv_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"agentvenv"
)

func TestWhatCannotCrossIsRefusedAndNothingIsMade(t *testing.T) {
	registry, ephemeral := t.TempDir(), t.TempDir()
	root := agentvenv.WithRegistryRoot(registry)
	specs := []struct {
		field, reason string
		spec          agentvenv.Spec
	}{
		{"adapter_id", "is not valid UTF-8", agentvenv.Spec{AdapterID: "\xff"}},
		{"adapter_id", "holds NUL", agentvenv.Spec{AdapterID: "a\x00"}},
		{"prefix", "is not valid UTF-8", agentvenv.Spec{Prefix: "\xff"}},
		{"prefix", "holds NUL", agentvenv.Spec{Prefix: "a\x00b"}},
		{`seed_files["\xff"]`, "is not valid UTF-8", agentvenv.Spec{SeedFiles: map[string]string{"\xff": ""}}},
		{`seed_files["a\u0000"]`, "holds NUL", agentvenv.Spec{SeedFiles: map[string]string{"a\x00": ""}}},
		{`credentials["../x"]`, "has the component `..`: it would lead out of the profile",
			agentvenv.Spec{Credentials: map[string]string{"../x": ""}}},
		{`env_overrides["A"]`, "is not valid UTF-8", agentvenv.Spec{EnvOverrides: map[string]string{"A": "\xff"}}},
		{`env_overrides["A"]`, "has a value that holds NUL", agentvenv.Spec{EnvOverrides: map[string]string{"A": "\x00"}}},
		{`file_modes["a"]`, "must be from 0 to 511 (octal 777)",
			agentvenv.Spec{SeedFiles: map[string]string{"a": ""}, FileModes: map[string]os.FileMode{"a": os.ModeSetuid | 0o755}}},
		{`options["model"]`, "is not valid UTF-8", agentvenv.Spec{Adapter: "codex", Options: map[string]any{"model": "\xff"}}},
		{`options["extra_argv"][1]`, "is not valid UTF-8",
			agentvenv.Spec{Adapter: "codex", Options: map[string]any{"extra_argv": []string{"a", "\xff"}}}},
		{"spec", "json: unsupported value: NaN", agentvenv.Spec{Adapter: "codex", Options: map[string]any{"model": math.NaN()}}},
		{"options", "needs an adapter: name one in the field adapter", agentvenv.Spec{Options: map[string]any{"model": "m"}}},
	}
	for _, each := range specs {
		_, err := agentvenv.NewEphemeral(ctx, each.spec, agentvenv.WithEphemeralRoot(ephemeral))
		refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, map[string]any{"field": each.field, "reason": each.reason})
		_, err = agentvenv.CreateOrAttach(ctx, "n", each.spec, root)
		refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, map[string]any{"field": each.field, "reason": each.reason})
	}

	text := func(field, reason string) map[string]any { return map[string]any{"field": field, "reason": reason} }
	for _, name := range []string{"a\x00b", "\xff"} {
		reason := map[string]string{"a\x00b": "holds NUL", "\xff": "is not valid UTF-8"}[name]
		_, err := agentvenv.CreateOrAttach(ctx, name, agentvenv.Spec{}, root)
		refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("name", reason))
		_, err = agentvenv.Attach(ctx, name, root)
		refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("name", reason))
		refused(t, agentvenv.DestroyByName(ctx, name, root), agentvenv.ErrInvalidEnvironmentSpec, text("name", reason))
		_, err = agentvenv.List(ctx, agentvenv.WithRegistryRoot(name))
		refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("registry_root", reason))
		_, err = agentvenv.NewEphemeral(ctx, agentvenv.Spec{}, agentvenv.WithEphemeralRoot(name))
		refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("ephemeral_root", reason))
	}
	_, err := agentvenv.Attach(ctx, "n", root, agentvenv.WithAdapter(agentvenv.Definition{ID: "a\x00"}))
	refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("adapter_id", "holds NUL"))
	_, err = agentvenv.List(ctx, root, agentvenv.WithLockTimeout(-time.Nanosecond))
	refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("lock_timeout_ms", "is negative"))
	if entriesBelow(t, ephemeral) != 0 || entriesBelow(t, registry) != 0 {
		t.Error("something was made")
	}

	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{})
	check(t, err)
	defer env.Destroy(ctx)
	_, err = env.Merged([]string{"A=1", "B=\x00"})
	refused(t, err, agentvenv.ErrInvalidEnvironmentSpec, text("environ[1]", "holds NUL"))
}

func TestASpecThatRefersToItselfIsRefused(t *testing.T) {
	options := map[string]any{}
	options["options"] = options
	_, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{Adapter: "codex", Options: options})
	if !errors.Is(err, agentvenv.ErrInvalidEnvironmentSpec) {
		t.Error(err)
	}
}

func TestASpecIsReadFromItsJSON(t *testing.T) {
	spec, err := agentvenv.ParseSpec([]byte(`{"adapter_id":"a","env_overrides":{"A":"1"},"seed_files":{"s":"x"},"credentials":{"c":"y"},
		"file_modes":{"s":448},"prefix":"p-","adapter":{"id":"mine","program":"m","env":{"M":"$EPHEMERAL_HOME"}},"options":{"model":"m"}}`))
	check(t, err)
	if spec.AdapterID != "a" || spec.EnvOverrides["A"] != "1" || spec.SeedFiles["s"] != "x" || spec.Credentials["c"] != "y" ||
		spec.FileModes["s"] != 0o700 || spec.Prefix != "p-" || spec.Options["model"] != "m" ||
		spec.Adapter.(map[string]any)["id"] != "mine" {
		t.Errorf("%v", spec)
	}
	written, err := json.Marshal(spec)
	check(t, err)
	again, err := agentvenv.ParseSpec(written)
	check(t, err)
	if !reflect.DeepEqual(spec, again) {
		t.Errorf("%s", written)
	}

	_, err = agentvenv.ParseSpec([]byte(`{"adapter":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}"))
	if !errors.Is(err, agentvenv.ErrInvalidEnvironmentSpec) {
		t.Error(err)
	}
	for text, field := range map[string]string{
		`{"adapter_id":1}`:                 "adapter_id",
		`{"colour":"red"}`:                 "colour",
		`{"Adapter_ID":"a"}`:               "Adapter_ID",
		`{"seed_files":{"a":"","a":""}}`:   `seed_files["a"]`,
		`[]`:                               "spec",
		`{`:                                "spec",
		"{}\x00":                           "spec",
		`{"prefix":"\u0000"}`:              "prefix",
		`{"file_modes":{"a":384.5}}`:       `file_modes["a"]`,
		`{"seed_files":{"a":""},"x":"\ud8`: "spec",
	} {
		_, err := agentvenv.ParseSpec([]byte(text))
		var failure *agentvenv.Error
		if !errors.As(err, &failure) || failure.Kind != agentvenv.ErrInvalidEnvironmentSpec || failure.Payload["field"] != field {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAnEmptyTextInJSONIsNotTheDefault(t *testing.T) {
	spec, err := agentvenv.ParseSpec([]byte(`{"prefix":"","adapter_id":""}`))
	check(t, err)
	env, err := agentvenv.NewEphemeral(ctx, spec)
	check(t, err)
	defer env.Destroy(ctx)
	if env.AdapterID() != "" || strings.Contains(filepath.Base(env.Path()), "agent-venv-") {
		t.Errorf("%v", env)
	}
}

func TestPrintingShowsNoSecret(t *testing.T) {
	spec := agentvenv.Spec{
		AdapterID:    "shown",
		EnvOverrides: map[string]string{"TOKEN": "sk-secret"},
		SeedFiles:    map[string]string{"s": "sk-secret"},
		Credentials:  map[string]string{"c": "sk-secret"},
		Options:      map[string]any{"model": "sk-secret"},
	}
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{EnvOverrides: spec.EnvOverrides, Credentials: spec.Credentials})
	check(t, err)
	defer env.Destroy(ctx)
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{spec, &spec, []agentvenv.Spec{spec}, env} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("made", "spec", spec, "env", env)
	}
	if strings.Contains(printed.String(), "secret") || strings.Contains(printed.String(), fmt.Sprintf("%x", "secret")) {
		t.Error(printed.String())
	}
	if !strings.Contains(printed.String(), "shown") || !strings.Contains(printed.String(), env.Path()) {
		t.Error(printed.String())
	}
}
