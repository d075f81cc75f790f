// Pictures without a screen: see offscreen.h.
//
// Whatever calls MuJoCo's renderer runs inside a batch of one simulation on the caller's thread,
// because a batch turns MuJoCo's fatal errors into a status.
#include "rl/view/offscreen.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/clock.h"

enum { MAX_DEVICES = 16, FINE_SAMPLES = 4, SHADOW_SIZE = 1024, FINE_SHADOW_SIZE = 4096 };

// ---------------------------------------------------------------- EGL

static EGLDisplay initialised(EGLDisplay display) {
  bool usable =
      display != EGL_NO_DISPLAY && eglInitialize(display, NULL, NULL) && eglBindAPI(EGL_OPENGL_API);
  return usable ? display : EGL_NO_DISPLAY;
}

static bool has_extension(const char *name) {
  const char *list = eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
  return list != NULL && strstr(list, name) != NULL;
}

// The first graphics device that works, for drivers without Mesa's surfaceless platform.
static EGLDisplay find_device(PFNEGLGETPLATFORMDISPLAYEXTPROC open) {
  PFNEGLQUERYDEVICESEXTPROC query =
      (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
  EGLDeviceEXT device[MAX_DEVICES];
  EGLint count = 0;
  if (query == NULL || !query(MAX_DEVICES, device, &count)) return EGL_NO_DISPLAY;
  for (int i = 0; i < count; i++) {
    EGLDisplay display = initialised(open(EGL_PLATFORM_DEVICE_EXT, device[i], NULL));
    if (display != EGL_NO_DISPLAY) return display;
  }
  return EGL_NO_DISPLAY;
}

// The display is EGL's and the process's: others may have it too, so it is never terminated.
static EGLDisplay find_display(void) {
  PFNEGLGETPLATFORMDISPLAYEXTPROC open =
      (PFNEGLGETPLATFORMDISPLAYEXTPROC)eglGetProcAddress("eglGetPlatformDisplayEXT");
  EGLDisplay display = EGL_NO_DISPLAY;
  if (open != NULL && has_extension("EGL_MESA_platform_surfaceless")) {
    display = initialised(open(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL));
  }
  if (display == EGL_NO_DISPLAY && open != NULL && has_extension("EGL_EXT_platform_device")) {
    display = find_device(open);
  }
  if (display == EGL_NO_DISPLAY) display = initialised(eglGetDisplay(EGL_DEFAULT_DISPLAY));
  return display;
}

static RlStatus refuse(const char *what) {
  return rl_error(RL_FAIL,
                  "view: %s: found EGL error 0x%x, expected OpenGL without a screen (on Debian: "
                  "libegl1 and libgl1-mesa-dri)",
                  what, (unsigned)eglGetError());
}

static RlStatus open_context(RlOffscreen *off) {
  static const EGLint want[] = {EGL_SURFACE_TYPE,
                                EGL_PBUFFER_BIT,
                                EGL_RENDERABLE_TYPE,
                                EGL_OPENGL_BIT,
                                EGL_RED_SIZE,
                                8,
                                EGL_GREEN_SIZE,
                                8,
                                EGL_BLUE_SIZE,
                                8,
                                EGL_NONE};
  static const EGLint size[] = {EGL_WIDTH, RL_PICTURE_MIN, EGL_HEIGHT, RL_PICTURE_MIN, EGL_NONE};
  EGLConfig config;
  EGLint count = 0;
  off->display = find_display();
  if (off->display == EGL_NO_DISPLAY) return refuse("display");
  if (!eglChooseConfig(off->display, want, &config, 1, &count) || count < 1) {
    return refuse("configuration");
  }
  off->context = eglCreateContext(off->display, config, EGL_NO_CONTEXT, NULL);
  if (off->context == EGL_NO_CONTEXT) return refuse("context");
  // the picture is drawn into a buffer of MuJoCo's; the surface only makes the context current
  off->surface = eglCreatePbufferSurface(off->display, config, size);
  if (off->surface == EGL_NO_SURFACE) return refuse("surface");
  if (!eglMakeCurrent(off->display, off->surface, off->surface, off->context)) {
    return refuse("context");
  }
  return RL_OK;
}

// ---------------------------------------------------------------- MuJoCo's renderer

// What a guarded call works on.
typedef struct {
  RlOffscreen *off;
  mjvScene *scene;
  bool done;  // the call came to its end
} Work;

static RlStatus guarded(RlOffscreen *off, mjfBatchFunc func, mjvScene *scene) {
  Work work = {off, scene, false};
  if (mjb_apply(off->guard, NULL, 1, func, &work, 0) == 0 && work.done) return RL_OK;
  return rl_error(RL_FAIL, "view: found '%s', expected MuJoCo to draw", mjb_error(off->guard, 0));
}

// (re)makes everything that MuJoCo keeps in the OpenGL context
static void make_gpu(const mjModel *m, mjData *d, int i, void *arg) {
  (void)m, (void)d, (void)i;
  Work *work = arg;
  RlOffscreen *off = work->off;
  mjr_freeContext(off->gpu);
  off->m->vis.quality.offsamples = off->fine ? FINE_SAMPLES : 0;
  off->m->vis.quality.shadowsize = off->fine ? FINE_SHADOW_SIZE : SHADOW_SIZE;
  off->m->vis.global.offwidth = off->width;
  off->m->vis.global.offheight = off->height;
  mjr_makeContext(off->m, off->gpu, mjFONTSCALE_100);
  mjr_setBuffer(mjFB_OFFSCREEN, off->gpu);
  work->done = off->gpu->currentBuffer == mjFB_OFFSCREEN;
}

static void free_gpu(const mjModel *m, mjData *d, int i, void *arg) {
  (void)m, (void)d, (void)i;
  Work *work = arg;
  mjr_freeContext(work->off->gpu);
  work->done = true;
}

static void resize(const mjModel *m, mjData *d, int i, void *arg) {
  (void)m, (void)d, (void)i;
  Work *work = arg;
  mjr_resizeOffscreen(work->off->width, work->off->height, work->off->gpu);
  work->done = true;
}

// MuJoCo gives the bottom row first
static void flip(uint8_t *rgb, int width, int height) {
  uint8_t keep[3 * RL_PICTURE_WIDTH];
  size_t row = 3 * (size_t)width;
  for (int y = 0; y < height / 2; y++) {
    uint8_t *top = rgb + (size_t)y * row, *bottom = rgb + (size_t)(height - 1 - y) * row;
    memcpy(keep, top, row);
    memcpy(top, bottom, row);
    memcpy(bottom, keep, row);
  }
}

static void draw(const mjModel *m, mjData *d, int i, void *arg) {
  (void)m, (void)d, (void)i;
  Work *work = arg;
  RlOffscreen *off = work->off;
  mjrRect all = {0, 0, off->width, off->height};
  mjr_render(all, work->scene, off->gpu);
  mjr_finish();
  double drawn = rl_clock_seconds();
  mjr_readPixels(off->rgb, NULL, all, off->gpu);
  flip(off->rgb, off->width, off->height);
  off->read_seconds = rl_clock_seconds() - drawn;
  work->done = true;
}

// ---------------------------------------------------------------- the whole

static RlStatus make_guard(RlOffscreen *off) {
  mjBatchConfig config;
  char text[256] = "";
  mjb_defaultConfig(&config);
  config.nthread = 1;
  off->guard = mjb_makeBatch(off->m, 1, &config, text, sizeof text);
  if (off->guard == NULL) return rl_error(RL_FAIL, "view: found '%s', expected a batch", text);
  return RL_OK;
}

RlStatus rl_offscreen_open(RlOffscreen *off, mjModel *m) {
  *off = (RlOffscreen){.m = m, .width = 640, .height = 480};
  off->rgb = malloc((size_t)3 * RL_PICTURE_WIDTH * RL_PICTURE_HEIGHT);
  off->gpu = malloc(sizeof *off->gpu);
  if (!off->rgb || !off->gpu) return rl_error(RL_FAIL, "view: found no memory for a picture");
  mjr_defaultContext(off->gpu);
  RL_TRY(open_context(off));
  RL_TRY(make_guard(off));
  return guarded(off, make_gpu, NULL);
}

static int held(int x, int most) {
  x = x < RL_PICTURE_MIN ? RL_PICTURE_MIN : x > most ? most : x;
  return x & ~1;
}

RlStatus rl_offscreen_draw(RlOffscreen *off, mjvScene *scene, int width, int height, bool fine) {
  width = held(width, RL_PICTURE_WIDTH);
  height = held(height, RL_PICTURE_HEIGHT);
  if (!eglMakeCurrent(off->display, off->surface, off->surface, off->context)) {
    return refuse("context");
  }
  bool resized = width != off->width || height != off->height;
  off->width = width;
  off->height = height;
  if (fine != off->fine) {
    off->fine = fine;
    RL_TRY(guarded(off, make_gpu, NULL));
  } else if (resized) {
    RL_TRY(guarded(off, resize, NULL));
  }
  return guarded(off, draw, scene);
}

void rl_offscreen_device(const RlOffscreen *off, char *name, size_t size) {
  enum { GL_RENDERER_NAME = 0x1f01 };
  typedef const unsigned char *(*GetString)(unsigned);
  GetString ask = (GetString)eglGetProcAddress("glGetString");
  bool current = eglMakeCurrent(off->display, off->surface, off->surface, off->context);
  const unsigned char *found = current && ask ? ask(GL_RENDERER_NAME) : NULL;
  snprintf(name, size, "%s", found ? (const char *)found : "unknown");
}

void rl_offscreen_close(RlOffscreen *off) {
  if (off->context != NULL) {
    bool current = eglMakeCurrent(off->display, off->surface, off->surface, off->context);
    if (current && off->guard) (void)guarded(off, free_gpu, NULL);
    eglMakeCurrent(off->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    if (off->surface != NULL) eglDestroySurface(off->display, off->surface);
    eglDestroyContext(off->display, off->context);
  }
  mjb_deleteBatch(off->guard);
  free(off->gpu);
  free(off->rgb);
  *off = (RlOffscreen){0};
}
