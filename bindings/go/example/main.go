package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"agentvenv"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	env, err := agentvenv.NewEphemeralFor(ctx, agentvenv.ClaudeCode{NoCredentials: true})
	if err != nil {
		return err
	}
	defer env.Destroy(context.WithoutCancel(ctx))

	fmt.Println("profile:", env.Path())
	child := exec.CommandContext(ctx, "sh", "-c", "echo set: $CLAUDE_CONFIG_DIR")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if child.Env, err = env.Merged(os.Environ()); err != nil {
		return err
	}
	return child.Run()
}
