// Messages from the page: see message.h. A reader of the one shape of JSON that is spoken here, an
// object of numbers, truths and plain texts: nothing nests, so nothing recurses or allocates.
#include "rl/view/message.h"

#include <math.h>
#include <mujoco/mujoco.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 32, NUMBER_SIZE = 32, FAR = 4 };

// the keys, as bits of what a kind has
enum { DO = 1, PANEL = 2, X = 4, Y = 8, VALUE = 16, NUMBER = 32, ON = 64, TURN = 128 };

static const char *const key_name[] = {"do", "panel", "x", "y", "value", "number", "on", "turn"};
enum { KEYS = sizeof key_name / sizeof *key_name };

// lo, hi: of x and y or of value or of number, whatever the kind has
typedef struct {
  const char *name;
  RlCommandKind kind;
  int keys;
  double lo, hi;
} Kind;

static const Kind kinds[] = {
    {"orbit", RL_COMMAND_ORBIT, X | Y, -FAR, FAR},
    {"pan", RL_COMMAND_PAN, X | Y, -FAR, FAR},
    {"zoom", RL_COMMAND_ZOOM, X, -FAR, FAR},
    {"select", RL_COMMAND_SELECT, X | Y, 0, 1},
    {"push_begin", RL_COMMAND_PUSH_BEGIN, TURN, 0, 0},
    {"push_move", RL_COMMAND_PUSH_MOVE, X | Y, -FAR, FAR},
    {"push_end", RL_COMMAND_PUSH_END, 0, 0, 0},
    {"follow", RL_COMMAND_FOLLOW, ON, 0, 0},
    {"camera", RL_COMMAND_CAMERA, NUMBER, -1, 9999},
    {"pause", RL_COMMAND_PAUSE, ON, 0, 0},
    {"step", RL_COMMAND_STEP, 0, 0, 0},
    {"speed", RL_COMMAND_SPEED, VALUE, 0.01, 100},
    {"reset", RL_COMMAND_RESET, 0, 0, 0},
    {"checkpoint", RL_COMMAND_CHECKPOINT, NUMBER, -1, 1},
    {"resize", RL_COMMAND_RESIZE, X | Y, 16, 4096},
    {"quality", RL_COMMAND_QUALITY, ON, 0, 0},
    {"flag", RL_COMMAND_FLAG, NUMBER, 0, mjNVISFLAG - 1},
    {"render_flag", RL_COMMAND_RENDER_FLAG, NUMBER, 0, mjNRNDFLAG - 1},
    {"group", RL_COMMAND_GROUP, NUMBER, 0, mjNGROUP - 1},
    {"save", RL_COMMAND_SAVE, 0, 0, 0},
};

typedef struct {
  const char *at, *end;
  int seen;              // bits of the keys read
  char kind[TEXT_SIZE];  // value of "do"
  RlCommand command;
} Reader;

static char peek(Reader *r) {
  while (r->at < r->end && memchr(" \t\r\n", *r->at, 4)) r->at++;
  return r->at < r->end ? *r->at : '\0';
}

static RlStatus expect(Reader *r, char c) {
  if (peek(r) == c && r->at < r->end) {
    r->at++;
    return RL_OK;
  }
  if (r->at == r->end) return rl_error(RL_USAGE, "message: found its end, expected '%c'", c);
  return rl_error(RL_USAGE, "message: found byte 0x%02x, expected '%c'", (unsigned char)*r->at, c);
}

// A text of printable ASCII without escapes: no key and no kind needs more.
static RlStatus read_text(Reader *r, char *text) {
  RL_TRY(expect(r, '"'));
  for (size_t length = 0; r->at < r->end; length++) {
    char c = *r->at++;
    text[length] = '\0';
    if (c == '"') return RL_OK;
    if (c < 0x20 || c > 0x7e || c == '\\' || length + 1 == TEXT_SIZE) break;
    text[length] = c;
  }
  return rl_error(RL_USAGE,
                  "message: found a text that is long, open or not plain, expected a key");
}

static size_t digits(const Reader *r) {
  size_t count = 0;
  while (r->at + count < r->end && r->at[count] >= '0' && r->at[count] <= '9') count++;
  return count;
}

// Steps over a number as JSON writes it; false if there is none.
static bool pass_number(Reader *r) {
  if (r->at < r->end && *r->at == '-') r->at++;
  size_t count = digits(r);
  if (count == 0 || (count > 1 && *r->at == '0')) return false;
  r->at += count;
  if (r->at < r->end && *r->at == '.') {
    r->at++;
    if ((count = digits(r)) == 0) return false;
    r->at += count;
  }
  if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
    r->at++;
    if (r->at < r->end && (*r->at == '+' || *r->at == '-')) r->at++;
    if ((count = digits(r)) == 0) return false;
    r->at += count;
  }
  return true;
}

