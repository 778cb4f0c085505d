package agentvenv

// #include <agent_venv.h>
import "C"

import (
	"context"
	"time"
)

// LoginMode is what becomes of the host's login.
type LoginMode string

const (
	// LoginCopy, the default: the profile gets a copy. A host that has none is [ErrCredentialsMissing].
	LoginCopy LoginMode = "copy"
	// LoginNone: the profile gets none.
	LoginNone LoginMode = "none"
	// LoginShare: the agent uses the host's login in place.
	LoginShare LoginMode = "share"
	// LoginToken: the agent gets a long-lived token by a variable. It is read at each attach and written nowhere; it is
	// among the environment's EnvOverrides.
	LoginToken LoginMode = "token"
)

// Isolation is how much of an agent's variables is closed.
type Isolation string

const (
	// IsolationStandard, the default.
	IsolationStandard Isolation = "standard"
	// IsolationStrict closes also what else variables can close.
	IsolationStrict Isolation = "strict"
)

// LoginState is how a login in a profile stands to the host's. New ones may come.
type LoginState string

const (
	// StateNone: the profile has no login, or the environment no adapter.
	StateNone LoginState = "none"
	// StateSame: they are equal.
	StateSame LoginState = "same"
	// StateHostNewer: the host's is newer; refreshing brings it.
	StateHostNewer LoginState = "host_newer"
	// StateProfileNewer: the profile's is newer, or the host has none.
	StateProfileNewer LoginState = "profile_newer"
	// StateDiverged: nobody can tell which is newer.
	StateDiverged LoginState = "diverged"
	// StateShared: the agent uses the host's in place.
	StateShared LoginState = "shared"
	// StateToken: the agent gets a token by a variable.
	StateToken LoginState = "token"
)

// LoginStatus is what is known of an environment's login. It never holds the login.
type LoginStatus struct {
	// Status is that of all files together.
	Status LoginState `json:"status"`
	// ExpiresAt is when the login that the agent uses ends; nil where its file doesn't tell.
	ExpiresAt *time.Time `json:"expires_at"`
	// Files are those that the agent keeps a login in.
	Files []LoginFile `json:"files"`
}

// LoginFile is one file that an agent keeps a login in.
type LoginFile struct {
	// Path is below the profile.
	Path   string     `json:"path"`
	Status LoginState `json:"status"`
	// InProfile: the profile has it. With [LoginToken] and [LoginShare] it is one that the agent made for itself.
	InProfile bool `json:"in_profile"`
	// OnHost: the host has it.
	OnHost bool `json:"on_host"`
	// ExpiresAt is when the profile's ends, HostExpiresAt when the host's does; nil where it doesn't tell.
	ExpiresAt     *time.Time `json:"expires_at"`
	HostExpiresAt *time.Time `json:"host_expires_at"`
}

// LoginStatus tells how the profile's login stands to the host's now, and when it ends. It changes nothing.
//
// [ErrCredentialsMissing]: the host's login is there and can't be read.
// [ErrEnvironmentNotFound]: somebody destroyed the environment; what has its name now is another.
// [ErrInternalInvariantViolation]: the environment was destroyed through this value.
func (e *Environment) LoginStatus(ctx context.Context) (LoginStatus, error) {
	var text string
	err := e.during(ctx, func(env *C.avenv_environment) (err error) {
		text, err = callForText(func(out **C.char, failure **C.avenv_error) C.avenv_status {
			return C.avenv_environment_login_status_json(env, out, failure)
		})
		return err
	})
	if err != nil {
		return LoginStatus{}, err
	}
	return decode[LoginStatus](text), nil
}
