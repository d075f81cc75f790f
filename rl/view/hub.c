// The meeting place of drawing and serving: see hub.h. One lock for all of it, held for a copy of a
// picture at most.
#include "rl/view/hub.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Item {
  RlHubItem face;  // first: what callers hold is the item
  struct Item *next;
  uint8_t *bytes;
  size_t room;
  RlHubKind kind;
  int holders;  // the panel's slot counts as one
} Item;

typedef struct {
  Item *newest[RL_HUB_KINDS];
  uint64_t sequence[RL_HUB_KINDS];
  int watchers;
} Panel;

struct RlHub {
  pthread_mutex_t mutex;
  pthread_cond_t asked;  // a command, or a first watcher
  int panels;
  Panel panel[RL_HUB_PANELS];
  Item *spare[RL_HUB_KINDS];  // items nobody holds; kinds differ much in size
  RlCommand queue[RL_HUB_COMMANDS];
  int head, queued;
  bool arrived;  // somebody began to watch since the last wait
  void (*wake)(void *arg);
  void *wake_arg;
};

RlHub *rl_hub_create(int panels) {
  RL_ASSERT(panels >= 1 && panels <= RL_HUB_PANELS);
  RlHub *hub = calloc(1, sizeof *hub);
  if (!hub) {
    (void)rl_error(RL_FAIL, "view: found no memory, expected %zu bytes", sizeof *hub);
    return NULL;
  }
  hub->panels = panels;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&hub->mutex, NULL);
  pthread_cond_init(&hub->asked, &attributes);
  pthread_condattr_destroy(&attributes);
  return hub;
}

static void free_item(Item *item) {
  if (!item) return;
  free(item->bytes);
  free(item);
}

void rl_hub_free(RlHub *hub) {
  if (!hub) return;
  for (int kind = 0; kind < RL_HUB_KINDS; kind++) {
    for (int i = 0; i < hub->panels; i++) {
      Item *item = hub->panel[i].newest[kind];
      RL_ASSERT(!item || item->holders == 1);
      free_item(item);
    }
    for (Item *item = hub->spare[kind], *next; item; item = next) {
      next = item->next;
      free_item(item);
    }
  }
  pthread_cond_destroy(&hub->asked);
  pthread_mutex_destroy(&hub->mutex);
  free(hub);
}

int rl_hub_panels(const RlHub *hub) {
  return hub->panels;
}

bool rl_hub_watched(RlHub *hub, int panel) {
  pthread_mutex_lock(&hub->mutex);
  bool watched = hub->panel[panel].watchers > 0;
  pthread_mutex_unlock(&hub->mutex);
  return watched;
}

// One holder less; the last one leaves the item to be used again. A video is too large for that.
static void let_go(RlHub *hub, Item *item) {
  if (--item->holders > 0) return;
  if (item->kind == RL_HUB_VIDEO) {
    free_item(item);
    return;
  }
  item->next = hub->spare[item->kind];
  hub->spare[item->kind] = item;
}

// An item with room for size bytes, held once; NULL when memory is short.
static Item *take_item(RlHub *hub, RlHubKind kind, size_t size) {
  Item *item = hub->spare[kind];
  if (item) {
    hub->spare[kind] = item->next;
  } else {
    item = calloc(1, sizeof *item);
    if (!item) return NULL;
  }
  if (item->room < size) {
    // a quarter more than asked for: sizes of pictures vary by less
    size_t room = size + size / 4;
    free(item->bytes);
    item->bytes = malloc(room);
    item->room = item->bytes ? room : 0;
  }
  if (!item->bytes) {
    free_item(item);
    return NULL;
  }
  item->kind = kind;
  item->holders = 1;
  return item;
}

static void publish(RlHub *hub, int panel, RlHubKind kind, const void *data, size_t size) {
  RL_ASSERT(panel >= 0 && panel < hub->panels && size > 0);
  pthread_mutex_lock(&hub->mutex);
  Panel *p = &hub->panel[panel];
  Item *item = take_item(hub, kind, size);
  if (item) {
    memcpy(item->bytes, data, size);
    item->face = (RlHubItem){.sequence = ++p->sequence[kind],
                             .state = p->sequence[RL_HUB_STATE],
                             .data = item->bytes,
                             .size = size};
    if (p->newest[kind]) let_go(hub, p->newest[kind]);
    p->newest[kind] = item;
    if (hub->wake) hub->wake(hub->wake_arg);
  }
  pthread_mutex_unlock(&hub->mutex);
}

