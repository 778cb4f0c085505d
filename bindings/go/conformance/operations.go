package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"agentvenv"
)

var ctx = context.Background()

var operations = map[string]func(request) (object, error){
	"ephemeral_lifecycle":                 ephemeralLifecycle,
	"persistent_create_attach_idempotent": createAttachIdempotent,
	"persistent_attach_only":              attachOnly,
	"persistent_attach_missing":           attachOnly,
	"persistent_list":                     list,
	"persistent_destroy_by_name":          createAndDestroy,
	"persistent_attach_mismatch":          attachMismatch,
	"x_attach":                            attachFor,
	"x_login_status":                      loginStatus,
	"x_refresh":                           refresh,
	"x_refresh_destroyed":                 refreshDestroyed,
	"x_destroy":                           destroyTwice,
	"x_destroy_by_name":                   destroyByName,
	"x_repair":                            repair,
	"x_reap":                              reap,
	"x_ensure_available":                  ensureAvailable,
}

func ephemeralLifecycle(r request) (object, error) {
	spec, err := r.spec("spec")
	if err != nil {
		return nil, err
	}
	env, err := agentvenv.NewEphemeral(ctx, spec)
	if err != nil {
		return nil, err
	}
	files, modes, err := filesIn(env.Path())
	if err != nil {
		return nil, err
	}
	inspection := object{
		"path":          env.Path(),
		"exists":        exists(env.Path()),
		"env_overrides": env.EnvOverrides(),
		"files_present": files,
		"file_modes":    modes,
	}
	if err := env.Destroy(ctx); err != nil {
		return nil, err
	}
	after := object{"path_exists": exists(env.Path())}
	return object{"inspection": inspection, "after_destroy": after, "events": env.Events()}, nil
}

func createAttachIdempotent(r request) (object, error) {
	first, err := create(r, r["spec"])
	if err != nil {
		return nil, err
	}
	second, err := create(r, r["spec"])
	if err != nil {
		return nil, err
	}
	files, _, err := filesIn(second.Path())
	return object{
		"paths":                     []string{first.Path(), second.Path()},
		"second_path_files_present": files,
		"events":                    append(first.Events(), second.Events()...),
	}, err
}

func attachOnly(r request) (object, error) { return attached(attach(r)) }

func attachFor(r request) (object, error) {
	id, err := r.text("adapter_id")
	if err != nil {
		return nil, err
	}
	return attached(attach(r, agentvenv.WithAdapter(agentvenv.Definition{ID: id})))
}

func list(r request) (object, error) {
	names, err := r.texts("names")
	if err != nil {
		return nil, err
	}
	root, err := r.registry()
	if err != nil {
		return nil, err
	}
	spec, err := r.spec("spec")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := agentvenv.CreateOrAttach(ctx, name, spec, root); err != nil {
			return nil, err
		}
	}
	listed, err := agentvenv.List(ctx, root)
	return object{"names_listed": listed}, err
}

func createAndDestroy(r request) (object, error) {
	env, err := create(r, r["spec"])
	if err != nil {
		return nil, err
	}
	if err := env.Destroy(ctx); err != nil {
		return nil, err
	}
	answer, err := listing(r)
	if err != nil {
		return nil, err
	}
	answer["created_path"] = env.Path()
	answer["path_exists_after"] = exists(env.Path())
	answer["events"] = env.Events()
	return answer, nil
}

func attachMismatch(r request) (object, error) {
	id, err := r.text("second_adapter_id")
	if err != nil {
		return nil, err
	}
	spec, err := json.Marshal(map[string]string{"adapter_id": id})
	if err != nil {
		return nil, err
	}
	first, err := create(r, r["first_spec"])
	if err != nil {
		return nil, err
	}
	second, err := create(r, spec)
	answer, err := attached(second, err)
	if err != nil {
		return nil, err
	}
	answer["events"] = append(first.Events(), second.Events()...)
	return answer, nil
}

func loginStatus(r request) (object, error) {
	env, err := attach(r)
	if err != nil {
		return nil, err
	}
	login, err := env.LoginStatus(ctx)
	return object{"login": login, "events": env.Events()}, err
}

