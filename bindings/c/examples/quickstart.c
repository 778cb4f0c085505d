#include <agent_venv.h>

#include <stdio.h>

int main(void) {
    avenv_spec *spec = NULL;
    avenv_environment *env = NULL;
    avenv_error *error = NULL;

    if (avenv_spec_for_adapter("claude-code", "{\"load_credentials\": false}", &spec, &error) == AVENV_OK &&
        avenv_environment_create_ephemeral(spec, NULL, &env, &error) == AVENV_OK) {
        printf("profile: %s\n", avenv_environment_path(env));
        printf("set:     %s\n", avenv_environment_env_overrides_json(env));
        avenv_environment_destroy(env, NULL, &error);
    }
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", avenv_error_kind(error), avenv_error_message(error));
        avenv_error_free(error);
        return 1;
    }
    avenv_environment_free(env);
    avenv_spec_free(spec);
    return 0;
}
