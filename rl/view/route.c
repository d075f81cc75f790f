// Routes, hosts and origins: see route.h.
#include "rl/view/route.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "rl/view/page.h"

// Compares RL_TOKEN_SIZE - 1 bytes; how long it takes does not tell how many were right.
static bool token_matches(const char *path, const char *token) {
  unsigned difference = 0;
  for (size_t i = 0; i < RL_TOKEN_SIZE - 1; i++) {
    difference |= (unsigned)(unsigned char)path[i] ^ (unsigned char)token[i];
  }
  return difference == 0;
}

// Reads "K" and what must follow it; -1 if it is no panel's.
static int panel_of(const char *text, const char *end, int panels) {
  int panel = 0;
  const char *c = text;
  for (; *c >= '0' && *c <= '9' && panel < panels; c++) panel = 10 * panel + (*c - '0');
  bool plain = c > text && (*text != '0' || c == text + 1);
  return plain && panel < panels && strcmp(c, end) == 0 ? panel : -1;
}

RlRoute rl_route_find(const char *path, const char *token, int panels) {
  static const struct {
    const char *start, *end;
    RlRouteKind kind;
  } numbered[] = {
      {"stream/", "", RL_ROUTE_STREAM},
      {"video/", ".mp4", RL_ROUTE_VIDEO},
      {"video/", ".html", RL_ROUTE_VIDEO_PAGE},
  };
  const RlRoute none = {RL_ROUTE_NONE, 0};
  if (strlen(path) < RL_TOKEN_SIZE + 1 || path[0] != '/' || path[RL_TOKEN_SIZE] != '/') return none;
  if (!token_matches(path + 1, token)) return none;
  const char *rest = path + RL_TOKEN_SIZE + 1;
  if (strcmp(rest, "ws") == 0) return (RlRoute){RL_ROUTE_SOCKET, 0};
  for (int i = 0; i < RL_PAGE_FILES; i++) {
    if (strcmp(rest, rl_page_files[i].name) == 0) return (RlRoute){RL_ROUTE_FILE, i};
  }
  for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
    size_t length = strlen(numbered[i].start);
    if (strncmp(rest, numbered[i].start, length) != 0) continue;
    int panel = panel_of(rest + length, numbered[i].end, panels);
    if (panel >= 0) return (RlRoute){numbered[i].kind, panel};
  }
  return none;
}

// Steps back over ":PORT"; the length of what is before it.
static size_t without_port(const char *host) {
  size_t length = strlen(host), digits = 0;
  while (digits < length && host[length - 1 - digits] >= '0' && host[length - 1 - digits] <= '9') {
    digits++;
  }
  bool port = digits >= 1 && digits <= 5 && length > digits && host[length - 1 - digits] == ':';
  return port ? length - digits - 1 : length;
}

bool rl_route_host_allowed(const char *host, const char *address) {
  char name[128];
  size_t length = without_port(host);
  if (length == 0 || length >= sizeof name) return false;
  memcpy(name, host, length);
  name[length] = '\0';
  struct in6_addr parsed;
  if (name[0] == '[') {
    if (name[length - 1] != ']') return false;
    name[length - 1] = '\0';
    return inet_pton(AF_INET6, name + 1, &parsed) == 1;
  }
  return inet_pton(AF_INET, name, &parsed) == 1 || strcasecmp(name, "localhost") == 0 ||
         strcasecmp(name, address) == 0;
}

bool rl_route_origin_allowed(const char *origin, const char *host) {
  static const char scheme[] = "http://";
  return strncasecmp(origin, scheme, sizeof scheme - 1) == 0 &&
         strcasecmp(origin + sizeof scheme - 1, host) == 0;
}
