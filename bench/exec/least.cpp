// SPDX-License-Identifier: MIT
// The least that a command can be: writes its argument as a line. Linked statically: what a loader does is no host's work, and in the figures it
// makes all hosts look more alike.
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char end[] = "\n";
  const iovec line[] = {{argv[1], std::strlen(argv[1])}, {end, 1}};
  return ::writev(STDOUT_FILENO, line, 2) > 0 ? 0 : 1;
}
