/* The error conventions, held against every function that can fail (calls.h). */
#include <pthread.h>

#include "calls.h"

TEST(success_sets_the_error_to_null) {
    struct subjects on = make_subjects();
    size_t i;
    for (i = 0; i < COUNT(calls); i++) {
        avenv_error *error = POISON(avenv_error);
        check_row = calls[i].function;
        OK(calls[i].succeeds(&on, &error));
    }
    free_subjects(&on);
}

TEST(failure_sets_an_error_that_agrees_with_the_status) {
    struct subjects on = make_subjects();
    size_t i;
    for (i = 0; i < COUNT(calls); i++) {
        avenv_error *error = POISON(avenv_error);
        avenv_status status;
        check_row = calls[i].function;
        status = calls[i].fails(&on, &error);
        CHECK(status != AVENV_OK);
        CHECK_INT(avenv_error_status(error), status);
        CHECK_STR(avenv_error_kind(error), avenv_status_kind(status));
        CHECK(strlen(avenv_error_message(error)) > 0);
        CHECK(strchr(avenv_error_message(error), '\n') == NULL);
        CHECK_INT(*avenv_error_payload_json(error), '{');
        avenv_error_free(error);
    }
    free_subjects(&on);
}

TEST(a_null_error_pointer_is_accepted) {
    struct subjects on = make_subjects();
    size_t i;
    for (i = 0; i < COUNT(calls); i++) {
        check_row = calls[i].function;
        CHECK_INT(calls[i].succeeds(&on, NULL), AVENV_OK);
        CHECK(calls[i].fails(&on, NULL) != AVENV_OK);
    }
    free_subjects(&on);
}

TEST(an_earlier_error_is_overwritten_and_stays_the_callers) {
    avenv_error *error = NULL;
    avenv_error *first;
    avenv_spec *spec = NULL;
    CHECK_INT(avenv_spec_parse("[", &spec, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    first = error;
    CHECK_INT(avenv_spec_for_adapter("nobody", NULL, &spec, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    CHECK(error != first);
    CHECK_INT(avenv_error_status(first), AVENV_INVALID_ENVIRONMENT_SPEC);
    CHECK(strcmp(avenv_error_message(first), avenv_error_message(error)) != 0);
    avenv_error_free(first);
    avenv_error_free(error);
}

TEST(errno_is_untouched_by_success_and_by_failure) {
    struct subjects on = make_subjects();
    size_t i;
    for (i = 0; i < COUNT(calls); i++) {
        check_row = calls[i].function;
        errno = 12345;
        calls[i].succeeds(&on, NULL);
        CHECK_INT(errno, 12345);
        calls[i].fails(&on, NULL);
        CHECK_INT(errno, 12345);
    }
    free_subjects(&on);
}

TEST(no_thread_signal_handler_or_mask_of_ours_remains) {
    struct subjects on = make_subjects();
    sigset_t before, after;
    int signal_number;
    size_t i;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (i = 0; i < COUNT(calls); i++) {
        calls[i].succeeds(&on, NULL);
        calls[i].fails(&on, NULL);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CHECK_INT(entries("/proc/self/task"), 1);
    for (signal_number = 1; signal_number < 32; signal_number++) {
        struct sigaction action;
        CHECK_INT(sigismember(&after, signal_number), sigismember(&before, signal_number));
        CHECK_INT(sigaction(signal_number, NULL, &action), 0);
        if (signal_number == SIGSEGV || signal_number == SIGBUS) {
            continue; /* under Valgrind these may be its own */
        }
        /* A shell that starts this in the background has it ignore some. */
        CHECK(action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && signal_number != SIGPIPE));
    }
    free_subjects(&on);
}

TEST(an_error_outlives_everything_that_it_came_from) {
    avenv_error *error = NULL;
    avenv_environment *env = create(NULL);
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK_INT(avenv_environment_refresh_credentials(env, NULL, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION);
    avenv_environment_free(env);
    CHECK_STR(avenv_error_kind(error), "InternalInvariantViolation");
    CHECK(strstr(avenv_error_message(error), "destroyed") != NULL);
    avenv_error_free(error);
}

TEST(what_an_error_answers_stays_at_one_address) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_spec_parse("[", &spec, &error);
    CHECK(avenv_error_kind(error) == avenv_error_kind(error));
    CHECK(avenv_error_message(error) == avenv_error_message(error));
    CHECK(avenv_error_payload_json(error) == avenv_error_payload_json(error));
    CHECK(avenv_error_events_json(error) == avenv_error_events_json(error));
    avenv_error_free(error);
}

static void *fail_elsewhere(void *argument) {
    avenv_error **error = (avenv_error **)argument;
    avenv_spec *spec = NULL;
    avenv_spec_parse(json("{'surprise':1}"), &spec, error);
    return NULL;
}

/* No last error hides in a thread: it can be read and freed anywhere. */
TEST(an_error_made_in_one_thread_is_read_and_freed_in_another) {
    avenv_error *error = NULL;
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, fail_elsewhere, &error), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(avenv_error_status(error), AVENV_INVALID_ENVIRONMENT_SPEC);
    CHECK(strstr(avenv_error_message(error), "surprise") != NULL);
    avenv_error_free(error);
}

static const struct test tests[] = {
    RUN(success_sets_the_error_to_null),
    RUN(failure_sets_an_error_that_agrees_with_the_status),
    RUN(a_null_error_pointer_is_accepted),
    RUN(an_earlier_error_is_overwritten_and_stays_the_callers),
    RUN(errno_is_untouched_by_success_and_by_failure),
    RUN(no_thread_signal_handler_or_mask_of_ours_remains),
    RUN(an_error_outlives_everything_that_it_came_from),
    RUN(what_an_error_answers_stays_at_one_address),
    RUN(an_error_made_in_one_thread_is_read_and_freed_in_another),
};
MAIN(tests)
