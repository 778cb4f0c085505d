#include <agent_venv.hpp>

#include <cstdio>

static int failed(const avenv::Error &error) {
    std::fprintf(stderr, "%s: %s\n", error.kind().c_str(), error.what());
    return 1;
}

int main() {
    auto spec = avenv::Spec::try_for_adapter("codex", R"({"load_credentials": false})");
    if (!spec) {
        return failed(spec.error());
    }
    auto env = avenv::Environment::try_ephemeral(*spec);
    if (!env) {
        return failed(env.error());
    }
    std::printf("profile: %s\n", env->path().c_str());
    for (const auto &[name, value] : env->env_overrides()) {
        std::printf("set:     %s=%s\n", name.c_str(), value.c_str());
    }
    const auto destroyed = env->try_destroy();
    return destroyed ? 0 : failed(destroyed.error());
}
