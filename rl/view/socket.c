// WebSockets of the page: see socket.h.
#include "rl/view/socket.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rl/base/clock.h"
#include "rl/view/http.h"

// A client may send MESSAGE_RATE messages a second, MESSAGE_BURST at once; what is past that is
// dropped. A mouse sends one a picture of the screen.
enum { MESSAGE_RATE = 250, MESSAGE_BURST = 500, HEADER_SIZE = 256 };

int rl_socket_check(const RlServer *server, struct lws *wsi) {
  char upgrade[HEADER_SIZE], path[HEADER_SIZE], host[HEADER_SIZE], origin[HEADER_SIZE];
  RlRoute route;
  // libwebsockets 4.1 asks even where it has refused the upgrade itself; the headers, and what it
  // calls us with, may be gone by then
  if (lws_hdr_copy(wsi, upgrade, sizeof upgrade, WSI_TOKEN_UPGRADE) <= 0) return -1;
  // WebSockets only: HTTP/2 has a way in here too
  if (strcasecmp(upgrade, "websocket") != 0) return HTTP_STATUS_BAD_REQUEST;
  if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0) return HTTP_STATUS_NOT_FOUND;
  int status = rl_http_check(server, wsi, path, &route);
  if (status != 0) return status;
  if (route.kind != RL_ROUTE_SOCKET) return HTTP_STATUS_BAD_REQUEST;
  if (lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0 ||
      lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN) <= 0 ||
      !rl_route_origin_allowed(origin, host)) {
    return HTTP_STATUS_FORBIDDEN;
  }
  return server->seats == RL_SERVER_SEATS ? HTTP_STATUS_SERVICE_UNAVAILABLE : 0;
}

void rl_socket_open(RlConnection *connection) {
  connection->tokens = MESSAGE_BURST;
  connection->refilled = rl_clock_seconds();
}

// ---- messages from the client

static bool take_token(RlConnection *connection) {
  double now = rl_clock_seconds();
  connection->tokens += MESSAGE_RATE * (now - connection->refilled);
  connection->refilled = now;
  if (connection->tokens > MESSAGE_BURST) connection->tokens = MESSAGE_BURST;
  if (connection->tokens < 1) return false;
  connection->tokens -= 1;
  return true;
}

static void obey(RlServer *server, struct lws *wsi, RlConnection *connection) {
  RlCommand command;
  RlStatus status = rl_message_read(&command, rl_hub_panels(server->hub), connection->message,
                                    connection->length);
  if (status == RL_OK) {
    (void)rl_hub_push(server->hub, &command);
    return;
  }
  snprintf(connection->refusal, sizeof connection->refusal, "%s", rl_error_text());
  rl_error_clear();
  lws_callback_on_writable(wsi);
}

int rl_socket_receive(RlServer *server, struct lws *wsi, RlConnection *connection, const char *data,
                      size_t size) {
  if (lws_frame_is_binary(wsi)) {
    lws_close_reason(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NULL, 0);
    return -1;
  }
  if (connection->length + size > RL_MESSAGE_SIZE) {
    lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
  }
  if (size > 0) memcpy(connection->message + connection->length, data, size);
  connection->length += size;
  if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi)) return 0;
  if (take_token(connection)) obey(server, wsi, connection);
  connection->length = 0;
  return 0;
}

// ---- messages to the client

// {"refused": "..."}; returns its length.
static size_t put_refusal(const char *reason, char *out, size_t room) {
  size_t length = (size_t)snprintf(out, room, "{\"refused\": \"");
  for (const char *c = reason; *c != '\0' && length + 4 < room; c++) {
    if (*c == '"' || *c == '\\') out[length++] = '\\';
    // a refusal quotes plain characters only; anything else would be a stranger's
    out[length++] = *c >= 0x20 && *c < 0x7f ? *c : '?';
  }
  return length + (size_t)snprintf(out + length, room - length, "\"}");
}

// The next panel's state that the client has not seen, with what belongs around it; 0 if none.
static size_t put_state(RlServer *server, RlConnection *connection, char *out, size_t room) {
  int panels = rl_hub_panels(server->hub);
  for (int i = 0; i < panels; i++) {
    int panel = (connection->turn + i) % panels;
    const RlHubItem *state = rl_hub_hold(server->hub, panel, RL_HUB_STATE, connection->seen[panel]);
    if (!state) continue;
    const RlHubItem *video = rl_hub_hold(server->hub, panel, RL_HUB_VIDEO, 0);
    connection->seen[panel] = state->sequence;
    connection->turn = panel + 1;
    int length = snprintf(out, room,
                          "{\"panel\": %d, \"panels\": %d, \"sequence\": %" PRIu64
                          ", \"video\": %" PRIu64 ", \"state\": %.*s}",
                          panel, panels, state->sequence, video ? video->sequence : 0,
                          (int)state->size, (const char *)state->data);
    rl_hub_release(server->hub, video);
    rl_hub_release(server->hub, state);
    RL_ASSERT(length > 0 && (size_t)length < room);
    return (size_t)length;
  }
  return 0;
}

int rl_socket_write(RlServer *server, struct lws *wsi, RlConnection *connection) {
  char *out = (char *)server->buffer;
  size_t length;
  if (connection->refusal[0] != '\0') {
    length = put_refusal(connection->refusal, out, RL_SERVER_CHUNK);
    connection->refusal[0] = '\0';
  } else {
    length = put_state(server, connection, out, RL_SERVER_CHUNK);
  }
  if (length == 0) return 0;
  if (lws_write(wsi, server->buffer, length, LWS_WRITE_TEXT) < (int)length) return -1;
  lws_callback_on_writable(wsi);
  return 0;
}
