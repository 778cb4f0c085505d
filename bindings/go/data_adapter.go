package agentvenv

// #include <agent_venv.h>
import "C"

import (
	"context"
	"encoding/json"
	"strings"
)

// DataAdapter is any adapter that is data: see [NewDataAdapter].
type DataAdapter struct {
	// Options are those of this use of the adapter.
	Options AdapterOptions

	// As the library takes it: an id, or a definition as JSON.
	adapter    string
	definition Definition
}

// NewDataAdapter finds an adapter by its id, or reads a definition, which is JSON and begins with '{'. The id is that of a
// built-in one, or of a document of yours: <id>.json in $XDG_CONFIG_HOME/agent-venv/adapters.
//
// [ErrInvalidEnvironmentSpec]: an unknown id, or a malformed definition.
func NewDataAdapter(adapter string, options AdapterOptions) (DataAdapter, error) {
	named, err := lent(adapter, "adapter")
	if err != nil {
		return DataAdapter{}, err
	}
	text, err := callForText(func(out **C.char, failure **C.avenv_error) C.avenv_status {
		return C.avenv_adapter_definition_json(named, out, failure)
	})
	if err != nil {
		return DataAdapter{}, err
	}
	return DataAdapter{options, adapter, decode[Definition](text)}, nil
}

// AdapterID answers the definition's ID.
func (d DataAdapter) AdapterID() string { return d.definition.ID }

// Definition is what the library knows of the agent.
func (d DataAdapter) Definition() Definition { return d.definition }

// BuildSpec answers a spec that names the adapter, see [ClaudeCode.BuildSpec].
func (d DataAdapter) BuildSpec(context.Context) (Spec, error) {
	if strings.HasPrefix(strings.TrimSpace(d.adapter), "{") {
		return d.Options.spec(d.AdapterID(), json.RawMessage(d.adapter)), nil
	}
	return d.Options.spec(d.AdapterID(), d.adapter), nil
}

// BuildArgv answers the command line for an unattended run. The prompt is not in it: give it to the agent's standard input.
func (d DataAdapter) BuildArgv(workspace string) ([]string, error) {
	return d.Options.argv(d.adapter, workspace)
}

// EnsureAvailable checks that the agent's program is on PATH, else it is [ErrAdapterUnavailable].
func (d DataAdapter) EnsureAvailable() error { return ensureAvailable(d.adapter) }
