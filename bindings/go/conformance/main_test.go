package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// ask answers what the program answers to one line, after its banner.
func ask(t *testing.T, lines ...string) []map[string]any {
	t.Helper()
	reader, writer := io.Pipe()
	go func() {
		_ = writer.CloseWithError(serve(strings.NewReader(strings.Join(lines, "\n")), writer))
	}()
	output := bufio.NewReader(reader)
	if banner, err := output.ReadString('\n'); err != nil || !strings.HasPrefix(banner,
		`{"protocol":"agent-venv.conformance","version":2,"language":"go","package_version":"`) {
		t.Fatal(banner, err)
	}
	var answers []map[string]any
	for decoder := json.NewDecoder(output); ; {
		var answer map[string]any
		if err := decoder.Decode(&answer); err == io.EOF {
			return answers
		} else if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
}

func TestWhatIsNoRequestIsAnsweredAndTheProgramGoesOn(t *testing.T) {
	answers := ask(t, "nonsense", "[]", "null", "", `{"case_id":"a","op":"fly"}`, `{"case_id":"b","op":"persistent_attach_only","name":1}`,
		`{"case_id":"c","op":"ephemeral_lifecycle","spec":[]}`, `{"op":"x_repair"}`, "{\"op\":\"\xff\"}")
	if len(answers) != 9 {
		t.Fatalf("%v", answers)
	}
	for i, id := range []string{"", "", "", "", "a", "b", "c", "", ""} {
		failure, _ := answers[i]["error"].(map[string]any)
		if answers[i]["case_id"] != id || answers[i]["ok"] != false || failure["kind"] != "InternalInvariantViolation" || failure["message"] == "" || len(failure) != 2 {
			t.Errorf("%d: %v", i, answers[i])
		}
	}
}

func TestEveryOperationAnswers(t *testing.T) {
	t.Setenv("AGENT_VENV_EPHEMERAL_ROOT", t.TempDir())
	registry := t.TempDir()
	for _, each := range []struct{ op, fields, kind string }{
		{"ephemeral_lifecycle", `"spec":{"seed_files":{"a":"1"}}`, ""},
		{"ephemeral_lifecycle", `"spec":null`, ""},
		{"ephemeral_lifecycle", `"spec":{"colour":1}`, "InvalidEnvironmentSpec"},
		{"persistent_create_attach_idempotent", `"name":"n","spec":{"credentials":{"c":"1"}}`, ""},
		{"persistent_attach_only", `"name":"n"`, ""},
		{"persistent_attach_missing", `"name":"m"`, "EnvironmentNotFound"},
		{"persistent_attach_mismatch", `"name":"x","first_spec":{},"second_adapter_id":"other"`, "AdapterMismatch"},
		{"persistent_attach_mismatch", `"name":"y","first_spec":{},"second_adapter_id":"generic"`, ""},
		{"persistent_list", `"names":["p","q"],"spec":{}`, ""},
		{"persistent_destroy_by_name", `"name":"d","spec":{}`, ""},
		{"x_attach", `"name":"n","adapter_id":"other"`, "AdapterMismatch"},
		{"x_attach", `"name":"n","adapter_id":"generic"`, ""},
		{"x_login_status", `"name":"n"`, ""},
		{"x_refresh", `"name":"n","force":true`, "InvalidEnvironmentSpec"},
		{"x_refresh", `"name":"n","spec":{"credentials":{"c":"2"}}`, ""},
		{"x_refresh_destroyed", `"name":"r","spec":{"credentials":{"c":"2"}}`, "InternalInvariantViolation"},
		{"x_destroy", `"name":"n"`, ""},
		{"x_destroy_by_name", `"name":"p"`, ""},
		{"x_destroy_by_name", `"name":"p","lock_timeout_ms":0`, "EnvironmentNotFound"},
		{"x_repair", ``, ""},
		{"x_reap", fmt.Sprintf(`"ephemeral_root":%q`, filepath.Join(t.TempDir(), "none")), ""},
		{"x_ensure_available", `"adapter_id":"a","cli_bin":"sh"`, ""},
		{"x_ensure_available", `"adapter_id":"a","cli_bin":"no-such-program"`, "AdapterUnavailable"},
	} {
		fields := fmt.Sprintf(`"case_id":"id","op":%q,"registry_root":%q`, each.op, registry)
		if each.fields != "" {
			fields += "," + each.fields
		}
		answer := ask(t, "{"+fields+"}")[0]
		failure, _ := answer["error"].(map[string]any)
		kind, _ := failure["kind"].(string)
		if answer["ok"] != true || answer["case_id"] != "id" || kind != each.kind || answer["events"] == nil {
			t.Errorf("%s %s: %v", each.op, each.fields, answer)
		}
		if kind != "" && (failure["payload"] == nil || failure["events"] == nil) {
			t.Errorf("%s: %v", each.op, failure)
		}
	}
}
