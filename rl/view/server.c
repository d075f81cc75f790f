// The server's life, its thread, and where libwebsockets' events go: see server.h, connection.h.
#include "rl/view/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rl/base/clock.h"
#include "rl/view/connection.h"
#include "rl/view/http.h"
#include "rl/view/socket.h"

// A request's header must be there within HEADER_SECONDS, however it trickles in. At most
// UNSENT_BYTES wait in the kernel before the network, so that a picture is not old when it leaves.
enum { HEADER_SECONDS = 5, HEADER_BYTES = 4096, SEND_BYTES = 1 << 18, UNSENT_BYTES = 1 << 15 };

typedef struct {
  RlServer server;
  lws_sorted_usec_list_t timer;  // of the sweep
  uint8_t buffer[LWS_PRE + RL_SERVER_CHUNK];
} Life;

static RlServer *server_of(struct lws *wsi) {
  return lws_context_user(lws_get_context(wsi));
}

// ---- slots and seats

// Gives a new connection a slot, for as long as a header may take.
static void enter(RlServer *server, struct lws *wsi) {
  for (int i = 0; i < RL_SERVER_SLOTS + RL_SERVER_SPARE; i++) {
    RlSlot *slot = &server->slot[i];
    if (slot->wsi) continue;
    *slot = (RlSlot){.wsi = wsi, .deadline = rl_clock_seconds() + HEADER_SECONDS, .idle = true};
    lws_set_opaque_user_data(wsi, slot);
    return;
  }
}

static void leave(struct lws *wsi) {
  RlSlot *slot = lws_get_opaque_user_data(wsi);
  if (slot) *slot = (RlSlot){0};
}

void rl_server_expect(struct lws *wsi, double seconds, bool idle) {
  RlSlot *slot = lws_get_opaque_user_data(wsi);
  if (!slot) return;
  slot->deadline = rl_clock_seconds() + seconds;
  slot->idle = idle;
}

