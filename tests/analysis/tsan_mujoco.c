// Tells ThreadSanitizer what it cannot see inside libmujoco: that mjb_apply starts its callbacks
// after the call and returns after their end. Linked into tests under that sanitizer only, in front
// of the real mjb_apply (--wrap).
//
// Start and end are two objects: a callback does not wait for another, so races between callbacks
// stay visible.
#include <mujoco/mjbatch.h>
#include <mujoco/mujoco.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);
int __real_mjb_apply(mjBatch *b, const int *ids, int nid, mjfBatchFunc func, void *arg, int save);
int __wrap_mjb_apply(mjBatch *b, const int *ids, int nid, mjfBatchFunc func, void *arg, int save);

typedef struct {
  mjfBatchFunc func;
  void *arg;
  char start, end;
} Call;

static void finish(Call **call) {
  __tsan_release(&(*call)->end);
}

// an error inside MuJoCo leaves the callback by an exception: its end counts too
static void run(const mjModel *m, mjData *d, int sim, void *arg) {
  __attribute__((cleanup(finish))) Call *call = arg;
  __tsan_acquire(&call->start);
  call->func(m, d, sim, call->arg);
}

int __wrap_mjb_apply(mjBatch *b, const int *ids, int nid, mjfBatchFunc func, void *arg, int save) {
  Call call = {.func = func, .arg = arg};
  __tsan_release(&call.start);
  int failed = __real_mjb_apply(b, ids, nid, run, &call, save);
  __tsan_acquire(&call.end);
  return failed;
}
