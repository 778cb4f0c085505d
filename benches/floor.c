/* The floor: what the kernel needs, and nothing else. Takes the directory to work in; each line is answered by the times of
   its repetitions.

     ephemeral N          a profile with two files made and removed
     new ROOT TAG N       N environments of two files in a registry: built, then under the lock the index written anew
     destroy ROOT TAG N   the same backwards

   A registry is as the format that all implementations share wants it, and no more than that: nobody is told from the dead,
   and what the index holds is of no interest. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

enum { ENTRY = 40, LARGEST = 16 << 20 };

static char path[4096], other[4096], index_text[LARGEST];

static void check(int failed, const char *what) {
  if (failed) {
    perror(what);
    exit(1);
  }
}

static void write_bytes(int dir, const char *name, const char *content, size_t length) {
  int file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  check(file < 0, name);
  check(write(file, content, length) != (ssize_t)length, name);
  close(file);
}

static void write_file(int dir, const char *name, const char *content) {
  write_bytes(dir, name, content, strlen(content));
}

static int open_directory(int dir, const char *name) {
  int opened = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(opened < 0, name);
  return opened;
}

static void write_profile(int dir) {
  write_file(dir, "settings.json", "{\"theme\":\"dark\"}");
  write_file(dir, ".credentials.json", "{\"token\":\"no secret\"}");
}

static void remove_profile(int dir) {
  check(unlinkat(dir, "settings.json", 0), path);
  check(unlinkat(dir, ".credentials.json", 0), path);
}

static void ephemeral(const char *work) {
  snprintf(path, sizeof path, "%s/agent-venv-XXXXXX", work);
  check(!mkdtemp(path), path);
  int dir = open_directory(AT_FDCWD, path);
  write_profile(dir);
  remove_profile(dir);
  close(dir);
  check(rmdir(path), path);
}

static int lock(int root) {
  int file = openat(root, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  check(file < 0 || flock(file, LOCK_EX), ".lock");
  return file;
}

/* Reads the index and writes it anew, by one entry longer or shorter. */
static void replace_index(int root, int change) {
  int file = openat(root, "index.json", O_RDONLY | O_CLOEXEC);
  check(file < 0, "index.json");
  ssize_t length = read(file, index_text, sizeof index_text - ENTRY);
  check(length < 0, "index.json");
  close(file);
  memset(index_text + length, ' ', ENTRY);
  write_bytes(root, "new", index_text, (size_t)(length + change));
  check(renameat(root, "new", root, "index.json"), "index.json");
}

static void create(int root, const char *name) {
  snprintf(path, sizeof path, "staged-%s", name);
  check(mkdirat(root, path, 0700), path);
  int dir = open_directory(root, path);
  check(mkdirat(dir, "profile", 0700), path);
  int profile = open_directory(dir, "profile");
  write_profile(profile);
  close(profile);
  char metadata[338];
  memset(metadata, ' ', sizeof metadata);
  write_bytes(dir, "metadata.json", metadata, sizeof metadata);
  close(dir);
  int locked = lock(root);
  snprintf(other, sizeof other, "envs/%s", name);
  check(renameat(root, path, root, other), other);
  replace_index(root, ENTRY);
  close(locked);
}

static void destroy(int root, const char *name) {
  int locked = lock(root);
  replace_index(root, -ENTRY);
  snprintf(path, sizeof path, "trash-%s", name);
  snprintf(other, sizeof other, "envs/%s", name);
  check(renameat(root, other, root, path), other);
  close(locked);
  int dir = open_directory(root, path), profile = open_directory(dir, "profile");
  remove_profile(profile);
  close(profile);
  check(unlinkat(dir, "profile", AT_REMOVEDIR), path);
  check(unlinkat(dir, "metadata.json", 0), path);
  close(dir);
  check(unlinkat(root, path, AT_REMOVEDIR), path);
}

int main(int argc, char **argv) {
  static char line[8192], op[16], where[4096], tag[64], name[128];
  int count;
  if (argc != 2)
    return 2;
  while (fgets(line, sizeof line, stdin)) {
    int root = -1;
    if (sscanf(line, "ephemeral %d", &count) == 1)
      strcpy(op, "ephemeral");
    else if (sscanf(line, "%15s %4095s %63s %d", op, where, tag, &count) == 4)
      root = open_directory(AT_FDCWD, where);
    else
      return 2;
    double *samples = room_for(count);
    for (int i = 0; i < count; i++) {
      snprintf(name, sizeof name, "%s-%06d", tag, i);
      double start = now();
      if (root < 0)
        ephemeral(argv[1]);
      else if (strcmp(op, "new") == 0)
        create(root, name);
      else
        destroy(root, name);
      samples[i] = now() - start;
    }
    tell(samples, count);
    free(samples);
    close(root);
  }
  return 0;
}
