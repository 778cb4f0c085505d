//go:build agentvenv_static

package agentvenv

// The archive comes first and satisfies every reference, so that the shared library, which pkg-config also names, is not
// needed and left out.

// #cgo LDFLAGS: -Wl,--as-needed -l:libagent_venv.a
// #cgo pkg-config: --static agent-venv
import "C"
