//go:build !agentvenv_static

package agentvenv

// #cgo pkg-config: agent-venv
import "C"
