/* Strings on their way in and out. */
#include "support.hpp"

using namespace std::string_view_literals;

/* Every character that JSON escapes, every length of UTF-8, and none of them NUL. */
static std::string odd() {
    std::string text;
    for (char c = 1; c < 0x7f; c++) {
        text += c;
    }
    return text + "\x7f\u00e9\u20ac\U0001f600\uffff";
}

TEST(a_view_that_does_not_end_with_nul_is_taken_as_far_as_it_goes) {
    const std::string_view whole = "reviewer-and-more=value|content|tail";
    Spec spec;
    spec.set_env(whole.substr(0, 17), whole.substr(18, 5)).add_seed_file(whole.substr(9, 3), whole.substr(24, 7));
    const Environment env = Environment::create_or_attach(whole.substr(0, 8), spec);
    CHECK(env.name() == "reviewer");
    CHECK(env.env_overrides() == (std::map<std::string, std::string>{{"reviewer-and-more", "value"}}));
    CHECK(content(env.path() / "and") == "content");
}

TEST(nul_inside_a_string_is_refused_by_the_parameters_name) {
    const std::string_view nul = "a\0b"sv;
    const fs::path path = std::string(nul);
    Spec spec;
    Options options;
    FAILS(Spec::, parse(nul), refusal("json", "holds NUL"));
    FAILS(Spec::, for_adapter(nul), refusal("adapter", "holds NUL"));
    FAILS(Spec::, for_adapter("codex", nul), refusal("options_json", "holds NUL"));
    FAILS(spec., set_env(nul, ""), refusal("name", "holds NUL"));
    FAILS(spec., set_env("NAME", nul), refusal("value", "holds NUL"));
    FAILS(spec., add_seed_file(nul, ""), refusal("path", "holds NUL"));
    FAILS(spec., add_credential(nul, ""), refusal("path", "holds NUL"));
    FAILS(options., set_registry_root(path), refusal("registry_root", "holds NUL"));
    FAILS(options., set_ephemeral_root(path), refusal("ephemeral_root", "holds NUL"));
    FAILS(options., set_expected_adapter(nul), refusal("adapter_id", "holds NUL"));
    FAILS(Environment::, create_or_attach(nul), refusal("name", "holds NUL"));
    FAILS(Environment::, attach(nul), refusal("name", "holds NUL"));
    FAILS(Environment::, destroy_by_name(nul), refusal("name", "holds NUL"));
    FAILS(avenv::, adapter_definition_json(nul), refusal("adapter", "holds NUL"));
    FAILS(avenv::, adapter_argv(nul, "{}"), refusal("adapter", "holds NUL"));
    FAILS(avenv::, adapter_argv("codex", nul), refusal("options_json", "holds NUL"));
    FAILS(avenv::, adapter_ensure_available(nul), refusal("adapter", "holds NUL"));
    FAILS(Environment::, attach("\0"sv), refusal("name", "holds NUL"));
    CHECK(Environment::list().empty());
}

TEST(bad_utf8_is_refused_by_the_library) {
    FAILS(Environment::, attach("\xff"), refusal("name", "is not valid UTF-8"));
    FAILS(Spec::, parse("\xc3"), refusal("json", "is not valid UTF-8"));
}

TEST(a_view_of_nothing_is_the_empty_string) {
    const std::string_view nothing;
    CHECK(contains(told(Environment::try_attach(nothing)), R"(InvalidEnvironmentSpec {"field":"name")"));
    const Environment env = Environment::ephemeral(Spec().add_seed_file("empty", nothing).set_env("EMPTY", nothing));
    CHECK(content(env.path() / "empty").empty());
    CHECK(env.env_overrides().at("EMPTY").empty());
}