static void close_soon(RlSlot *slot) {
  slot->idle = false;
  slot->deadline = INFINITY;
  lws_set_timeout(slot->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

// Whether one more connection may come in; when slots run short the longest idle one goes for it.
static bool make_room(RlServer *server) {
  RlSlot *oldest = NULL;
  int used = 0;
  for (int i = 0; i < RL_SERVER_SLOTS + RL_SERVER_SPARE; i++) {
    RlSlot *slot = &server->slot[i];
    if (!slot->wsi) continue;
    used++;
    if (slot->idle && (!oldest || slot->deadline < oldest->deadline)) oldest = slot;
  }
  if (used >= RL_SERVER_SLOTS && oldest) close_soon(oldest);
  return used < RL_SERVER_SLOTS + (oldest ? RL_SERVER_SPARE : 0);
}

// Whether the client has gone: libwebsockets does not look while something it sent is still unread.
static bool has_gone(const RlSlot *slot) {
  struct pollfd look = {.fd = lws_get_socket_fd(slot->wsi), .events = POLLRDHUP};
  return poll(&look, 1, 0) > 0;
}

// Closes what has made no progress, and streams and WebSockets that wait for nobody; has itself
// called again in a second.
static void sweep(lws_sorted_usec_list_t *timer) {
  RlServer *server = &lws_container_of(timer, Life, timer)->server;
  double now = rl_clock_seconds();
  for (int i = 0; i < RL_SERVER_SLOTS + RL_SERVER_SPARE; i++) {
    RlSlot *slot = &server->slot[i];
    if (!slot->wsi) continue;
    bool waits = !slot->idle && isinf(slot->deadline);
    if (!(now < slot->deadline) || (waits && has_gone(slot))) close_soon(slot);
  }
  lws_sul_schedule(server->context, 0, timer, sweep, LWS_US_PER_SEC);
}

bool rl_server_seat(RlServer *server, RlConnection *connection, RlConnectionKind kind) {
  if (server->seats == RL_SERVER_SEATS) return false;
  server->seats++;
  connection->kind = kind;
  return true;
}

// Ends whatever the connection was doing; safe to call again.
static void give_up(RlServer *server, RlConnection *connection) {
  if (!connection) return;
  rl_hub_release(server->hub, connection->body.held);
  bool seated = connection->kind >= RL_CONNECTION_STREAM;
  if (seated) server->seats--;
  if (connection->kind == RL_CONNECTION_STREAM) rl_hub_watch(server->hub, connection->panel, -1);
  memset(connection, 0, sizeof *connection);
}

// ---- what libwebsockets reports

static void tune(int fd) {
  int send_bytes = SEND_BYTES, unsent_bytes = UNSENT_BYTES;
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length) {
  RlConnection *connection = user;
  switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
      if (!make_room(server_of(wsi))) return 1;
      tune((int)(intptr_t)in);
      return 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
      enter(server_of(wsi), wsi);
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      leave(wsi);
      return 0;
    case LWS_CALLBACK_HTTP:
      return rl_http_answer(server_of(wsi), wsi, connection, in);
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return rl_http_write(server_of(wsi), wsi, connection);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: {
      int status = rl_socket_check(server_of(wsi), wsi);
      if (status <= 0) return status;
      return rl_http_refuse(server_of(wsi), wsi, status) < 0 ? -1 : 1;
    }
    case LWS_CALLBACK_ESTABLISHED:
      memset(connection, 0, sizeof *connection);
      if (!rl_server_seat(server_of(wsi), connection, RL_CONNECTION_SOCKET)) return -1;
      rl_socket_open(connection);
      rl_server_expect(wsi, INFINITY, false);
      lws_callback_on_writable(wsi);
      return 0;
    case LWS_CALLBACK_RECEIVE:
      return rl_socket_receive(server_of(wsi), wsi, connection, in, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return rl_socket_write(server_of(wsi), wsi, connection);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
      give_up(server_of(wsi), connection);
      return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
      // something new in the hub: whoever wants it writes it
      lws_callback_on_writable_all_protocol(lws_get_context(wsi), lws_get_protocol(wsi));
      return 0;
    default:
      return 0;
  }
}

// ---- life

static void *serve(void *arg) {
  RlServer *server = arg;
  while (!atomic_load(&server->stop) && lws_service(server->context, 0) >= 0) continue;
  return NULL;
}

static void wake(void *arg) {
  RlServer *server = arg;
  lws_cancel_service(server->context);
}

static const char *address_of(const RlServerOptions *options) {
  return options->address ? options->address : "127.0.0.1";
}

static RlStatus draw_token(char token[RL_TOKEN_SIZE]) {
  uint8_t random[(RL_TOKEN_SIZE - 1) / 2];
  if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
    return rl_error(RL_FAIL, "view: found no random numbers, expected the system's");
  }
  for (size_t i = 0; i < sizeof random; i++) snprintf(token + 2 * i, 3, "%02x", random[i]);
  return RL_OK;
}

// An address with a port, of either family.
typedef struct {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  };
  socklen_t size;
} Place;

// Reads an address; false if it is none.
static bool read_place(Place *place, const char *address, int port) {
  *place = (Place){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)},
                   .size = sizeof place->v4};
  if (inet_pton(AF_INET, address, &place->v4.sin_addr) == 1) return true;
  *place = (Place){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)},
                   .size = sizeof place->v6};
  return inet_pton(AF_INET6, address, &place->v6.sin6_addr) == 1;
}

RlStatus rl_server_check(const RlServerOptions *options) {
  Place place;
  if (read_place(&place, address_of(options), options->port)) return RL_OK;
  return rl_error(RL_USAGE, "--address: found \"%s\", expected an address such as 127.0.0.1",
                  options->address);
}

// Tries whether the address and port can be had, since libwebsockets does not tell why not.
static RlStatus try_place(const RlServerOptions *options) {
  Place place;
  RL_TRY(rl_server_check(options));
  (void)read_place(&place, address_of(options), options->port);
  int fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  int code = fd < 0 ? -1 : setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (code == 0) code = bind(fd, &place.any, place.size);
  int trouble = errno;
  if (fd >= 0) close(fd);
  if (code == 0) return RL_OK;
  return rl_error(RL_FAIL,
                  "view: found \"%s\" at %s port %d, expected to listen there (--port 0: any)",
                  strerror(trouble), address_of(options), options->port);
}

