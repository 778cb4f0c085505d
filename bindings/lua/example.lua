-- A profile for Claude Code from LuaJIT, on the bare C ABI: agent_venv.h is the manual.
local ffi = require("ffi")
ffi.cdef [[
  int32_t avenv_spec_for_adapter(const char *, const char *, void **, void **);
  int32_t avenv_environment_create_ephemeral(const void *, const void *, void **, void **);
  const char *avenv_environment_path(const void *);
  const char *avenv_environment_env_overrides_json(const void *);
  int32_t avenv_environment_destroy(void *, const void *, void **);
  const char *avenv_error_kind(const void *);
  const char *avenv_error_message(const void *);
  void avenv_spec_free(void *); void avenv_environment_free(void *); void avenv_error_free(void *);
]]
local avenv = ffi.load(os.getenv("AGENT_VENV_LIBRARY") or "libagent_venv.so.0")
local function slot() return ffi.new("void *[1]") end -- where an output goes

local error = slot()
local function check(status)
  if status == 0 then return end
  io.stderr:write(ffi.string(avenv.avenv_error_kind(error[0])), ": ", ffi.string(avenv.avenv_error_message(error[0])), "\n")
  avenv.avenv_error_free(error[0])
  os.exit(1)
end

local spec, env = slot(), slot()
check(avenv.avenv_spec_for_adapter("claude-code", '{"load_credentials": false}', spec, error))
check(avenv.avenv_environment_create_ephemeral(spec[0], nil, env, error))
print("profile: " .. ffi.string(avenv.avenv_environment_path(env[0])))
print("set:     " .. ffi.string(avenv.avenv_environment_env_overrides_json(env[0])))
check(avenv.avenv_environment_destroy(env[0], nil, error))
avenv.avenv_environment_free(env[0])
avenv.avenv_spec_free(spec[0])