static RlStatus read_number(Reader *r, const char *key, double *value) {
  (void)peek(r);
  const char *start = r->at;
  char text[NUMBER_SIZE];
  bool good = pass_number(r) && r->at - start < NUMBER_SIZE;
  if (good) {
    memcpy(text, start, (size_t)(r->at - start));
    text[r->at - start] = '\0';
    *value = strtod(text, NULL);
  }
  if (!good || !isfinite(*value)) {
    return rl_error(RL_USAGE, "message: %s: found no number of use, expected one", key);
  }
  return RL_OK;
}

static RlStatus read_whole(Reader *r, const char *key, int *value) {
  double number;
  RL_TRY(read_number(r, key, &number));
  if (!(number >= -1e6 && number <= 1e6 && number == floor(number))) {
    return rl_error(RL_USAGE, "message: %s: found %g, expected a whole number", key, number);
  }
  *value = (int)number;
  return RL_OK;
}

static RlStatus read_truth(Reader *r, const char *key, bool *value) {
  (void)peek(r);
  size_t left = (size_t)(r->end - r->at);
  for (int truth = 0; truth < 2; truth++) {
    const char *word = truth ? "true" : "false";
    size_t length = strlen(word);
    if (left < length || memcmp(r->at, word, length) != 0) continue;
    r->at += length;
    *value = truth;
    return RL_OK;
  }
  return rl_error(RL_USAGE, "message: %s: found neither, expected true or false", key);
}

static RlStatus read_value(Reader *r, int key) {
  RlCommand *c = &r->command;
  const char *name = key_name[key];
  switch (1 << key) {
    case DO:
      return read_text(r, r->kind);
    case PANEL:
      return read_whole(r, name, &c->panel);
    case X:
      return read_number(r, name, &c->x);
    case Y:
      return read_number(r, name, &c->y);
    case VALUE:
      return read_number(r, name, &c->value);
    case NUMBER:
      return read_whole(r, name, &c->number);
    case ON:
      return read_truth(r, name, &c->on);
    default:
      return read_truth(r, name, &c->turn);
  }
}

static RlStatus read_member(Reader *r) {
  char name[TEXT_SIZE];
  RL_TRY(read_text(r, name));
  int key = 0;
  while (key < KEYS && strcmp(name, key_name[key]) != 0) key++;
  if (key == KEYS) return rl_error(RL_USAGE, "message: found key \"%s\", expected another", name);
  if (r->seen & 1 << key) {
    return rl_error(RL_USAGE, "message: %s: found it twice, expected it once", name);
  }
  r->seen |= 1 << key;
  RL_TRY(expect(r, ':'));
  return read_value(r, key);
}

static RlStatus read_object(Reader *r) {
  RL_TRY(expect(r, '{'));
  for (bool more = peek(r) != '}'; more;) {
    RL_TRY(read_member(r));
    more = peek(r) == ',';
    if (more) r->at++;
  }
  RL_TRY(expect(r, '}'));
  if (peek(r) != '\0' || r->at < r->end) {
    return rl_error(RL_USAGE, "message: found more behind the object, expected its end");
  }
  return RL_OK;
}

// What is given must be what the kind has, and in its range.
static RlStatus check(const Reader *r, const Kind *kind, int panels) {
  const RlCommand *c = &r->command;
  int wanted = DO | PANEL | kind->keys;
  for (int key = 0; key < KEYS; key++) {
    bool given = r->seen & 1 << key;
    if (given == !!(wanted & 1 << key)) continue;
    return rl_error(RL_USAGE, "message: %s: found %s \"%s\", expected %s", kind->name,
                    given ? "a" : "no", key_name[key], given ? "none" : "one");
  }
  if (!(c->panel >= 0 && c->panel < panels)) {
    return rl_error(RL_USAGE, "message: panel: found %d, expected 0 to %d", c->panel, panels - 1);
  }
  const double number[] = {c->x, c->y, c->value, c->number};
  for (int i = 0; i < 4; i++) {
    if (!(kind->keys & X << i)) continue;
    if (!(number[i] >= kind->lo && number[i] <= kind->hi)) {
      return rl_error(RL_USAGE, "message: %s: %s: found %g, expected %g to %g", kind->name,
                      key_name[2 + i], number[i], kind->lo, kind->hi);
    }
  }
  return RL_OK;
}

RlStatus rl_message_read(RlCommand *command, int panels, const char *text, size_t size) {
  if (size > RL_MESSAGE_SIZE) {
    return rl_error(RL_USAGE, "message: found %zu bytes, expected at most %d", size,
                    RL_MESSAGE_SIZE);
  }
  Reader reader = {.at = text, .end = text + size};
  RL_TRY(read_object(&reader));
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(reader.kind, kinds[i].name) != 0) continue;
    RL_TRY(check(&reader, &kinds[i], panels));
    *command = reader.command;
    command->kind = kinds[i].kind;
    return RL_OK;
  }
  return rl_error(RL_USAGE, "message: do: found \"%s\", expected a command", reader.kind);
}
