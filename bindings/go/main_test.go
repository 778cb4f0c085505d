package agentvenv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"agentvenv"
)

const (
	actorVariable   = "AGENTVENV_TEST_ACTOR"
	collectVariable = "AGENTVENV_TEST_COLLECT"

	hostLogin = `{"claudeAiOauth":{"accessToken":"sk-fake-host"}}`
)

var ctx = context.Background()

// actors are what a process of a test's own does, see startActor.
var actors = map[string]func() error{"owner": own, "mounter": mountAndDestroy}

// Tests see a home, registry and temporary directory of their own, and logins that are fake. With
// AGENTVENV_TEST_COLLECT the collector never rests.
func TestMain(m *testing.M) {
	if actor := actors[os.Getenv(actorVariable)]; actor != nil {
		if err := actor(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	scratch, err := os.MkdirTemp("", "agentvenv-go-")
	if err != nil {
		panic(err)
	}
	scratch, _ = filepath.EvalSymlinks(scratch)
	set(map[string]string{
		"HOME":                       filepath.Join(scratch, "home"),
		"TMPDIR":                     filepath.Join(scratch, "tmp"),
		"XDG_DATA_HOME":              "",
		"AGENT_VENV_EPHEMERAL_ROOT":  "",
		"AGENT_VENV_REGISTRY_ROOT":   filepath.Join(scratch, "registry"),
		"ANTHROPIC_API_KEY":          "sk-fake-inherited",
		"AGENTVENV_TEST_UNRELATED":   "kept",
		"CLAUDE_CONFIG_DIR":          "",
		"AGENT_VENV_TEST_DUPLICATES": "",
	})
	for _, directory := range []string{"home/.claude", "home/.codex", "tmp"} {
		if err := os.MkdirAll(filepath.Join(scratch, directory), 0o700); err != nil {
			panic(err)
		}
	}
	write(filepath.Join(scratch, "home/.claude/.credentials.json"), hostLogin)
	write(filepath.Join(scratch, "home/.codex/auth.json"), `{"OPENAI_API_KEY":"sk-fake-codex"}`)
	if os.Getenv(collectVariable) != "" {
		go func() {
			for {
				runtime.GC()
			}
		}()
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

func set(variables map[string]string) {
	for name, value := range variables {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
}

func write(path, content string) {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// filesIn answers the regular files below a directory, sorted, with their modes: "path mode".
func filesIn(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	check(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			info := must(entry.Info())
			files = append(files, fmt.Sprintf("%s %o", must(filepath.Rel(root, path)), info.Mode().Perm()))
		}
		return err
	}))
	slices.Sort(files)
	return files
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(elements...))
	check(t, err)
	return string(content)
}

func kindsOf(events []agentvenv.Event) string {
	kinds := make([]string, len(events))
	for i, event := range events {
		kinds[i] = event.Kind
	}
	return strings.Join(kinds, " ")
}

// entriesBelow counts what is in a directory that need not exist.
func entriesBelow(t *testing.T, directory string) int {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(entries)
}

// actor is a process of a test's own: this program again.
type actor struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

func startActor(t *testing.T, name string, attributes *syscall.SysProcAttr, variables ...string) *actor {
	t.Helper()
	command := exec.Command(must(os.Executable()))
	command.Env = append(os.Environ(), append(variables, actorVariable+"="+name)...)
	command.Stderr = os.Stderr
	command.SysProcAttr = attributes
	input, err := command.StdinPipe()
	check(t, err)
	output, err := command.StdoutPipe()
	check(t, err)
	check(t, command.Start())
	t.Cleanup(func() { _ = input.Close() })
	return &actor{command, input, bufio.NewReader(output)}
}

func (a *actor) line(t *testing.T) string {
	t.Helper()
	line, err := a.output.ReadString('\n')
	check(t, err)
	return strings.TrimSuffix(line, "\n")
}
