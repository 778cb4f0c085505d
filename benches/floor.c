/* The floor: what the kernel needs for an ephemeral profile with two files, and nothing else. Takes the directory to work
   in; each line "ephemeral N" is answered by N times. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static void check(int failed, const char *what) {
  if (failed) {
    perror(what);
    exit(1);
  }
}

static void write_file(int dir, const char *name, const char *content) {
  int file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  check(file < 0, name);
  check(write(file, content, strlen(content)) < 0, name);
  close(file);
}

int main(int argc, char **argv) {
  int count;
  char path[4096];
  if (argc != 2)
    return 2;
  while (scanf(" ephemeral %d", &count) == 1) {
    double *samples = room_for(count);
    for (int i = 0; i < count; i++) {
      double start = now();
      snprintf(path, sizeof path, "%s/agent-venv-XXXXXX", argv[1]);
      check(!mkdtemp(path), path);
      int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      check(dir < 0, path);
      write_file(dir, "settings.json", "{\"theme\":\"dark\"}");
      write_file(dir, ".credentials.json", "{\"token\":\"no secret\"}");
      check(unlinkat(dir, "settings.json", 0), path);
      check(unlinkat(dir, ".credentials.json", 0), path);
      close(dir);
      check(rmdir(path), path);
      samples[i] = now() - start;
    }
    tell(samples, count);
    free(samples);
  }
  return 0;
}
