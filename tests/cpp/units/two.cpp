/* The other unit: uses what the first one made. Exits with 0 where all of it holds. */
#include "units.hpp"

int main(int, char **arguments) {
    avenv::Options options;
    bool holds = static_cast<bool>(options.try_set_ephemeral_root(arguments[1]));
    {
        auto env = made(options);
        holds = holds && env && env->env_overrides().at("NAME") == "value" && std::filesystem::exists(env->path());
        holds = holds && env->try_destroy() && !std::filesystem::exists(env->path());
    }
    holds = holds && failed().error().kind() == "InvalidEnvironmentSpec";
#ifdef __cpp_exceptions
    try {
        (void)failed().value();
        holds = false;
    } catch (const avenv::Error &error) {
        holds = holds && error.message() == "options: was moved from";
    }
#endif
    return holds ? 0 : 1;
}
