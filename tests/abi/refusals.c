/* Every refusal of a spec in JSON: its kind, its whole payload, and nothing made. */
#include "reasons.h"
#include "support.h"

static const struct {
    const char *json;
    const char *field;
    const char *reason;
} refusals[] = {
    /* JSON that does not parse, or is no object */
    {"", "spec", "is not valid JSON (line 1, column 0)"},
    {"{", "spec", "is not valid JSON (line 1, column 1)"},
    {"nonsense", "spec", "is not valid JSON (line 1, column 2)"},
    {"{} {}", "spec", "is not valid JSON (line 1, column 4)"},
    {"{prefix:1}", "spec", "is not valid JSON (line 1, column 2)"},
    {"null", "spec", "must be an object, not null"},
    {"[]", "spec", "must be an object, not a list"},
    {"'claude-code'", "spec", "must be an object, not a string"},

    /* a duplicate key, at any depth */
    {"{'prefix':'a','prefix':'b'}", "prefix", TWICE},
    {"{'env_overrides':{'A':'1','A':'2'}}", "env_overrides['A']", TWICE},
    {"{'seed_files':{'a':'1','a':'2'}}", "seed_files['a']", TWICE},
    {"{'credentials':{'a':'1','a':'2'}}", "credentials['a']", TWICE},
    {"{'seed_files':{'a':''},'file_modes':{'a':384,'a':384}}", "file_modes['a']", TWICE},
    {"{'adapter':'codex','options':{'model':'a','model':'b'}}", "options['model']", TWICE},
    {"{'adapter':{'id':'a','id':'b'}}", "adapter['id']", TWICE},

    /* a field that is not in the table */
    {"{'surprise':1}", "surprise", NOT_A_FIELD},
    {"{'Prefix':'a'}", "Prefix", NOT_A_FIELD},
    {"{'':1}", "''", NOT_A_FIELD},

    /* a wrong type */
    {"{'adapter_id':1}", "adapter_id", "must be a string, not a number"},
    {"{'adapter_id':null}", "adapter_id", "must be a string, not null"},
    {"{'env_overrides':[]}", "env_overrides", "must be an object, not a list"},
    {"{'env_overrides':{'A':1}}", "env_overrides['A']", "must be a string, not a number"},
    {"{'seed_files':'a'}", "seed_files", "must be an object, not a string"},
    {"{'seed_files':{'a':{}}}", "seed_files['a']", "must be a string, not an object"},
    {"{'credentials':true}", "credentials", "must be an object, not true or false"},
    {"{'credentials':{'a':null}}", "credentials['a']", "must be a string, not null"},
    {"{'file_modes':[384]}", "file_modes", "must be an object, not a list"},
    {"{'seed_files':{'a':''},'file_modes':{'a':'0600'}}", "file_modes['a']", "must be an integer, not a string"},
    {"{'seed_files':{'a':''},'file_modes':{'a':384.5}}", "file_modes['a']", "must be an integer, not a number"},
    {"{'prefix':1}", "prefix", "must be a string, not a number"},
    {"{'adapter':1}", "adapter", "must be an object, not a number"},
    {"{'adapter':'codex','options':[]}", "options", "must be an object, not a list"},

    /* a path that does not stay inside the profile, or does not name a file */
    {"{'seed_files':{'/etc/passwd':''}}", "seed_files['/etc/passwd']", ABSOLUTE},
    {"{'seed_files':{'':''}}", "seed_files['']", EMPTY_PATH},
    {"{'seed_files':{'..':''}}", "seed_files['..']", LEADS_OUT},
    {"{'seed_files':{'../x':''}}", "seed_files['../x']", LEADS_OUT},
    {"{'seed_files':{'a/../../x':''}}", "seed_files['a/../../x']", LEADS_OUT},
    {"{'seed_files':{'a/..':''}}", "seed_files['a/..']", LEADS_OUT},
    {"{'seed_files':{'.':''}}", "seed_files['.']", HOLDS_DOT},
    {"{'seed_files':{'./a':''}}", "seed_files['./a']", HOLDS_DOT},
    {"{'seed_files':{'a/./b':''}}", "seed_files['a/./b']", HOLDS_DOT},
    {"{'seed_files':{'a//b':''}}", "seed_files['a//b']", "has an empty component"},
    {"{'seed_files':{'a/':''}}", "seed_files['a/']", ENDS_IN_SLASH},
    {"{'seed_files':{'a\\u0000b':''}}", "seed_files['a\\u0000b']", "holds NUL"},
    {"{'credentials':{'/etc/shadow':''}}", "credentials['/etc/shadow']", ABSOLUTE},
    {"{'credentials':{'../x':''}}", "credentials['../x']", LEADS_OUT},
    {"{'credentials':{'a\\u0000b':''}}", "credentials['a\\u0000b']", "holds NUL"},

    {"{'file_modes':{'../x':384}}", "file_modes['../x']", LEADS_OUT},

    /* a path that is both a file and a directory, or is written twice */
    {"{'seed_files':{'a':'','a/b':''}}", "seed_files['a/b']", NEEDS_A_DIRECTORY("a")},
    {"{'seed_files':{'a':'','a-b':'','a/b/c':''}}", "seed_files['a/b/c']", NEEDS_A_DIRECTORY("a")},
    {"{'credentials':{'a':'','a/b':''}}", "credentials['a/b']", NEEDS_A_DIRECTORY("a")},
    {"{'seed_files':{'a':''},'credentials':{'a/b':''}}", "credentials['a/b']", NEEDS_A_DIRECTORY("a")},
    {"{'seed_files':{'a/b':''},'credentials':{'a':''}}", "seed_files['a/b']", NEEDS_A_DIRECTORY("a")},
    {"{'seed_files':{'a':''},'credentials':{'a':''}}", "seed_files['a']", SEED_AND_CREDENTIAL},

    /* a mode for a path that nothing writes, or out of range */
    {"{'file_modes':{'a':384}}", "file_modes['a']", NOTHING_WRITES},
    {"{'seed_files':{'a/b':''},'file_modes':{'a':448}}", "file_modes['a']", NOTHING_WRITES},
    {"{'seed_files':{'a':''},'file_modes':{'a':512}}", "file_modes['a']", OUT_OF_RANGE},
    {"{'seed_files':{'a':''},'file_modes':{'a':-1}}", "file_modes['a']", OUT_OF_RANGE},
    {"{'seed_files':{'a':''},'file_modes':{'a':4294967680}}", "file_modes['a']", OUT_OF_RANGE},
    {"{'seed_files':{'a':''},'file_modes':{'a':1e30}}", "file_modes['a']", "must be an integer, not a number"},

    /* a variable that no process can have */
    {"{'env_overrides':{'':'v'}}", "env_overrides['']", EMPTY_VARIABLE_NAME},
    {"{'env_overrides':{'A=B':'v'}}", "env_overrides['A=B']", BAD_VARIABLE_NAME},
    {"{'env_overrides':{'A\\u0000':'v'}}", "env_overrides['A\\u0000']", BAD_VARIABLE_NAME},
    {"{'env_overrides':{'A':'v\\u0000w'}}", "env_overrides['A']", "has a value that holds NUL"},

    /* a prefix that would not be the start of one name */
    {"{'prefix':'a/b'}", "prefix", "holds /"},
    {"{'prefix':'a\\u0000b'}", "prefix", "holds NUL"},
    {"{'prefix':'0123456789012345678901234567890123456789012345678901234567890123X'}", "prefix", "is longer than 64 bytes"},

    /* adapters and their options */
    {"{'adapter':'nobody'}", "adapter", NO_ADAPTER},
    {"{'adapter':''}", "adapter", NOT_BUILT_IN GIVE_DEFINITION},
    {"{'adapter':{'id':'a'}}", "adapter.program", "is missing"},
    {"{'adapter':{'id':'a','program':'p','surprise':1}}", "adapter.surprise", NOT_OF_AN_ADAPTER},
    {"{'adapter':{'id':'a','program':'p','seed_files':{'../x':''}}}", "adapter.seed_files['../x']", LEADS_OUT},
    {"{'adapter':{'id':'a','program':'p','env':{'A=B':''}}}", "adapter.env['A=B']", BAD_VARIABLE_NAME},
    {"{'adapter':{'id':'a','program':'p','login':[{'profile':'/x','host':[{'file':'~/x'}]}]}}", "adapter.login[0].profile['/x']", ABSOLUTE},
    {"{'adapter':'codex','options':{'surprise':1}}", "options.surprise", NOT_AN_OPTION},
    {"{'adapter':'codex','options':{'model':null}}", "options.model", "must be a string, not null"},
    {"{'adapter':'codex','seed_files':{'auth.json':''}}", "seed_files['auth.json']", SEED_AND_CREDENTIAL},
    {"{'adapter':'codex','options':{'load_credentials':'no'}}", "options.load_credentials", "must be true or false, not a string"},
    {"{'options':{'load_credentials':false}}", "options", NEEDS_AN_ADAPTER},
    {"{'options':{}}", "options", NEEDS_AN_ADAPTER},
};

