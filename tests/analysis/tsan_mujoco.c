// Tells ThreadSanitizer what it cannot see inside libmujoco: that mjb_apply starts its callbacks
// after the call and returns after their end. Linked into tests under that sanitizer only, in front
// of the real mjb_apply (--wrap).
//
// Start and end are two objects: a callback does not wait for another, so races between callbacks
// stay visible.
#include <mujoco/mjbatch.h>
#include <mujoco/mujoco.h>

typedef struct {
  mjfBatchFunc func;
  void *arg;
  char start, end;
} Call;

void __tsan_acquire(void *address);
void __tsan_release(void *address);
int __real_mjb_apply(mjBatch *b, const int *ids, int nid, mjfBatchFunc func, void *arg, int save);
int __wrap_mjb_apply(mjBatch *b, const int *ids, int nid, mjfBatchFunc func, void *arg, int save);
mjfLogHandler _mjPRIVATE_setTlsLogHandler(mjfLogHandler handler);

static _Thread_local Call *under_way;
static _Thread_local mjfLogHandler batch_handler;

// stands before the batch's handler, which leaves the callback of an error by a long jump: that is
// its end too
static void handle(const mjLogMessage *message) {
  __tsan_release(&under_way->end);
  _mjPRIVATE_setTlsLogHandler(batch_handler);
  batch_handler(message);
  _mjPRIVATE_setTlsLogHandler(handle);
}

static void run(const mjModel *m, mjData *d, int sim, void *arg) {
  Call *call = arg;
  __tsan_acquire(&call->start);
  under_way = call;
  batch_handler = _mjPRIVATE_setTlsLogHandler(handle);
  call->func(m, d, sim, call->arg);
  _mjPRIVATE_setTlsLogHandler(batch_handler);
  __tsan_release(&call->end);
}

int __wrap_mjb_apply(mjBatch *b, const int *ids, int nid, mjfBatchFunc func, void *arg, int save) {
  Call call = {.func = func, .arg = arg};
  __tsan_release(&call.start);
  int failed = __real_mjb_apply(b, ids, nid, run, &call, save);
  __tsan_acquire(&call.end);
  return failed;
}
