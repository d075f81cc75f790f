// Work in a child process: see contained.h.
//
// Invariant: the child writes one Reply, of less than a pipe's buffer and therefore whole, or none.
#include "rl/run/contained.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rl/base/memory.h"

enum { LINE_SIZE = 1024 };

// What a child process says of its work.
typedef struct {
  RlStatus status;
  char line[LINE_SIZE];
} Reply;

void rl_contained_memory(double bytes) {
  double most = rl_memory_mapped() + bytes;
  struct rlimit limit;
  if (!(most > bytes && most < 0x1p62) || getrlimit(RLIMIT_AS, &limit) != 0) return;
  limit.rlim_cur = (rlim_t)most < limit.rlim_max ? (rlim_t)most : limit.rlim_max;
  (void)setrlimit(RLIMIT_AS, &limit);
}

void rl_contained_clock(double seconds) {
  time_t whole = (time_t)seconds;
  const struct itimerval timer = {
      .it_value = {whole, (suseconds_t)((seconds - (double)whole) * 1e6)}};
  (void)setitimer(ITIMER_PROF, &timer, NULL);
}

// The child's part: a crash there is silent, whatever the parent does about its own.
static _Noreturn void answer(int to, double seconds, double bytes, RlStatus (*work)(void *arg),
                             void *arg) {
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPROF};
  const struct rlimit none = {0, 0};
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], SIG_DFL);
  (void)setrlimit(RLIMIT_CORE, &none);
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) dup2(null, STDERR_FILENO);
  rl_contained_memory(bytes);
  rl_contained_clock(seconds);
  Reply reply = {.status = work(arg)};
  snprintf(reply.line, sizeof reply.line, "%s", rl_error_text());
  _exit(write(to, &reply, sizeof reply) == (ssize_t)sizeof reply ? 0 : 1);
}

// What became of a child that did not answer.
static RlStatus tell(const char *path, double seconds, int how) {
  int signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
  if (signal == SIGPROF) {
    return rl_error(RL_FAIL,
                    "%s: found bytes over which its library spends more than %g s, expected a "
                    "sound file",
                    path, seconds);
  }
  return rl_error(RL_FAIL,
                  "%s: found bytes that crash its library (signal %d), expected a sound file", path,
                  signal);
}

RlStatus rl_contained_run(const char *path, double seconds, double bytes,
                          RlStatus (*work)(void *arg), void *arg) {
  int end[2], how = 0;
  Reply reply;
  if (pipe2(end, O_CLOEXEC) != 0) {
    return rl_error(RL_FAIL, "%s: found %s, expected a pipe", path, strerror(errno));
  }
  pid_t child = fork();
  if (child == 0) answer(end[1], seconds, bytes, work, arg);
  close(end[1]);
  ssize_t n;
  do {
    n = child > 0 ? read(end[0], &reply, sizeof reply) : -1;
  } while (n < 0 && child > 0 && errno == EINTR);
  close(end[0]);
  if (child < 0) return rl_error(RL_FAIL, "%s: found no process to read it, expected one", path);
  while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
  }
  if (n != (ssize_t)sizeof reply) return tell(path, seconds, how);
  return reply.status == RL_OK ? RL_OK : rl_error(reply.status, "%s", reply.line);
}
