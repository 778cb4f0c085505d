# A profile for Claude Code from Ruby, on the bare C ABI: agent_venv.h is the manual.
require "fiddle/import"

module AgentVenv
  extend Fiddle::Importer
  dlload ENV.fetch("AGENT_VENV_LIBRARY", "libagent_venv.so.0")
  extern "int avenv_spec_for_adapter(const char *, const char *, void **, void **)"
  extern "int avenv_environment_create_ephemeral(void *, void *, void **, void **)"
  extern "const char *avenv_environment_path(void *)"
  extern "const char *avenv_environment_env_overrides_json(void *)"
  extern "int avenv_environment_destroy(void *, void *, void **)"
  extern "const char *avenv_error_kind(void *)"
  extern "const char *avenv_error_message(void *)"
  %w[spec environment error].each { |type| extern "void avenv_#{type}_free(void *)" }

  def self.slot = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE) # where an output goes
  ERROR = slot

  def self.check(status)
    return if status.zero?
    told = "#{avenv_error_kind(ERROR.ptr)}: #{avenv_error_message(ERROR.ptr)}"
    avenv_error_free(ERROR.ptr)
    abort told
  end

  spec, env = slot, slot
  check avenv_spec_for_adapter("claude-code", '{"load_credentials": false}', spec, ERROR)
  check avenv_environment_create_ephemeral(spec.ptr, nil, env, ERROR)
  puts "profile: #{avenv_environment_path(env.ptr)}"
  puts "set:     #{avenv_environment_env_overrides_json(env.ptr)}"
  check avenv_environment_destroy(env.ptr, nil, ERROR)
  avenv_environment_free(env.ptr)
  avenv_spec_free(spec.ptr)
end
