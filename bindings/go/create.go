package agentvenv

// #include <agent_venv.h>
import "C"

import (
	"context"
	"errors"
)

// NewEphemeral makes an environment that lives until it is destroyed. The host's login is read now, where the spec's
// adapter wants it. On failure nothing is left behind.
//
// [ErrProfileSetupFailed]: the profile could not be written, or the ephemeral root is not safe to use.
// [ErrCredentialsMissing]: the adapter wants the host's login, and there is none.
func NewEphemeral(ctx context.Context, spec Spec, options ...Option) (*Environment, error) {
	return open(ctx, settingsOf(options), func(s *settings, out **C.avenv_environment) error {
		return s.newEphemeral(&spec, out)
	})
}

// NewEphemeralFor is [NewEphemeral] with the adapter's own spec.
func NewEphemeralFor(ctx context.Context, adapter Adapter, options ...Option) (*Environment, error) {
	return open(ctx, settingsFor(adapter, options), func(s *settings, out **C.avenv_environment) error {
		spec, err := adapter.BuildSpec(ctx)
		if err != nil {
			return err
		}
		return s.newEphemeral(&spec, out)
	})
}

// CreateOrAttach attaches to the persistent environment of that name, and makes it where there is none. In one that
// exists nothing is changed: of the spec only the adapter's id counts then, and another than the recorded one is
// [ErrAdapterMismatch]. A name is either absent or whole, whichever process dies when; of all who make it at once exactly
// one does, and all get the same.
//
// The name is any UTF-8 text of 1 to 1,024 bytes without NUL.
//
// [ErrRegistryUnavailable]: the registry can't be read or written, or was locked for longer than the lock timeout.
func CreateOrAttach(ctx context.Context, name string, spec Spec, options ...Option) (*Environment, error) {
	return open(ctx, settingsOf(options), func(s *settings, out **C.avenv_environment) error {
		return s.createOrAttach(name, &spec, out)
	})
}

// CreateOrAttachFor is [CreateOrAttach] with the adapter's own spec.
func CreateOrAttachFor(ctx context.Context, name string, adapter Adapter, options ...Option) (*Environment, error) {
	return open(ctx, settingsFor(adapter, options), func(s *settings, out **C.avenv_environment) error {
		spec, err := adapter.BuildSpec(ctx)
		if err != nil {
			return err
		}
		return s.createOrAttach(name, &spec, out)
	})
}

// Attach attaches to the persistent environment of that name. It never makes one: [ErrEnvironmentNotFound]. With
// [WithAdapter], one that was made for another adapter is [ErrAdapterMismatch].
func Attach(ctx context.Context, name string, options ...Option) (*Environment, error) {
	s := settingsOf(options)
	if s.adapter != nil {
		id := s.adapter.AdapterID()
		s.expectedAdapter = &id
	}
	return open(ctx, s, func(s *settings, out **C.avenv_environment) error {
		text, err := lent(name, "name")
		if err != nil {
			return err
		}
		return s.call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_attach(text, options, out, failure)
		})
	})
}

func settingsFor(adapter Adapter, options []Option) *settings {
	s := settingsOf(options)
	s.adapter = adapter
	return s
}

func (s *settings) newEphemeral(spec *Spec, out **C.avenv_environment) error {
	return spec.lend(func(spec *C.avenv_spec) error {
		return s.call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_create_ephemeral(spec, options, out, failure)
		})
	})
}

func (s *settings) createOrAttach(name string, spec *Spec, out **C.avenv_environment) error {
	text, err := lent(name, "name")
	if err != nil {
		return err
	}
	return spec.lend(func(spec *C.avenv_spec) error {
		return s.call(func(options *C.avenv_options, failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_create_or_attach(text, spec, options, out, failure)
		})
	})
}

// open makes an environment of what make answers. The sink hears of it, or of its failure.
func open(ctx context.Context, s *settings, make func(*settings, **C.avenv_environment) error) (*Environment, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var pointer *C.avenv_environment
	if err := make(s, &pointer); err != nil {
		if failure := (*Error)(nil); s.sink != nil && errors.As(err, &failure) {
			for _, event := range failure.Events {
				s.sink(event)
			}
		}
		return nil, err
	}
	e := &Environment{
		handle:    owned(pointer),
		settings:  s,
		delivery:  &delivery{sink: s.sink},
		path:      C.GoString(C.avenv_environment_path(pointer)),
		name:      C.GoString(C.avenv_environment_name(pointer)),
		kind:      C.GoString(C.avenv_environment_kind(pointer)),
		adapterID: C.GoString(C.avenv_environment_adapter_id(pointer)),
		overrides: decode[map[string]string](C.GoString(C.avenv_environment_env_overrides_json(pointer))),
		unset:     decode[[]string](C.GoString(C.avenv_environment_env_unset_json(pointer))),
	}
	e.delivery.tell(e.Events)
	return e, nil
}