TEST(contents_are_any_bytes) {
    const std::string bytes("\0\xff\xfe\nend\0", 8);
    Spec spec;
    spec.add_seed_file("seed", bytes, 0700).add_credential("token", bytes);
    const Environment env = Environment::ephemeral(spec);
    CHECK(content(env.path() / "seed") == bytes && content(env.path() / "token") == bytes);
    CHECK(fs::status(env.path() / "seed").permissions() == fs::perms::owner_all);
    CHECK(fs::status(env.path() / "token").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

/* A spec's text may hold a login. This one is short enough to lie within the object itself. */
TEST(the_copy_that_is_passed_on_is_wiped) {
    using avenv::detail::Text;
    alignas(Text) static char storage[sizeof(Text)];
    const Text *const text = new (storage) Text("json", "secret");
    const auto holds = [&] { return contains(std::string(storage, sizeof storage), "secret"); };
    CHECK(holds());
    text->~Text();
    CHECK(!holds());
}

TEST(variables_come_back_as_they_were_given) {
    std::map<std::string, std::string> given = {{"EMPTY", ""}, {"PLAIN", "value"}, {"VALUE", odd()}};
    std::string name = odd();
    name.erase(name.find('='), 1);
    given[name] = "\"[]{},:\\";
    Spec spec;
    for (const auto &[variable, value] : given) {
        spec.set_env(variable, value);
    }
    CHECK(Environment::ephemeral(spec).env_overrides() == given);
}

TEST(names_come_back_as_they_were_given) {
    const std::vector<std::string> names = {odd(), "\"", "\\", R"(["a","b"])", "__proto__", std::string(1024, 'x')};
    for (const std::string &name : names) {
        CHECK(Environment::create_or_attach(name).name() == name);
    }
    const std::vector<std::string> listed = Environment::list();
    CHECK(std::is_permutation(listed.begin(), listed.end(), names.begin(), names.end()));
    CHECK(std::is_sorted(listed.begin(), listed.end()));
    for (const std::string &name : names) {
        Environment::destroy_by_name(name);
    }
    CHECK(Environment::list().empty());
}

/* The library writes other characters as they are; JSON may also write them so. */
TEST(every_escape_of_json_is_read) {
    const auto read = [](std::string_view json) { return avenv::detail::json_strings(json); };
    using Strings = std::vector<std::string>;
    CHECK(read("[]").empty() && read("{}").empty() && read("").empty());
    CHECK(read(R"(["","a", "b" ])") == (Strings{"", "a", "b"}));
    CHECK(read(R"({"a":"1","b":"2"})") == (Strings{"a", "1", "b", "2"}));
    CHECK(read(R"(["\"\\\/\b\f\n\r\t"])") == Strings{"\"\\/\b\f\n\r\t"});
    CHECK(read(R"(["\u0041\u00e9\u00E9\u20ac\uffff\u001f"])") == Strings{"A\u00e9\u00e9\u20ac\uffff\x1f"});
    CHECK(read(R"(["\ud83d\ude00","\uD83D\uDE00","\ud800\udc00\udbff\udfff"])") ==
          (Strings{"\U0001f600", "\U0001f600", "\U00010000\U0010ffff"}));
    CHECK(read(R"(["a\u0000b"])") == Strings{std::string("a\0b", 3)});
    CHECK(read(R"(["\ud83d","\ude00x","\ud83d\n","\ud83d\u0041"])") ==
          (Strings{"\ufffd", "\ufffdx", "\ufffd\n", "\ufffdA"}));
}

TEST(json_that_ends_early_is_read_to_its_end_and_no_further) {
    for (const std::string_view whole : {R"(["a\"b\u20ac\ud83d\ude00"])", R"({"k\\":"v\n"})"}) {
        for (std::size_t length = 0; length < whole.size(); length++) {
            const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            CHECK(avenv::detail::json_strings({exact.data(), length}).size() <= 2);
        }
    }
}

static const struct test tests[] = {
    RUN(a_view_that_does_not_end_with_nul_is_taken_as_far_as_it_goes),
    RUN(nul_inside_a_string_is_refused_by_the_parameters_name),
    RUN(bad_utf8_is_refused_by_the_library),
    RUN(a_view_of_nothing_is_the_empty_string),
    RUN(contents_are_any_bytes),
    RUN(the_copy_that_is_passed_on_is_wiped),
    RUN(variables_come_back_as_they_were_given),
    RUN(names_come_back_as_they_were_given),
    RUN(every_escape_of_json_is_read),
    RUN(json_that_ends_early_is_read_to_its_end_and_no_further),
};
MAIN(tests)