/* Refused at the latest by create, and then there is not even an ephemeral root. */
static void check_refused(const char *spec_json, const char *field, const char *reason) {
    avenv_error *error = NULL;
    avenv_spec *spec = POISON(avenv_spec);
    check_row = spec_json;
    REFUSED(avenv_spec_parse(spec_json, &spec, &error), field, reason);
    CHECK(spec == NULL);
    CHECK_INT(entries("tmp"), 0);
    CHECK_INT(entries("home"), 0);
}

TEST(every_refusal_names_the_field_and_the_reason_and_makes_nothing) {
    size_t i;
    for (i = 0; i < COUNT(refusals); i++) {
        check_refused(json(refusals[i].json), refusals[i].field, refusals[i].reason);
    }
}

/* {"x":[[[...]]]}, so many levels deep, the outer object included. */
static char *nested(size_t depth) {
    char *text = (char *)malloc(2 * depth + 8);
    char *end = text;
    size_t i;
    end += sprintf(end, "{\"x\":");
    for (i = 1; i < depth; i++) {
        *end++ = '[';
    }
    for (i = 1; i < depth; i++) {
        *end++ = ']';
    }
    strcpy(end, "}");
    return text;
}

static void check_too_deep(const char *text) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    CHECK_INT(avenv_spec_parse(text, &spec, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    CONTAINS(avenv_error_payload_json(error), "'reason':'nests deeper than 64'");
    avenv_error_free(error);
}

TEST(json_nests_64_deep_and_no_deeper) {
    char *deepest = nested(64);
    char *deeper = nested(65);
    char *deepest_of_all = nested(1000000);
    check_refused(deepest, "x", NOT_A_FIELD);
    check_too_deep(deeper);
    check_too_deep(deepest_of_all);
    free(deepest);
    free(deeper);
    free(deepest_of_all);
}

TEST(json_of_64_mib_is_read_and_one_byte_more_is_refused) {
    const size_t limit = (size_t)64 << 20;
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    char *text = (char *)malloc(limit + 2);
    memset(text, ' ', limit + 1);
    text[limit + 1] = '\0';
    memcpy(text, "{}", 2);
    check_refused(text, "spec", "is larger than 64 MiB");
    text[limit] = '\0';
    OK(avenv_spec_parse(text, &spec, &error));
    avenv_spec_free(spec);
    free(text);
}

TEST(what_lies_just_inside_the_limits_is_accepted) {
    static const char *const accepted[] = {
        "{}",
        " {'prefix':''} ",
        "{'prefix':'0123456789012345678901234567890123456789012345678901234567890123'}",
        "{'seed_files':{'...':'','..a':'','a..':'','b/.c':'','-':'',' ':'','\\n':'','\\\\':''}}",
        "{'seed_files':{'a':'','ab':'','a-':'','b/a':'','b/b':''}}",
        "{'seed_files':{'a':'\\u0000'},'credentials':{'b':'\\u0000'}}",
        "{'seed_files':{'a':'','b':''},'file_modes':{'a':511,'b':0}}",
        "{'credentials':{'a':''},'file_modes':{'a':420}}",
        "{'env_overrides':{'A':'','b c':'='}}",
        "{'adapter':'codex','options':{}}",
    };
    size_t i;
    for (i = 0; i < COUNT(accepted); i++) {
        check_row = accepted[i];
        avenv_spec_free(parse(accepted[i]));
    }
    destroy_and_free(create(accepted[2]));
}

static const struct test tests[] = {
    RUN(every_refusal_names_the_field_and_the_reason_and_makes_nothing),
    RUN(json_nests_64_deep_and_no_deeper),
    RUN(json_of_64_mib_is_read_and_one_byte_more_is_refused),
    RUN(what_lies_just_inside_the_limits_is_accepted),
};
MAIN(tests)
