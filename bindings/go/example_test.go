package agentvenv_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"

	"agentvenv"
)

// A profile for one run: the child sees it, and afterwards it is gone.
func Example() {
	ctx := context.Background()
	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.ClaudeCode{NoCredentials: true})
	if err != nil {
		log.Fatal(err)
	}
	child := exec.Command("sh", "-c", `test -d "$CLAUDE_CONFIG_DIR" && echo "the child has a profile"`)
	child.Stdout = os.Stdout
	if child.Env, err = env.Merged(os.Environ()); err != nil {
		log.Fatal(err)
	}
	if err := child.Run(); err != nil {
		log.Fatal(err)
	}
	if err := env.Destroy(ctx); err != nil {
		log.Fatal(err)
	}
	_, err = os.Stat(env.Path())
	fmt.Println("afterwards:", errors.Is(err, os.ErrNotExist))
	// Output:
	// the child has a profile
	// afterwards: true
}

// A profile that is kept under a name.
func ExampleCreateOrAttach() {
	ctx := context.Background()
	spec, err := agentvenv.Codex{NoCredentials: true}.BuildSpec(ctx)
	if err != nil {
		log.Fatal(err)
	}
	spec.SeedFiles = map[string]string{"AGENTS.md": "Answer in one sentence.\n"}
	env, err := agentvenv.CreateOrAttach(ctx, "reviewer", spec)
	if err != nil {
		log.Fatal(err)
	}
	again, err := agentvenv.Attach(ctx, "reviewer") // in any process, in any language
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Name(), again.AdapterID(), again.Path() == env.Path())
	if err := env.Destroy(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: reviewer codex true
}

// The kind of an error decides; its payload says more.
func ExampleError() {
	_, err := agentvenv.Attach(context.Background(), "nobody")
	var failure *agentvenv.Error
	if errors.Is(err, agentvenv.ErrEnvironmentNotFound) && errors.As(err, &failure) {
		fmt.Println(failure.Kind, failure.Payload["name"])
	}
	// Output: EnvironmentNotFound nobody
}

// An agent that is not built in.
func ExampleDefinition() {
	ctx := context.Background()
	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.Definition{
		ID:      "my-agent",
		Program: "my-agent",
		Env:     map[string]string{"MY_AGENT_HOME": "$EPHEMERAL_HOME"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(env.AdapterID(), env.EnvOverrides()["MY_AGENT_HOME"] == env.Path())
	if err := env.Destroy(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: my-agent true
}

// What happens, as it happens.
func ExampleWithEventSink() {
	ctx := context.Background()
	env, err := agentvenv.NewEphemeral(ctx, agentvenv.Spec{}, agentvenv.WithEventSink(func(event agentvenv.Event) {
		fmt.Println(event.Kind)
	}))
	if err != nil {
		log.Fatal(err)
	}
	if err := env.Destroy(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// env.created
	// env.destroyed
}
