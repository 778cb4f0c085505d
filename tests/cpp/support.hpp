/* What the programs here share: failures in both forms, files, other processes. */
#ifndef SUPPORT_HPP
#define SUPPORT_HPP

#include <agent_venv.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "../abi/check.h"

namespace fs = std::filesystem;
using avenv::Environment;
using avenv::Options;
using avenv::Spec;

/* ---- failures ---- */

/* How an error reads: its kind and its payload. What else it tells must agree with that. */
inline std::string told(const avenv::Error &error) {
    CHECK(error.status() != AVENV_OK);
    CHECK(error.kind() == avenv_status_kind(error.status()));
    CHECK(!error.message().empty() && error.message().find('\n') == std::string::npos);
    CHECK_STR(error.what(), error.message().c_str());
    CHECK(error.events_json().find("\"kind\":\"error\",\"error_kind\":\"" + error.kind() + "\"") != std::string::npos);
    return error.kind() + " " + error.payload_json();
}

template <typename T>
std::string told(const avenv::Result<T> &result) {
    return result ? "success" : told(result.error());
}

#ifdef __cpp_exceptions
template <typename Call>
std::string told(Call call) {
    try {
        call();
    } catch (const avenv::Error &error) {
        return told(error);
    }
    return "success";
}

/* Both forms of a call fail alike: `on` is an object or a type, with its operator, the call is named without try_. */
#define FAILS(on, call, expected)                                            \
    do {                                                                     \
        CHECK_STR(told([&] { (void)(on call); }).c_str(), expected.c_str());   \
        CHECK_STR(told(on try_##call).c_str(), expected.c_str());              \
    } while (0)
#endif

inline std::string refusal(const std::string &field, const std::string &reason) {
    return R"(InvalidEnvironmentSpec {"field":")" + field + R"(","reason":")" + reason + "\"}";
}

/* ---- files ---- */

inline std::string content(const fs::path &path) {
    std::ifstream file(path, std::ios::binary);
    CHECK(file.is_open());
    return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void write_file(const fs::path &path, const std::string &text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    CHECK(content(path) == text);
}

/* Every directory of an environment that is left below the test's temporary directory. */
inline std::ptrdiff_t environments_left() {
    std::ptrdiff_t left = 0;
    for (const auto &owner : fs::recursive_directory_iterator(getenv("TMPDIR"))) {
        left += owner.path().filename().native().rfind("agent-venv-", 0) == 0 &&
                owner.path().parent_path() != fs::path(getenv("TMPDIR"));
    }
    return left;
}

inline bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

/* ---- other processes ---- */

/* Waits for a child, which must exit with 0. */
inline void check_child(pid_t child) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

#endif
