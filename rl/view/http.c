// Requests and their answers: see http.h.
#include "rl/view/http.h"

#include <libwebsockets.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/base64.h"
#include "rl/view/page.h"

// A body that has not moved for WRITE_SECONDS is given up; a connection kept open for a next
// request is closed after IDLE_SECONDS.
enum { WRITE_SECONDS = 30, IDLE_SECONDS = 5, NAME_SIZE = 256 };

static const char boundary[] = "--rl-frame\r\n", next_boundary[] = "\r\n--rl-frame\r\n";

static const char clip_head[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>rltrain</title>\n"
    "<style>html{background:#111;color-scheme:dark}body{margin:0;min-height:100vh;display:grid;"
    "place-items:center}video{max-width:100vw;max-height:100vh}</style>\n"
    "<video controls autoplay loop muted playsinline src=\"data:video/mp4;base64,";
static const char clip_tail[] = "\"></video>\n</html>\n";

// ---- headers

typedef struct {
  struct lws *wsi;
  unsigned char *start, *at, *end;
  bool good;
} Head;

static void add(Head *head, const char *name, const char *value) {
  head->good =
      head->good && lws_add_http_header_by_name(head->wsi, (const unsigned char *)name,
                                                (const unsigned char *)value, (int)strlen(value),
                                                &head->at, head->end) == 0;
}

// What may be loaded and run is what we served. The name asked for stands beside 'self', which some
// browsers do not take for WebSockets.
static void add_policy(Head *head) {
  char host[NAME_SIZE] = "", policy[2 * NAME_SIZE];
  (void)lws_hdr_copy(head->wsi, host, sizeof host, WSI_TOKEN_HOST);
  snprintf(policy, sizeof policy,
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
           "connect-src 'self' ws://%s; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'",
           host);
  add(head, "content-security-policy:", policy);
}

// Starts an answer; length LWS_ILLEGAL_HTTP_CONTENT_LEN: it ends with the connection.
static Head begin(RlServer *server, struct lws *wsi, int status, const char *type,
                  lws_filepos_t length) {
  Head head = {.wsi = wsi,
               .start = server->buffer,
               .at = server->buffer,
               .end = server->buffer + RL_SERVER_CHUNK - 1};
  head.good =
      lws_add_http_common_headers(wsi, (unsigned)status, type, length, &head.at, head.end) == 0;
  add(&head, "cache-control:", "no-store");
  add(&head, "x-content-type-options:", "nosniff");
  add(&head, "referrer-policy:", "no-referrer");
  add(&head, "cross-origin-resource-policy:", "same-origin");
  return head;
}

static bool end(Head *head) {
  return head->good &&
         lws_finalize_write_http_header(head->wsi, head->start, &head->at, head->end) == 0;
}

// ---- requests

int rl_http_check(const RlServer *server, struct lws *wsi, const char *path, RlRoute *route) {
  char host[NAME_SIZE];
  if (lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0 ||
      !rl_route_host_allowed(host, server->address)) {
    return HTTP_STATUS_FORBIDDEN;
  }
  *route = rl_route_find(path, server->token, rl_hub_panels(server->hub));
  if (route->kind == RL_ROUTE_NONE) return HTTP_STATUS_NOT_FOUND;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0) return HTTP_STATUS_METHOD_NOT_ALLOWED;
  return 0;
}

int rl_http_refuse(RlServer *server, struct lws *wsi, int status) {
  char text[32];
  int length = snprintf(text, sizeof text, "%d\n", status);
  Head head = begin(server, wsi, status, "text/plain", (lws_filepos_t)length);
  if (!end(&head)) return -1;
  memcpy(server->buffer, text, (size_t)length);
  if (lws_write(wsi, server->buffer, (size_t)length, LWS_WRITE_HTTP_FINAL) < length) return -1;
  rl_server_expect(wsi, IDLE_SECONDS, true);
  return 0;
}