static RlStatus open_context(RlServer *server, int port) {
  static const lws_retry_bo_t patience = {.secs_since_valid_ping = 20,
                                          .secs_since_valid_hangup = 40};
  static const struct lws_protocols protocols[] = {{.name = "view",
                                                    .callback = on_event,
                                                    .per_session_data_size = sizeof(RlConnection),
                                                    .rx_buffer_size = RL_MESSAGE_SIZE,
                                                    .tx_packet_size = RL_SERVER_CHUNK},
                                                   {0}};
  bool v6 = strchr(server->address, ':') != NULL;
  const struct lws_context_creation_info info = {
      .iface = server->address,
      .port = port,
      .protocols = protocols,
      .server_string = "rltrain",
      .max_http_header_data = HEADER_BYTES,
      .max_http_header_pool = RL_SERVER_SLOTS + RL_SERVER_SPARE,
      .fd_limit_per_thread = RL_SERVER_SLOTS + 2 * RL_SERVER_SPARE,
      .timeout_secs = HEADER_SECONDS,
      .keepalive_timeout = HEADER_SECONDS,
      // a peer that vanished is found out even if nothing is sent to it
      .ka_time = 30,
      .ka_probes = 3,
      .ka_interval = 10,
      .retry_and_idle_policy = &patience,
      .uid = -1,
      .gid = -1,
      .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                 LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                 (v6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
      .user = server,
  };
  // it would write to stderr, which has one line, and that on failure
  lws_set_log_level(0, NULL);
  server->context = lws_create_context(&info);
  struct lws_vhost *host =
      server->context ? lws_get_vhost_by_name(server->context, "default") : NULL;
  int found = host ? lws_get_vhost_listen_port(host) : 0;
  if (found <= 0) {
    return rl_error(RL_FAIL, "view: found no way to listen at %s port %d, expected one",
                    server->address, port);
  }
  snprintf(server->url, sizeof server->url, "http://%s%s%s:%d/%s/", v6 ? "[" : "", server->address,
           v6 ? "]" : "", found, server->token);
  return RL_OK;
}

static RlStatus start_thread(RlServer *server) {
  // signals are for the main thread
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&server->thread, NULL, serve, server);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code == 0) return RL_OK;
  return rl_error(RL_FAIL, "view: found %s starting a thread, expected one", strerror(code));
}

static void free_server(RlServer *server) {
  Life *life = lws_container_of(server, Life, server);
  lws_sul_cancel(&life->timer);
  if (server->context) lws_context_destroy(server->context);
  free(life);
}

RlServer *rl_server_start(RlHub *hub, const RlServerOptions *options) {
  Life *life = calloc(1, sizeof *life);
  if (!life) {
    (void)rl_error(RL_FAIL, "view: found no memory, expected %zu bytes", sizeof *life);
    return NULL;
  }
  RlServer *server = &life->server;
  server->hub = hub;
  server->buffer = life->buffer + LWS_PRE;
  atomic_init(&server->stop, false);
  snprintf(server->address, sizeof server->address, "%s", address_of(options));
  RlStatus status = try_place(options);
  if (status == RL_OK) status = draw_token(server->token);
  if (status == RL_OK) status = open_context(server, options->port);
  if (status == RL_OK) {
    sweep(&life->timer);
    status = start_thread(server);
  }
  if (status != RL_OK) {
    free_server(server);
    return NULL;
  }
  rl_hub_listen(hub, wake, server);
  return server;
}

const char *rl_server_url(const RlServer *server) {
  return server->url;
}

void rl_server_stop(RlServer *server) {
  if (!server) return;
  rl_hub_listen(server->hub, NULL, NULL);
  atomic_store(&server->stop, true);
  lws_cancel_service(server->context);
  pthread_join(server->thread, NULL);
  free_server(server);
}
