// Does with the Go package what each line says: "ephemeral N" (see driver.c).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"agentvenv"
)

var spec = agentvenv.Spec{
	SeedFiles:   map[string]string{"settings.json": `{"theme":"dark"}`},
	Credentials: map[string]string{".credentials.json": `{"token":"no secret"}`},
}

func main() {
	var count int
	for {
		if _, err := fmt.Scanf("ephemeral %d\n", &count); err != nil {
			return
		}
		samples := make([]float64, count)
		for i := range samples {
			start := time.Now()
			ephemeral()
			samples[i] = float64(time.Since(start).Nanoseconds()) / 1e3
		}
		text, err := json.Marshal(samples)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(text))
	}
}

func ephemeral() {
	env, err := agentvenv.NewEphemeral(context.Background(), spec)
	if err != nil {
		log.Fatal(err)
	}
	if err := env.Destroy(context.Background()); err != nil {
		log.Fatal(err)
	}
}