static int refuse(RlServer *server, struct lws *wsi, int status) {
  int code = rl_http_refuse(server, wsi, status);
  return code != 0 || lws_http_transaction_completed(wsi) ? -1 : 0;
}

// ---- bodies

static size_t encoded_size(const RlBody *body) {
  return body->base64 ? (body->size + 2) / 3 * 4 : body->size;
}

static size_t body_size(const RlBody *body) {
  return strlen(body->head) + encoded_size(body) + strlen(body->tail);
}

// Bytes [from, from + room) of the data as written; returns how many there are of them.
static size_t copy_data(const RlBody *body, size_t from, uint8_t *out, size_t room) {
  size_t left = encoded_size(body) - from;
  size_t count = left < room ? left : room;
  if (!body->base64) {
    memcpy(out, body->data + from, count);
    return count;
  }
  for (size_t i = 0; i < count;) {
    char group[4];
    size_t place = (from + i) / 4 * 3, skip = (from + i) % 4;
    size_t bytes = body->size - place < 3 ? body->size - place : 3;
    rl_base64_group(body->data + place, bytes, group);
    for (; skip < 4 && i < count; skip++, i++) out[i] = (uint8_t)group[skip];
  }
  return count;
}

// The next bytes of head, data and tail, as many as there is room for.
static size_t next_bytes(const RlBody *body, uint8_t *out, size_t room) {
  size_t head = strlen(body->head), data = encoded_size(body), tail = strlen(body->tail);
  size_t from = body->sent, done = 0;
  if (from < head) {
    done = head - from < room ? head - from : room;
    memcpy(out, body->head + from, done);
    from += done;
  }
  if (done < room && from < head + data) {
    size_t count = copy_data(body, from - head, out + done, room - done);
    done += count;
    from += count;
  }
  if (done < room && from >= head + data) {
    size_t left = head + data + tail - from;
    size_t count = left < room - done ? left : room - done;
    memcpy(out + done, body->tail + (from - head - data), count);
    done += count;
  }
  return done;
}

static int start_body(struct lws *wsi, RlConnection *connection) {
  connection->writing = true;
  // libwebsockets gives the whole answer a few seconds; ours may last, as long as it moves
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
  rl_server_expect(wsi, WRITE_SECONDS, false);
  lws_callback_on_writable(wsi);
  return 0;
}

// ---- answers

static int answer_file(RlServer *server, struct lws *wsi, RlConnection *connection, int index) {
  const RlPageFile *file = &rl_page_files[index];
  Head head = begin(server, wsi, HTTP_STATUS_OK, file->type, strlen(file->text));
  add_policy(&head);
  if (!end(&head)) return -1;
  connection->kind = RL_CONNECTION_BODY;
  connection->body = (RlBody){.head = file->text, .tail = ""};
  return start_body(wsi, connection);
}

static int answer_video(RlServer *server, struct lws *wsi, RlConnection *connection,
                        const RlRoute *route) {
  const RlHubItem *video = rl_hub_hold(server->hub, route->index, RL_HUB_VIDEO, 0);
  if (!video) return refuse(server, wsi, HTTP_STATUS_NOT_FOUND);
  bool page = route->kind == RL_ROUTE_VIDEO_PAGE;
  connection->kind = RL_CONNECTION_BODY;
  connection->body = (RlBody){.head = page ? clip_head : "",
                              .tail = page ? clip_tail : "",
                              .data = video->data,
                              .size = video->size,
                              .base64 = page,
                              .held = video};
  char name[64];
  snprintf(name, sizeof name, "attachment; filename=\"rltrain-%d.%s\"", route->index,
           page ? "html" : "mp4");
  Head head = begin(server, wsi, HTTP_STATUS_OK, page ? "text/html; charset=utf-8" : "video/mp4",
                    body_size(&connection->body));
  add(&head, "content-disposition:", name);
  add(&head,
      "content-security-policy:", "default-src 'none'; media-src data:; style-src 'unsafe-inline'");
  if (!end(&head)) return -1;
  return start_body(wsi, connection);
}

