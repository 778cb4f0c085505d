/* One of two units of a program: makes what the other one uses. */
#include <agent_venv.hpp>
#include <agent_venv.hpp>

#include "units.hpp"

avenv::Result<avenv::Environment> made(const avenv::Options &options) {
    avenv::Spec spec;
    if (const auto set = spec.try_set_env("NAME", "value"); !set) {
        return set.error();
    }
    return avenv::Environment::try_ephemeral(spec, options);
}

avenv::Result<std::vector<std::string>> failed() { return avenv::Environment::try_list(avenv::Options(nullptr)); }
