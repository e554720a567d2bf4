// SPDX-License-Identifier: MIT
// The least that a command can be: writes its argument as a line. Without a C library, whose start costs more than all that a host does for a
// command, above all in a virtual machine: it asks the processor what it is, and each such question goes to the hypervisor.
#if defined(__x86_64__)

namespace {

long call(long number, long first, const void* second, long third) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
  return result;
}

constexpr long write_call = 1, exit_group_call = 231;
constexpr long line_max = 256;

}  // namespace

// stack: as the kernel leaves it, the number of arguments and then their addresses.
extern "C" [[noreturn, gnu::used]] void run(const long* stack) {
  char line[line_max];
  long length = 0;
  if (stack[0] == 2)
    for (const char* word = reinterpret_cast<const char*>(stack[2]); *word != '\0' && length < line_max - 1; ++word) line[length++] = *word;
  line[length++] = '\n';
  call(exit_group_call, call(write_call, 1, line, length) == length ? 0 : 1, nullptr, 0);
  __builtin_unreachable();
}

asm(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call run\n");

#else

#include <cstdio>

int main(int argc, char** argv) { return argc == 2 && std::puts(argv[1]) >= 0 ? 0 : 1; }

#endif
