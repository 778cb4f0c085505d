/* Does through the C ABI what each line says, and answers with the time that each repetition took:

     ephemeral N          create and destroy
     attach ROOT SIZE N   to random names of those that the generator made
     list ROOT N
     new ROOT TAG N       create N new names
     destroy ROOT TAG N   destroy them
     handles N            hold N live ephemeral environments: bytes of memory for each, and descriptors in all */
#include <agent_venv.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static avenv_spec *spec;
static avenv_options *options;
static avenv_error *error;

static void check(avenv_status status) {
  if (status != AVENV_OK) {
    fprintf(stderr, "%s\n", avenv_error_message(error));
    exit(1);
  }
}

static avenv_environment *ephemeral(void) {
  avenv_environment *env;
  check(avenv_environment_create_ephemeral(spec, options, &env, &error));
  return env;
}

static void end(avenv_environment *env) {
  check(avenv_environment_destroy(env, options, &error));
  avenv_environment_free(env);
}

static long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*d %ld", &pages) != 1)
    abort();
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static int descriptors(void) {
  int count = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (readdir(dir))
    count++;
  closedir(dir);
  return count;
}

/* The first half of the handles is for the allocator's own first needs. */
static void hold(int count) {
  avenv_environment **handles = calloc((size_t)count * 2, sizeof *handles);
  int open = descriptors();
  for (int i = 0; i < count; i++)
    handles[i] = ephemeral();
  long before = resident();
  for (int i = count; i < 2 * count; i++)
    handles[i] = ephemeral();
  double answer[] = {(double)(resident() - before) / count, descriptors() - open};
  for (int i = 0; i < 2 * count; i++)
    end(handles[i]);
  free(handles);
  tell(answer, 2);
}

int main(void) {
  static char line[8192], op[16], root[4096], tag[64], name[128];
  int size = 0, count = 0;
  const char *json = "{\"seed_files\":{\"settings.json\":\"{\\\"theme\\\":\\\"dark\\\"}\"},"
                     "\"credentials\":{\".credentials.json\":\"{\\\"token\\\":\\\"no secret\\\"}\"}}";
  check(avenv_spec_parse(json, &spec, &error));
  options = avenv_options_new();
  while (fgets(line, sizeof line, stdin)) {
    *op = *root = *tag = '\0';
    sscanf(line, "%15s", op);
    int read = strcmp(op, "attach") == 0 ? sscanf(line, "%*s %4095s %d %d", root, &size, &count) - 2
               : strcmp(op, "list") == 0 ? sscanf(line, "%*s %4095s %d", root, &count) - 1
               : strcmp(op, "new") == 0 || strcmp(op, "destroy") == 0
                   ? sscanf(line, "%*s %4095s %63s %d", root, tag, &count) - 2
                   : sscanf(line, "%*s %d", &count);
    if (read != 1)
      return 2;
    if (strcmp(op, "handles") == 0) {
      hold(count);
      continue;
    }
    if (*root)
      check(avenv_options_set_registry_root(options, root, &error));
    double *samples = room_for(count);
    for (int i = 0; i < count; i++) {
      avenv_environment *env;
      if (strcmp(op, "attach") == 0)
        snprintf(name, sizeof name, "env-%06d", rand() % size);
      else
        snprintf(name, sizeof name, "%s-%06d", tag, i);
      double start = now();
      if (strcmp(op, "ephemeral") == 0) {
        end(ephemeral());
      } else if (strcmp(op, "attach") == 0) {
        check(avenv_environment_attach(name, options, &env, &error));
        avenv_environment_free(env);
      } else if (strcmp(op, "list") == 0) {
        char *names;
        check(avenv_registry_list_json(options, &names, &error));
        avenv_string_free(names);
      } else if (strcmp(op, "new") == 0) {
        check(avenv_environment_create_or_attach(name, spec, options, &env, &error));
        avenv_environment_free(env);
      } else if (strcmp(op, "destroy") == 0) {
        check(avenv_registry_destroy(name, options, &error));
      } else {
        return 2;
      }
      samples[i] = now() - start;
    }
    tell(samples, count);
    free(samples);
  }
  avenv_give_back();
  avenv_spec_free(spec);
  avenv_options_free(options);
  return 0;
}
