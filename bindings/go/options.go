package agentvenv

// #include <agent_venv.h>
import "C"

import "time"

// Option says where and how. What a call has no use for, it ignores. Options that an environment was made or attached
// with also count for its later calls.
type Option func(*settings)

type settings struct {
	toLibrary
	adapter Adapter
	sink    EventSink
}

// toLibrary is what the library is told.
type toLibrary struct {
	registryRoot    *string
	ephemeralRoot   *string
	expectedAdapter *string
	lockTimeout     *time.Duration
	durable         bool
	force           bool
}

// WithRegistryRoot names the registry of persistent environments, instead of [DefaultRegistryRoot].
func WithRegistryRoot(root string) Option {
	return func(s *settings) { s.registryRoot = &root }
}

// WithEphemeralRoot says where ephemeral environments are made. Default: $AGENT_VENV_EPHEMERAL_ROOT, else
// agent-venv-<uid> in $TMPDIR or /tmp.
func WithEphemeralRoot(root string) Option {
	return func(s *settings) { s.ephemeralRoot = &root }
}

// WithLockTimeout bounds the wait for the registry's lock, 5 seconds by default. 0: don't wait.
func WithLockTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.lockTimeout = &timeout }
}

// WithDurable flushes files and directories to the disk before a call answers, so that they outlive a loss of power.
func WithDurable() Option {
	return func(s *settings) { s.durable = true }
}

// WithForce lets [Environment.RefreshCredentials] replace a login that is newer than the host's, or may be; and [Reap]
// remove what another machine may still use, where the root is on a network file system.
func WithForce() Option {
	return func(s *settings) { s.force = true }
}

// WithAdapter names the adapter: [Attach] then refuses an environment that was made for another ([ErrAdapterMismatch]),
// and [Environment.RefreshCredentials] asks its BuildSpec for the credentials to write.
func WithAdapter(adapter Adapter) Option {
	return func(s *settings) { s.adapter = adapter }
}

// WithEventSink has the environment's events told as they happen: each once, in order, after the call that it is of and
// before that call answers, on the caller's goroutine. Where several goroutines use one environment at once, the sink is
// not called by two of them at a time: one hands over the other's events as well. Of a call that makes no environment
// after all, the sink hears too.
func WithEventSink(sink EventSink) Option {
	return func(s *settings) { s.sink = sink }
}

func settingsOf(options []Option) *settings {
	s := new(settings)
	for _, option := range options {
		option(s)
	}
	return s
}

// call makes one call that takes options.
func (s *settings) call(do func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status) error {
	if s.toLibrary == (toLibrary{}) {
		return call(func(failure **C.avenv_error) C.avenv_status { return do(nil, failure) })
	}
	options := C.avenv_options_new()
	defer C.avenv_options_free(options)
	if err := s.fill(options); err != nil {
		return err
	}
	return call(func(failure **C.avenv_error) C.avenv_status { return do(options, failure) })
}

// callForText makes one call that takes options and answers a text.
func (s *settings) callForText(do func(options *C.avenv_options, out **C.char, failure **C.avenv_error) C.avenv_status) (string, error) {
	var text string
	err := s.call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
		var out *C.char
		status := do(options, &out, failure)
		text = C.GoString(out)
		C.avenv_string_free(out)
		return status
	})
	return text, err
}

func (s *settings) fill(options *C.avenv_options) error {
	type status = C.avenv_status
	texts := []struct {
		value *string
		field string
		set   func(*C.char, **C.avenv_error) status
	}{
		{s.registryRoot, "registry_root", func(text *C.char, failure **C.avenv_error) status {
			return C.avenv_options_set_registry_root(options, text, failure)
		}},
		{s.ephemeralRoot, "ephemeral_root", func(text *C.char, failure **C.avenv_error) status {
			return C.avenv_options_set_ephemeral_root(options, text, failure)
		}},
		{s.expectedAdapter, "adapter_id", func(text *C.char, failure **C.avenv_error) status {
			return C.avenv_options_set_expected_adapter(options, text, failure)
		}},
	}
	for _, option := range texts {
		if option.value == nil {
			continue
		}
		text, err := lent(*option.value, option.field)
		if err != nil {
			return err
		}
		if err := call(func(failure **C.avenv_error) status { return option.set(text, failure) }); err != nil {
			return err
		}
	}

	timeout, err := milliseconds(s.lockTimeout)
	if err != nil {
		return err
	}
	for _, set := range []func(**C.avenv_error) status{
		func(failure **C.avenv_error) status {
			return C.avenv_options_set_lock_timeout_ms(options, C.int64_t(timeout), failure)
		},
		func(failure **C.avenv_error) status {
			return C.avenv_options_set_durable(options, C.bool(s.durable), failure)
		},
		func(failure **C.avenv_error) status {
			return C.avenv_options_set_force(options, C.bool(s.force), failure)
		},
	} {
		if err := call(set); err != nil {
			return err
		}
	}
	return nil
}

// milliseconds is how the library takes a timeout: -1 is its default.
func milliseconds(timeout *time.Duration) (int64, error) {
	switch {
	case timeout == nil:
		return -1, nil
	case *timeout < 0:
		return 0, invalid("lock_timeout_ms", "is negative")
	case *timeout%time.Millisecond != 0:
		return timeout.Milliseconds() + 1, nil // up, as a short wait is not none
	default:
		return timeout.Milliseconds(), nil
	}
}
