package agentvenv_test

import (
	"encoding/json"
	"reflect"
	"sync"
	"testing"

	"agentvenv"
)

func TestEachCallTellsItsEventsInOrder(t *testing.T) {
	var told []agentvenv.Event
	sink := agentvenv.WithEventSink(func(event agentvenv.Event) { told = append(told, event) })
	root := agentvenv.WithRegistryRoot(t.TempDir())
	spec := agentvenv.Spec{SeedFiles: map[string]string{"a": "12", "b": "3"}, Credentials: map[string]string{"c": "sk-secret"}}
	expect := func(env *agentvenv.Environment, kinds string) {
		t.Helper()
		if kindsOf(told) != kinds || !reflect.DeepEqual(told, env.Events()) {
			t.Errorf("told %v\nlog  %v\nwant %s", told, env.Events(), kinds)
		}
	}

	ephemeral, err := agentvenv.NewEphemeral(ctx, spec, sink)
	check(t, err)
	expect(ephemeral, "env.created profile.materialized credentials.copied")
	if data := told[0].Data; data["lifetime"] != "ephemeral" || data["name"] != nil || data["path"] != ephemeral.Path() || data["adapter_id"] != "generic" {
		t.Errorf("%v", data)
	}
	if !reflect.DeepEqual(told[1].Data, map[string]any{"file_count": 2.0, "total_bytes": 3.0}) {
		t.Errorf("%v", told[1].Data)
	}
	check(t, ephemeral.RefreshCredentials(ctx))
	check(t, ephemeral.Destroy(ctx))
	check(t, ephemeral.Destroy(ctx))
	expect(ephemeral, "env.created profile.materialized credentials.copied credentials.refreshed env.destroyed")
	if ephemeral.RefreshCredentials(ctx) == nil {
		t.Error("refreshed after Destroy")
	}
	expect(ephemeral, "env.created profile.materialized credentials.copied credentials.refreshed env.destroyed error")

	told = nil
	made, err := agentvenv.CreateOrAttach(ctx, "n", spec, root, sink)
	check(t, err)
	expect(made, "env.created profile.materialized credentials.copied registry.written")
	told = nil
	attached, err := agentvenv.CreateOrAttach(ctx, "n", spec, root, sink)
	check(t, err)
	expect(attached, "env.attached registry.read")
	told = nil
	again, err := agentvenv.Attach(ctx, "n", root, sink)
	check(t, err)
	expect(again, "env.attached registry.read")
	check(t, again.Destroy(ctx))
	expect(again, "env.attached registry.read registry.written env.destroyed")
	told = nil
	_, err = agentvenv.Attach(ctx, "n", root, sink)
	if err == nil || kindsOf(told) != "error" || told[0].Data["error_kind"] != "EnvironmentNotFound" {
		t.Errorf("%v, told %v", err, told)
	}
	told = nil
	_, err = agentvenv.NewEphemeral(ctx, agentvenv.Spec{AdapterID: "\xff"}, sink)
	if err == nil || kindsOf(told) != "error" {
		t.Errorf("%v, told %v", err, told)
	}
}

func TestASinkMayUseTheEnvironment(t *testing.T) {
	var env *agentvenv.Environment
	var told []agentvenv.Event
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{Credentials: map[string]string{"c": "1"}},
		agentvenv.WithEventSink(func(event agentvenv.Event) {
			told = append(told, event)
			if event.Kind == "credentials.refreshed" {
				check(t, env.Destroy(ctx))
			}
		}))
	check(t, err)
	check(t, env.RefreshCredentials(ctx))
	if kindsOf(told) != "env.created credentials.copied credentials.refreshed env.destroyed" {
		t.Errorf("%v", told)
	}
}

func TestASinkThatPanicsLosesNoLaterEvent(t *testing.T) {
	var told []agentvenv.Event
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{Credentials: map[string]string{"c": "1"}},
		agentvenv.WithEventSink(func(event agentvenv.Event) {
			told = append(told, event)
			if event.Kind == "credentials.refreshed" {
				panic("sink")
			}
		}))
	check(t, err)
	func() {
		defer func() {
			if recover() != "sink" {
				t.Error("the panic was swallowed")
			}
		}()
		_ = env.RefreshCredentials(ctx)
	}()
	check(t, env.Destroy(ctx))
	if kindsOf(told) != "env.created credentials.copied credentials.refreshed env.destroyed" {
		t.Errorf("%v", told)
	}
}

func TestASinkIsToldInOrderAndByOneAtATimeWhateverTheGoroutines(t *testing.T) {
	var told []agentvenv.Event // without a lock: the race detector would tell
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{Credentials: map[string]string{"c": "1"}},
		agentvenv.WithEventSink(func(event agentvenv.Event) { told = append(told, event) }))
	check(t, err)
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 25 {
				if err := env.RefreshCredentials(ctx); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	check(t, env.Destroy(ctx))
	if len(told) != 2+8*25+1 || !reflect.DeepEqual(told, env.Events()) {
		t.Errorf("%d told", len(told))
	}
}

func TestAnEventIsFlatInJSON(t *testing.T) {
	event := agentvenv.Event{TsMs: 7, Kind: "env.created", Data: map[string]any{"name": nil, "path": "/p"}}
	text, err := json.Marshal(event)
	check(t, err)
	if string(text) != `{"kind":"env.created","name":null,"path":"/p","ts_ms":7}` {
		t.Errorf("%s", text)
	}
	var read agentvenv.Event
	check(t, json.Unmarshal(text, &read))
	if !reflect.DeepEqual(read, event) {
		t.Errorf("%v", read)
	}
}
