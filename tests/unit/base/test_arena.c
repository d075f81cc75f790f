// Arena blocks: aligned, zeroed, apart from each other, and refused once sealed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rl/base/arena.h"

static void test_blocks(void **state) {
  (void)state;
  static const size_t size[] = {0, 1, 3, 63, 64, 65, 4096, 100000, 262144, 300000, 5000000, 17};
  enum { N = sizeof size / sizeof size[0] };
  RlArena arena = {0};
  unsigned char *block[N];
  for (int i = 0; i < N; i++) {
    block[i] = rl_arena_push(&arena, size[i], 1);
    assert_non_null(block[i]);
    assert_int_equal((uintptr_t)block[i] % 64, 0);
    for (size_t k = 0; k < size[i]; k++) assert_int_equal(block[i][k], 0);
    memset(block[i], i + 1, size[i]);
  }
  // no block was written through another
  size_t total = 0;
  for (int i = 0; i < N; i++) {
    for (size_t k = 0; k < size[i]; k++) assert_int_equal(block[i][k], i + 1);
    for (int j = 0; j < i; j++) assert_ptr_not_equal(block[i], block[j]);
    total += size[i];
  }
  assert_true(arena.used >= total);
  assert_true(arena.used <= total + 64 * N);
  rl_arena_free(&arena);
  assert_null(arena.block);
  assert_int_equal(arena.used, 0);
}

static void test_typed_push(void **state) {
  (void)state;
  RlArena arena = {0};
  double *x = RL_PUSH(&arena, double, 1000);
  for (int i = 0; i < 1000; i++) assert_true(x[i] == 0.0);
  assert_true(arena.used >= 8000);
  rl_arena_free(&arena);
  rl_arena_free(&arena);
}

// What a child that runs action dies of; its stderr is of no interest.
static int child_status(void (*action)(RlArena *)) {
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(99);
    signal(SIGABRT, SIG_DFL);
    RlArena arena = {0};
    action(&arena);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

static void push_sealed(RlArena *arena) {
  (void)rl_arena_push(arena, 1, 1);
  rl_arena_seal(arena);
  (void)rl_arena_push(arena, 1, 1);
}

static void push_overflow(RlArena *arena) {
  (void)rl_arena_push(arena, SIZE_MAX / 2, 8);
}

static void push_huge(RlArena *arena) {
  (void)rl_arena_push(arena, SIZE_MAX - 3, 1);
}

static void test_refusals(void **state) {
  (void)state;
  int status = child_status(push_sealed);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  status = child_status(push_overflow);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  status = child_status(push_huge);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_typed_push),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