static int answer_stream(RlServer *server, struct lws *wsi, RlConnection *connection, int panel) {
  if (!rl_server_seat(server, connection, RL_CONNECTION_STREAM)) {
    return refuse(server, wsi, HTTP_STATUS_SERVICE_UNAVAILABLE);
  }
  connection->panel = panel;
  rl_hub_watch(server->hub, panel, 1);
  Head head = begin(server, wsi, HTTP_STATUS_OK, "multipart/x-mixed-replace; boundary=rl-frame",
                    LWS_ILLEGAL_HTTP_CONTENT_LEN);
  if (!end(&head)) return -1;
  connection->body = (RlBody){.head = boundary, .tail = ""};
  return start_body(wsi, connection);
}

int rl_http_answer(RlServer *server, struct lws *wsi, RlConnection *connection, const char *path) {
  RlRoute route;
  int status = rl_http_check(server, wsi, path, &route);
  if (status != 0) return refuse(server, wsi, status);
  memset(connection, 0, sizeof *connection);
  switch (route.kind) {
    case RL_ROUTE_FILE:
      return answer_file(server, wsi, connection, route.index);
    case RL_ROUTE_STREAM:
      return answer_stream(server, wsi, connection, route.index);
    case RL_ROUTE_VIDEO:
    case RL_ROUTE_VIDEO_PAGE:
      return answer_video(server, wsi, connection, &route);
    default:
      return refuse(server, wsi, HTTP_STATUS_BAD_REQUEST);
  }
}

// ---- writing

// Takes up the newest picture not yet sent, if there is one.
static bool next_picture(RlServer *server, RlConnection *connection) {
  int panel = connection->panel;
  const RlHubItem *picture =
      rl_hub_hold(server->hub, panel, RL_HUB_PICTURE, connection->seen[panel]);
  if (!picture) return false;
  connection->seen[panel] = picture->sequence;
  // the boundary goes right behind a picture: a browser shows what it knows to be complete
  snprintf(connection->part, sizeof connection->part,
           "Content-Type: image/jpeg\r\nContent-Length: %zu\r\nX-Sequence: %" PRIu64
           "\r\nX-State: %" PRIu64 "\r\n\r\n",
           picture->size, picture->sequence, picture->state);
  connection->body = (RlBody){.head = connection->part,
                              .tail = next_boundary,
                              .data = picture->data,
                              .size = picture->size,
                              .held = picture};
  return true;
}

// The body is written: a stream waits for the next picture, an answer is over.
static int finish_body(RlServer *server, struct lws *wsi, RlConnection *connection) {
  rl_hub_release(server->hub, connection->body.held);
  connection->body.held = NULL;
  connection->writing = false;
  if (connection->kind == RL_CONNECTION_STREAM) {
    rl_server_expect(wsi, INFINITY, false);
    lws_callback_on_writable(wsi);
    return 0;
  }
  rl_server_expect(wsi, IDLE_SECONDS, true);
  return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int rl_http_write(RlServer *server, struct lws *wsi, RlConnection *connection) {
  if (!connection || connection->kind == RL_CONNECTION_NEW) return 0;
  if (!connection->writing) {
    if (connection->kind != RL_CONNECTION_STREAM || !next_picture(server, connection)) return 0;
    connection->writing = true;
  }
  RlBody *body = &connection->body;
  size_t count = next_bytes(body, server->buffer, RL_SERVER_CHUNK);
  body->sent += count;
  bool last = body->sent == body_size(body);
  bool final = last && connection->kind == RL_CONNECTION_BODY;
  if (lws_write(wsi, server->buffer, count, final ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
      (int)count) {
    return -1;
  }
  if (last) return finish_body(server, wsi, connection);
  rl_server_expect(wsi, WRITE_SECONDS, false);
  lws_callback_on_writable(wsi);
  return 0;
}
