package agentvenv

// #include <agent_venv.h>
import "C"

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"unsafe"
)

// Spec says what an environment shall hold. The zero Spec is an empty profile.
//
// Contents may be any bytes. In JSON they are text; see [ParseSpec].
type Spec struct {
	// AdapterID is which adapter the environment is for: recorded, and compared on attach. Default: "generic", or Adapter's.
	AdapterID string `json:"adapter_id,omitempty"`
	// EnvOverrides are the variables to hand back; each $EPHEMERAL_HOME in a value becomes the profile's path.
	EnvOverrides map[string]string `json:"env_overrides,omitempty"`
	// SeedFiles are written when the profile is made: path below the profile to content.
	SeedFiles map[string]string `json:"seed_files,omitempty"`
	// Credentials are the same, mode 0600; [Environment.RefreshCredentials] writes only these anew.
	Credentials map[string]string `json:"credentials,omitempty"`
	// FileModes are the permissions of files that shall not be 0600: path to at most 0o777.
	FileModes map[string]fs.FileMode `json:"file_modes,omitempty"`
	// Prefix is the start of an ephemeral directory's name, of at most 64 bytes. Default: "agent-venv-", or Adapter's.
	Prefix string `json:"prefix,omitempty"`
	// Adapter is an adapter's id, or a [Definition]. The library reads its login whenever an environment is made.
	// The other fields are laid over what it seeds and sets.
	Adapter any `json:"adapter,omitempty"`
	// Options are the adapter's, under their names in every language (load_credentials).
	Options map[string]any `json:"options,omitempty"`

	// Which of two texts were parsed as "", which is not the default.
	emptyAdapterID, emptyPrefix bool
}

// ParseSpec reads the JSON form of a spec. What is not in the format is refused, as [ErrInvalidEnvironmentSpec].
func ParseSpec(text []byte) (Spec, error) {
	spec, err := parse(string(text))
	if err != nil {
		return Spec{}, err
	}
	C.avenv_spec_free(spec)
	parsed := decode[Spec](string(text))
	given := decode[map[string]any](string(text))
	parsed.emptyAdapterID = given["adapter_id"] == ""
	parsed.emptyPrefix = given["prefix"] == ""
	return parsed, nil
}

// Format writes names only, whatever the verb: values and contents may be secrets.
func (s Spec) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, s.names())
}

// LogValue answers names only: values and contents may be secrets.
func (s Spec) LogValue() slog.Value {
	return slog.StringValue(s.names())
}

func (s *Spec) names() string {
	var parts []string
	if s.AdapterID != "" {
		parts = append(parts, fmt.Sprintf("AdapterID:%q", s.AdapterID))
	}
	if id, ok := s.Adapter.(string); ok {
		parts = append(parts, fmt.Sprintf("Adapter:%q", id))
	}
	for _, field := range []struct {
		name  string
		names []string
	}{
		{"EnvOverrides", slices.Sorted(maps.Keys(s.EnvOverrides))},
		{"SeedFiles", slices.Sorted(maps.Keys(s.SeedFiles))},
		{"Credentials", slices.Sorted(maps.Keys(s.Credentials))},
	} {
		if len(field.names) > 0 {
			parts = append(parts, fmt.Sprintf("%s:%q", field.name, field.names))
		}
	}
	return "agentvenv.Spec{" + strings.Join(parts, " ") + "}"
}

// lend makes the library's own copy, for the length of one call.
func (s *Spec) lend(use func(*C.avenv_spec) error) error {
	text, err := toJSON(s.withoutContents(), "")
	if err != nil {
		return err
	}
	spec, err := parse(text)
	if err != nil {
		return err
	}
	defer C.avenv_spec_free(spec)
	for path, content := range s.SeedFiles {
		err := add(path, content, func(path *C.char, data unsafe.Pointer, size C.size_t, failure **C.avenv_error) C.avenv_status {
			return C.avenv_spec_add_seed_file(spec, path, data, size, 0, failure)
		})
		if err != nil {
			return err
		}
	}
	for path, content := range s.Credentials {
		err := add(path, content, func(path *C.char, data unsafe.Pointer, size C.size_t, failure **C.avenv_error) C.avenv_status {
			return C.avenv_spec_add_credential(spec, path, data, size, failure)
		})
		if err != nil {
			return err
		}
	}
	return use(spec)
}

// withoutContents is the spec's JSON form with every file empty: contents follow as bytes, which JSON can't say, and
// secrets are not copied about in text.
func (s *Spec) withoutContents() map[string]any {
	said := map[string]any{}
	say := func(field string, value any, given bool) {
		if given {
			said[field] = value
		}
	}
	say("adapter_id", s.AdapterID, s.AdapterID != "" || s.emptyAdapterID)
	say("env_overrides", s.EnvOverrides, len(s.EnvOverrides) > 0)
	say("seed_files", emptied(s.SeedFiles), len(s.SeedFiles) > 0)
	say("credentials", emptied(s.Credentials), len(s.Credentials) > 0)
	say("file_modes", s.FileModes, len(s.FileModes) > 0)
	say("prefix", s.Prefix, s.Prefix != "" || s.emptyPrefix)
	say("adapter", s.Adapter, s.Adapter != nil)
	say("options", s.Options, len(s.Options) > 0)
	return said
}

func emptied(files map[string]string) map[string]string {
	empty := make(map[string]string, len(files))
	for path := range files {
		empty[path] = ""
	}
	return empty
}

func parse(text string) (*C.avenv_spec, error) {
	json, err := lent(text, "spec")
	if err != nil {
		return nil, err
	}
	var spec *C.avenv_spec
	err = call(func(failure **C.avenv_error) C.avenv_status { return C.avenv_spec_parse(json, &spec, failure) })
	return spec, err
}

func add(path, content string, to func(path *C.char, data unsafe.Pointer, size C.size_t, failure **C.avenv_error) C.avenv_status) error {
	place, err := lent(path, "path")
	if err != nil {
		return err
	}
	return call(func(failure **C.avenv_error) C.avenv_status {
		return to(place, unsafe.Pointer(unsafe.StringData(content)), C.size_t(len(content)), failure)
	})
}
