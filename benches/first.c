/* How long it takes from loading the library to the first profile, in microseconds: a process has it but once. */
#include <dlfcn.h>
#include <stddef.h>

#include "bench.h"

int main(int argc, char **argv) {
  double start = now();
  void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!library)
    return 2;
  int (*create)(void *, void *, void **, void **) =
      (int (*)(void *, void *, void **, void **))dlsym(library, "avenv_environment_create_ephemeral");
  void (*release)(void *) = (void (*)(void *))dlsym(library, "avenv_environment_free");
  void (*give_back)(void) = (void (*)(void))dlsym(library, "avenv_give_back");
  void *env = NULL;
  if (!create || !release || !give_back || create(NULL, NULL, &env, NULL))
    return 1;
  double took = now() - start;
  release(env);
  give_back();
  tell(&took, 1);
  return 0;
}
