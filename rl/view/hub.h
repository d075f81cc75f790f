// Where the drawing thread and the server meet: per panel the newest picture, the newest state and
// the last video kept, and the commands on their way back. Nobody waits for anybody: a picture that
// nobody fetched is replaced, a state too, commands beyond the queue are dropped.
// Place: between live.c or watch.c (stages) and server.c.
//
// Invariants: what is held does not change until it is released; buffers are used again, so that a
// picture allocates only when it is larger than any before or more of them are held than ever.
#ifndef RL_VIEW_HUB_H_
#define RL_VIEW_HUB_H_

#include <stddef.h>
#include <stdint.h>

#include "rl/base/status.h"
#include "rl/view/command.h"

enum { RL_HUB_COMMANDS = 256, RL_HUB_PANELS = 16 };

typedef enum {
  RL_HUB_PICTURE,  // a JPEG
  RL_HUB_STATE,    // one JSON object
  RL_HUB_VIDEO,    // an MP4
  RL_HUB_KINDS,
} RlHubKind;

typedef struct {
  uint64_t sequence;  // counts what the panel has had of this kind, from 1
  uint64_t state;     // sequence of the state that was the newest then: the one a picture shows
  const uint8_t *data;
  size_t size;
} RlHubItem;

typedef struct RlHub RlHub;

// NULL with an error line when memory is short; panels in [1, RL_HUB_PANELS]. Free with
// rl_hub_free.
RlHub *rl_hub_create(int panels);
// Nothing may be held any more.
void rl_hub_free(RlHub *hub);
int rl_hub_panels(const RlHub *hub);

// ---- the drawing side
// Whether somebody looks at the panel's pictures; nothing is drawn for nobody.
bool rl_hub_watched(RlHub *hub, int panel);
// The panel's newest picture, a JPEG, copied; left out when memory is short.
void rl_hub_picture(RlHub *hub, int panel, const uint8_t *jpeg, size_t size);
// The panel's newest state, one JSON object, copied.
void rl_hub_state(RlHub *hub, int panel, const char *json, size_t size);
// The video to be offered, copied.
void rl_hub_video(RlHub *hub, int panel, const uint8_t *mp4, size_t size);
// The oldest command nobody took yet; false if there is none.
bool rl_hub_pop(RlHub *hub, RlCommand *command);
// Sleeps until there is a command, somebody begins to watch, or the seconds are over.
void rl_hub_wait(RlHub *hub, double seconds);

// ---- the server's side
// The panel's newest of a kind if its sequence is past `seen`, else NULL. To be released.
const RlHubItem *rl_hub_hold(RlHub *hub, int panel, RlHubKind kind, uint64_t seen);
// nullable: item
void rl_hub_release(RlHub *hub, const RlHubItem *item);
// One more (1) or one less (-1) looks at the panel.
void rl_hub_watch(RlHub *hub, int panel, int change);
// Queues a command; one that goes on where the queue's last left off (a drag) joins it. False: the
// queue is full and the command dropped.
bool rl_hub_push(RlHub *hub, const RlCommand *command);
// Has wake(arg) called, by the drawing thread and briefly, whenever there is something new.
// nullable: wake, nobody is called any more once this returns.
void rl_hub_listen(RlHub *hub, void (*wake)(void *arg), void *arg);

#endif
