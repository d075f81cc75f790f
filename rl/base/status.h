// Status codes and the one error line. Place: below everything; every layer reports the outside
// world (files, INI, HDF5, XML, options) through here, and only rl/cli turns a status into an exit.
//
// A failing function writes one line where the trouble is detected: file, key, found, expected.
// The line is thread-local and is never overwritten by callers on the way up.
#ifndef RL_BASE_STATUS_H_
#define RL_BASE_STATUS_H_

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  RL_OK = 0,
  RL_FAIL = -1,   // failed at run time: exit 1
  RL_USAGE = -2,  // wrong usage or configuration: exit 2
} RlStatus;

#define RL_MUST_USE __attribute__((warn_unused_result))

// Records one formatted line (control characters replaced, at most 1023 bytes) and returns status.
RlStatus rl_error(RlStatus status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The line of this thread's last error, "" if none.
const char *rl_error_text(void);

// Forgets the line: for callers that go on after a failure (the next resume file, say).
void rl_error_clear(void);

// Returns from the calling function with the status of a failed call.
#define RL_TRY(call)                      \
  do {                                    \
    RlStatus status_ = (call);            \
    if (status_ != RL_OK) return status_; \
  } while (0)

// A programmer's error: prints file, line and condition, then aborts. On in release builds too.
#define RL_ASSERT(condition) \
  ((condition) ? (void)0 : rl_assert_failed(__FILE__, __LINE__, #condition))
__attribute__((noreturn)) void rl_assert_failed(const char *file, int line, const char *condition);

#ifdef __cplusplus
}
#endif
#endif