void rl_hub_picture(RlHub *hub, int panel, const uint8_t *jpeg, size_t size) {
  publish(hub, panel, RL_HUB_PICTURE, jpeg, size);
}

void rl_hub_state(RlHub *hub, int panel, const char *json, size_t size) {
  publish(hub, panel, RL_HUB_STATE, json, size);
}

void rl_hub_video(RlHub *hub, int panel, const uint8_t *mp4, size_t size) {
  publish(hub, panel, RL_HUB_VIDEO, mp4, size);
}

const RlHubItem *rl_hub_hold(RlHub *hub, int panel, RlHubKind kind, uint64_t seen) {
  RL_ASSERT(panel >= 0 && panel < hub->panels);
  pthread_mutex_lock(&hub->mutex);
  Item *item = hub->panel[panel].newest[kind];
  if (item && item->face.sequence > seen) {
    item->holders++;
  } else {
    item = NULL;
  }
  pthread_mutex_unlock(&hub->mutex);
  return item ? &item->face : NULL;
}

void rl_hub_release(RlHub *hub, const RlHubItem *item) {
  if (!item) return;
  // what was handed out is the beginning of one of our own items
  Item *own = (Item *)(uintptr_t)item;
  pthread_mutex_lock(&hub->mutex);
  let_go(hub, own);
  pthread_mutex_unlock(&hub->mutex);
}

void rl_hub_watch(RlHub *hub, int panel, int change) {
  pthread_mutex_lock(&hub->mutex);
  Panel *p = &hub->panel[panel];
  p->watchers += change;
  RL_ASSERT(p->watchers >= 0);
  if (change > 0) {
    hub->arrived = true;
    pthread_cond_signal(&hub->asked);
  }
  pthread_mutex_unlock(&hub->mutex);
}

// Whether a command goes on where the last one left off, and then adds it to that.
static bool join(RlCommand *last, const RlCommand *command) {
  enum { FAR = 8 };
  if (last->kind != command->kind || last->panel != command->panel) return false;
  switch (command->kind) {
    case RL_COMMAND_ORBIT:
    case RL_COMMAND_PAN:
    case RL_COMMAND_ZOOM:
    case RL_COMMAND_PUSH_MOVE: {
      double x = last->x + command->x, y = last->y + command->y;
      if (!(x >= -FAR && x <= FAR && y >= -FAR && y <= FAR)) return false;
      last->x = x;
      last->y = y;
      return true;
    }
    case RL_COMMAND_RESIZE:
      *last = *command;
      return true;
    default:
      return false;
  }
}

bool rl_hub_push(RlHub *hub, const RlCommand *command) {
  RL_ASSERT(command->panel >= 0 && command->panel < hub->panels);
  pthread_mutex_lock(&hub->mutex);
  int last = (hub->head + hub->queued - 1) % RL_HUB_COMMANDS;
  bool taken = hub->queued > 0 && join(&hub->queue[last], command);
  if (!taken && hub->queued < RL_HUB_COMMANDS) {
    hub->queue[(hub->head + hub->queued++) % RL_HUB_COMMANDS] = *command;
    taken = true;
  }
  pthread_cond_signal(&hub->asked);
  pthread_mutex_unlock(&hub->mutex);
  return taken;
}

bool rl_hub_pop(RlHub *hub, RlCommand *command) {
  pthread_mutex_lock(&hub->mutex);
  bool found = hub->queued > 0;
  if (found) {
    *command = hub->queue[hub->head];
    hub->head = (hub->head + 1) % RL_HUB_COMMANDS;
    hub->queued--;
  }
  pthread_mutex_unlock(&hub->mutex);
  return found;
}

void rl_hub_wait(RlHub *hub, double seconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  int64_t ns = end.tv_nsec + (int64_t)(seconds * 1e9);
  end.tv_sec += ns / 1000000000;
  end.tv_nsec = ns % 1000000000;
  pthread_mutex_lock(&hub->mutex);
  int code = 0;
  while (code == 0 && hub->queued == 0 && !hub->arrived) {
    code = pthread_cond_timedwait(&hub->asked, &hub->mutex, &end);
  }
  hub->arrived = false;
  pthread_mutex_unlock(&hub->mutex);
}

void rl_hub_listen(RlHub *hub, void (*wake)(void *arg), void *arg) {
  pthread_mutex_lock(&hub->mutex);
  hub->wake = wake;
  hub->wake_arg = arg;
  pthread_mutex_unlock(&hub->mutex);
}
