// Command conformance answers requests on standard input, one line of JSON each, with this package.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"unicode/utf8"

	"agentvenv"
)

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// serve writes the banner, then an answer for each line.
func serve(requests io.Reader, answers io.Writer) error {
	out := json.NewEncoder(answers) // writes each line with one call, and needs no flush
	out.SetEscapeHTML(false)
	capabilities := agentvenv.Capabilities()
	banner := struct {
		Protocol       string `json:"protocol"`
		Version        int    `json:"version"`
		Language       string `json:"language"`
		PackageVersion string `json:"package_version"`
		SpecVersion    string `json:"spec_version"`
	}{"agent-venv.conformance", 2, capabilities.Language, capabilities.PackageVersion, capabilities.SpecVersion}
	if err := out.Encode(banner); err != nil {
		return err
	}
	lines := bufio.NewReader(requests)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := out.Encode(answer(line)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type object = map[string]any

// noRequest is the error of what could not be carried out at all.
type noRequest string

func (n noRequest) Error() string { return string(n) }

func answer(line []byte) object {
	request, err := parse(line)
	said := object{"case_id": "", "ok": true, "events": []agentvenv.Event{}}
	if id, err := request.text("case_id"); err == nil {
		said["case_id"] = id
	}
	if err == nil {
		var answered object
		answered, err = carryOut(request)
		if err == nil {
			for field, value := range answered {
				said[field] = value
			}
			return said
		}
	}
	if failure := (*agentvenv.Error)(nil); errors.As(err, &failure) {
		said["error"] = failure
	} else {
		said["ok"] = false
		said["error"] = object{"kind": agentvenv.ErrInternalInvariantViolation, "message": err.Error()}
	}
	return said
}

func carryOut(request request) (object, error) {
	name, err := request.text("op")
	if err != nil {
		return nil, err
	}
	operation, known := operations[name]
	if !known {
		return nil, noRequest(fmt.Sprintf("unknown op %q", name))
	}
	return operation(request)
}

// request is a line's fields, each as it stands there.
type request map[string]json.RawMessage

func parse(line []byte) (request, error) {
	var fields request
	if !utf8.Valid(line) || !json.Valid(line) {
		return nil, noRequest("the line is not JSON")
	}
	if err := json.Unmarshal(line, &fields); err != nil || fields == nil {
		return nil, noRequest("the request is no object")
	}
	return fields, nil
}

func missing(value json.RawMessage) bool {
	return value == nil || bytes.Equal(value, []byte("null"))
}

func (r request) text(field string) (string, error) { return read[string](r, field, "string") }

func (r request) texts(field string) ([]string, error) {
	return read[[]string](r, field, "list of strings")
}

// flag is false where it is missing.
func (r request) flag(field string) (bool, error) {
	if missing(r[field]) {
		return false, nil
	}
	return read[bool](r, field, "boolean")
}

func (r request) spec(field string) (agentvenv.Spec, error) { return parseSpec(r[field]) }

func (r request) registry() (agentvenv.Option, error) {
	root, err := r.text("registry_root")
	return agentvenv.WithRegistryRoot(root), err
}

// place is where a persistent environment is: its name, and the registry.
func (r request) place() (string, agentvenv.Option, error) {
	name, err := r.text("name")
	if err != nil {
		return "", nil, err
	}
	root, err := r.registry()
	return name, root, err
}

// parseSpec has the package read the object as it stands; without one it is the empty spec.
func parseSpec(given json.RawMessage) (agentvenv.Spec, error) {
	if missing(given) {
		return agentvenv.Spec{}, nil
	}
	if given[0] != '{' {
		return agentvenv.Spec{}, noRequest("spec is no object")
	}
	return agentvenv.ParseSpec(given)
}

func read[T any](r request, field, what string) (T, error) {
	var value T
	if missing(r[field]) {
		return value, noRequest(field + " is missing")
	}
	if err := json.Unmarshal(r[field], &value); err != nil {
		return value, noRequest(field + " is no " + what)
	}
	return value, nil
}
