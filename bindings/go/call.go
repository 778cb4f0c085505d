package agentvenv

// #include <agent_venv.h>
import "C"

import (
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"
)

func init() {
	if found := C.avenv_abi_version(); found != C.AVENV_ABI_VERSION {
		panic(fmt.Sprintf("agentvenv: built for ABI version %d of the agent-venv library, and found %d: build again with the installed library",
			C.AVENV_ABI_VERSION, found))
	}
}

// call makes one call into the library, and answers what it refuses.
func call(do func(failure **C.avenv_error) C.avenv_status) error {
	var failure *C.avenv_error
	status := do(&failure)
	if status == C.AVENV_OK {
		return nil
	}
	if failure == nil {
		kind := Kind(C.GoString(C.avenv_status_kind(status)))
		return &Error{Kind: kind, Message: fmt.Sprintf("the library answered status %d", status)}
	}
	defer C.avenv_error_free(failure)
	return &Error{
		Kind:    Kind(C.GoString(C.avenv_error_kind(failure))),
		Message: C.GoString(C.avenv_error_message(failure)),
		Payload: decode[map[string]any](C.GoString(C.avenv_error_payload_json(failure))),
		Events:  decode[[]Event](C.GoString(C.avenv_error_events_json(failure))),
	}
}

// callForText makes a call that answers a text.
func callForText(do func(out **C.char, failure **C.avenv_error) C.avenv_status) (string, error) {
	var out *C.char
	err := call(func(failure **C.avenv_error) C.avenv_status { return do(&out, failure) })
	if err != nil {
		return "", err
	}
	defer C.avenv_string_free(out)
	return C.GoString(out), nil
}

// decode reads JSON that the library wrote. That it can't be read is a bug.
func decode[T any](text string) T {
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		panic(fmt.Sprintf("agentvenv: the library's answer can't be read: %v", err))
	}
	return value
}

// lent is a string as C reads it, in Go's memory: for the length of one call. NUL would end it early, and is refused.
func lent(text, field string) (*C.char, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, invalid(field, "holds NUL")
	}
	bytes := append([]byte(text), 0)
	return (*C.char)(unsafe.Pointer(&bytes[0])), nil
}
