#include <agent_venv.hpp>

#include <iostream>

int main() try {
    auto env = avenv::Environment::ephemeral(avenv::Spec::for_adapter("claude-code", R"({"load_credentials": false})"));
    std::cout << "profile: " << env.path().native() << '\n';
    for (const auto &[name, value] : env.env_overrides()) {
        std::cout << "set:     " << name << '=' << value << '\n';
    }
    env.destroy();
} catch (const avenv::Error &error) {
    std::cerr << error.kind() << ": " << error.what() << '\n';
    return 1;
}