func refresh(r request) (object, error) {
	spec, err := r.spec("spec")
	if err != nil {
		return nil, err
	}
	force, err := r.flag("force")
	if err != nil {
		return nil, err
	}
	env, err := attach(r)
	if err != nil {
		return nil, err
	}
	if force {
		env = env.With(agentvenv.WithForce())
	}
	if missing(r["spec"]) {
		err = env.RefreshCredentials(ctx)
	} else {
		err = env.RefreshCredentialsWith(ctx, spec)
	}
	if err != nil {
		return nil, err
	}
	files, _, err := filesIn(env.Path())
	return object{"path": env.Path(), "files_present": files, "events": env.Events()}, err
}

func refreshDestroyed(r request) (object, error) {
	spec, err := r.spec("spec")
	if err != nil {
		return nil, err
	}
	env, err := create(r, r["spec"])
	if err != nil {
		return nil, err
	}
	if err := env.Destroy(ctx); err != nil {
		return nil, err
	}
	err = env.RefreshCredentialsWith(ctx, spec)
	return object{"events": env.Events()}, err
}

func destroyTwice(r request) (object, error) {
	env, err := attach(r)
	if err != nil {
		return nil, err
	}
	for range 2 {
		if err := env.Destroy(ctx); err != nil {
			return nil, err
		}
	}
	answer, err := listing(r)
	if err != nil {
		return nil, err
	}
	answer["path"] = env.Path()
	answer["path_exists_after"] = exists(env.Path())
	answer["events"] = env.Events()
	return answer, nil
}

func destroyByName(r request) (object, error) {
	name, root, err := r.place()
	if err != nil {
		return nil, err
	}
	options := []agentvenv.Option{root}
	if !missing(r["lock_timeout_ms"]) {
		timeout, err := read[int64](r, "lock_timeout_ms", "integer")
		if err != nil {
			return nil, err
		}
		options = append(options, agentvenv.WithLockTimeout(time.Duration(timeout)*time.Millisecond))
	}
	if err := agentvenv.DestroyByName(ctx, name, options...); err != nil {
		return nil, err
	}
	return listing(r)
}

func repair(r request) (object, error) {
	root, err := r.registry()
	if err != nil {
		return nil, err
	}
	report, err := agentvenv.Repair(ctx, root)
	return object{"report": report}, err
}

func reap(r request) (object, error) {
	root, err := r.registry()
	if err != nil {
		return nil, err
	}
	ephemeral, err := r.text("ephemeral_root")
	if err != nil {
		return nil, err
	}
	report, err := agentvenv.Reap(ctx, root, agentvenv.WithEphemeralRoot(ephemeral))
	return object{"report": report}, err
}

func ensureAvailable(r request) (object, error) {
	id, err := r.text("adapter_id")
	if err != nil {
		return nil, err
	}
	program, err := r.text("cli_bin")
	if err != nil {
		return nil, err
	}
	return object{}, agentvenv.Definition{ID: id, Program: program}.EnsureAvailable()
}

func create(r request, given json.RawMessage) (*agentvenv.Environment, error) {
	name, root, err := r.place()
	if err != nil {
		return nil, err
	}
	spec, err := parseSpec(given)
	if err != nil {
		return nil, err
	}
	return agentvenv.CreateOrAttach(ctx, name, spec, root)
}

func attach(r request, options ...agentvenv.Option) (*agentvenv.Environment, error) {
	name, root, err := r.place()
	if err != nil {
		return nil, err
	}
	return agentvenv.Attach(ctx, name, append(options, root)...)
}

func attached(env *agentvenv.Environment, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	files, _, err := filesIn(env.Path())
	return object{
		"path":          env.Path(),
		"files_present": files,
		"env_overrides": env.EnvOverrides(),
		"events":        env.Events(),
	}, err
}

func listing(r request) (object, error) {
	name, root, err := r.place()
	if err != nil {
		return nil, err
	}
	names, err := agentvenv.List(ctx, root)
	return object{"name_in_index_after": slices.Contains(names, name)}, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// filesIn walks the regular files: relative paths in the order of their bytes, and the mode of each.
func filesIn(root string) ([]string, map[string]fs.FileMode, error) {
	files, modes := []string{}, map[string]fs.FileMode{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		files = append(files, relative)
		modes[relative] = info.Mode().Perm()
		return err
	})
	slices.Sort(files)
	return files, modes, err
}
