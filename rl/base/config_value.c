// Parsing and printing of single configuration values. Numbers are read whole or not at all: no
// trailing text, no nan, no hexadecimal, nothing that overflows.
#include "rl/base/config_value.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double lo, hi;
  bool lo_open, hi_open;
} Interval;

// glibc keeps the C locale as a constant, so making one allocates nothing and cannot fail.
static locale_t c_locale(void) {
  return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool parse_real(const char *text, double *out) {
  const char *digits = text + (*text == '+' || *text == '-');
  if (strcmp(digits, "inf") == 0) {
    *out = *text == '-' ? -INFINITY : INFINITY;
    return true;
  }
  if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') return false;
  locale_t locale = c_locale();
  char *end = NULL;
  errno = 0;
  double value = strtod_l(text, &end, locale);
  int code = errno;
  freelocale(locale);
  if (end == text || *end != '\0' || !isfinite(value)) return false;
  if (code == ERANGE && value == 0) return false;
  *out = value;
  return true;
}

// Takes whole numbers as digits, or in the shape of a real as long as a double holds them exactly.
static bool parse_whole(const char *text, int64_t *out) {
  const char *digits = text + (*text == '+' || *text == '-');
  if (*digits != '\0' && digits[strspn(digits, "0123456789")] == '\0') {
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno != 0) return false;
    *out = value;
    return true;
  }
  double value = 0;
  if (!parse_real(text, &value)) return false;
  if (!(fabs(value) <= 9007199254740992.0) || value != floor(value)) return false;
  *out = (int64_t)value;
  return true;
}

static bool inside(const Interval *interval, double value) {
  bool above = interval->lo_open ? value > interval->lo : value >= interval->lo;
  bool below = interval->hi_open ? value < interval->hi : value <= interval->hi;
  return above && below;
}

// Copies text[0, length) without the blanks around it; false if it does not fit.
static bool copy_trimmed(char *out, size_t size, const char *text, size_t length) {
  while (length > 0 && (*text == ' ' || *text == '\t')) text++, length--;
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
  if (length >= size) return false;
  memcpy(out, text, length);
  out[length] = '\0';
  return true;
}

// Two numbers with a comma between.
static bool parse_pair(const char *text, double *lo, double *hi) {
  char first[RL_VALUE_MAX], second[RL_VALUE_MAX];
  const char *comma = strchr(text, ',');
  if (comma == NULL) return false;
  return copy_trimmed(first, sizeof first, text, (size_t)(comma - text)) &&
         copy_trimmed(second, sizeof second, comma + 1, strlen(comma + 1)) &&
         parse_real(first, lo) && parse_real(second, hi);
}

// The table's own text, so a mistake in it is a programmer's.
static Interval option_interval(const RlOption *option) {
  const char *bounds = option->bounds;
  size_t length = strlen(bounds);
  RL_ASSERT(length > 2 && length < RL_VALUE_MAX);
  char inner[RL_VALUE_MAX];
  memcpy(inner, bounds + 1, length - 2);
  inner[length - 2] = '\0';
  Interval interval = {.lo_open = bounds[0] == '(', .hi_open = bounds[length - 1] == ')'};
  RL_ASSERT(parse_pair(inner, &interval.lo, &interval.hi));
  return interval;
}

// The index of text among "a|b|c", -1 if it is none of them.
static int choice_index(const char *choices, const char *text) {
  size_t length = strlen(text);
  for (int index = 0; length > 0; index++) {
    size_t span = strcspn(choices, "|");
    if (span == length && memcmp(choices, text, length) == 0) return index;
    if (choices[span] == '\0') break;
    choices += span + 1;
  }
  return -1;
}

static bool parse_dims(const Interval *interval, const char *text, RlDims *out) {
  RlDims dims = {0};
  if (strcmp(text, "none") != 0) {
    for (;;) {
      size_t span = strcspn(text, ",");
      char item[RL_VALUE_MAX];
      int64_t width = 0;
      if (dims.n == RL_MAX_HIDDEN) return false;
      if (!copy_trimmed(item, sizeof item, text, span) || !parse_whole(item, &width)) return false;
      if (!inside(interval, (double)width)) return false;
      dims.dim[dims.n++] = (int)width;
      if (text[span] == '\0') break;
      text += span + 1;
    }
  }
  *out = dims;
  return true;
}

static bool parse_text(const char *text, RlText *out) {
  size_t length = strlen(text);
  if (length == 0 || length >= RL_VALUE_MAX || strchr(text, ';') != NULL) return false;
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  memset(out, 0, sizeof *out);
  memcpy(out->text, text, length);
  return true;
}

static bool parse_bool(const char *text, bool *out) {
  bool is_true = strcmp(text, "true") == 0;
  if (!is_true && strcmp(text, "false") != 0) return false;
  *out = is_true;
  return true;
}

static bool parse_int(const RlOption *option, const char *text, void *field) {
  int64_t value = 0;
  Interval interval = option_interval(option);
  // compared as whole numbers: as doubles 2^53 + 1 would equal 2^53; bounds of these kinds are
  // closed
  if (!parse_whole(text, &value)) return false;
  if (value < (int64_t)interval.lo || value > (int64_t)interval.hi) return false;
  if (option->type == RL_KIND_I64) {
    *(int64_t *)field = value;
  } else {
    RL_ASSERT(value >= INT32_MIN && value <= INT32_MAX);
    *(int *)field = (int)value;
  }
  return true;
}

// Shared by the kinds made of real numbers; hi is only looked at for a range.
static bool parse_reals(const RlOption *option, const char *text, void *field) {
  Interval interval = option_interval(option);
  double lo = 0, hi = 0;
  if (option->type == RL_KIND_RANGE) {
    if (!parse_pair(text, &lo, &hi) || !(lo <= hi)) return false;
    if (!inside(&interval, lo) || !inside(&interval, hi)) return false;
    *(RlRange *)field = (RlRange){lo, hi};
    return true;
  }
  bool is_auto = option->type == RL_KIND_AUTO && strcmp(text, "auto") == 0;
  if (!is_auto && (!parse_real(text, &lo) || !inside(&interval, lo))) return false;
  if (option->type == RL_KIND_AUTO) {
    *(RlAuto *)field = (RlAuto){.is_auto = is_auto, .value = lo};
  } else {
    *(double *)field = lo;
  }
  return true;
}

bool rl_config_value_parse(const RlOption *option, const char *text, void *field) {
  switch (option->type) {
    case RL_KIND_INT:
    case RL_KIND_I64:
      return parse_int(option, text, field);
    case RL_KIND_REAL:
    case RL_KIND_AUTO:
    case RL_KIND_RANGE:
      return parse_reals(option, text, field);
    case RL_KIND_BOOL:
      return parse_bool(text, field);
    case RL_KIND_TEXT:
      return parse_text(text, field);
    case RL_KIND_DIMS: {
      Interval interval = option_interval(option);
      return parse_dims(&interval, text, field);
    }
    case RL_KIND_ENUM: {
      int index = choice_index(option->bounds, text);
      if (index < 0) return false;
      *(int *)field = index;
      return true;
    }
  }
  return false;
}

// As few digits as read back to the same bits, from where whole numbers stay without exponent.
static void print_real(double value, char *text, size_t size) {
  if (isinf(value)) {
    snprintf(text, size, "%s", value < 0 ? "-inf" : "inf");
    return;
  }
  locale_t locale = c_locale();
  locale_t before = uselocale(locale);
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, size, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  uselocale(before);
  freelocale(locale);
}

static void print_dims(const RlDims *dims, char *text) {
  snprintf(text, RL_VALUE_MAX, "%s", dims->n == 0 ? "none" : "");
  for (int i = 0; i < dims->n; i++) {
    size_t length = strlen(text);
    snprintf(text + length, RL_VALUE_MAX - length, "%s%d", i == 0 ? "" : ",", dims->dim[i]);
  }
}

static void print_choice(const char *choices, int index, char *text) {
  for (; index > 0; index--) choices += strcspn(choices, "|") + 1;
  snprintf(text, RL_VALUE_MAX, "%.*s", (int)strcspn(choices, "|"), choices);
}

void rl_config_value_print(const RlOption *option, const void *field, char *text) {
  switch (option->type) {
    case RL_KIND_INT:
      snprintf(text, RL_VALUE_MAX, "%d", *(const int *)field);
      break;
    case RL_KIND_I64:
      snprintf(text, RL_VALUE_MAX, "%" PRId64, *(const int64_t *)field);
      break;
    case RL_KIND_REAL:
      print_real(*(const double *)field, text, RL_VALUE_MAX);
      break;
    case RL_KIND_BOOL:
      snprintf(text, RL_VALUE_MAX, "%s", *(const bool *)field ? "true" : "false");
      break;
    case RL_KIND_ENUM:
      print_choice(option->bounds, *(const int *)field, text);
      break;
    case RL_KIND_TEXT:
      snprintf(text, RL_VALUE_MAX, "%.*s", RL_VALUE_MAX - 1, ((const RlText *)field)->text);
      break;
    case RL_KIND_DIMS:
      print_dims(field, text);
      break;
    case RL_KIND_AUTO: {
      const RlAuto *value = field;
      if (value->is_auto) {
        snprintf(text, RL_VALUE_MAX, "auto");
      } else {
        print_real(value->value, text, RL_VALUE_MAX);
      }
      break;
    }
    case RL_KIND_RANGE: {
      const RlRange *range = field;
      print_real(range->lo, text, RL_VALUE_MAX / 2);
      size_t length = strlen(text);
      memcpy(text + length, ", ", 2);
      print_real(range->hi, text + length + 2, RL_VALUE_MAX / 2 - 2);
      break;
    }
  }
}

void rl_config_value_expected(const RlOption *option, char *text, size_t size) {
  const char *bounds = option->bounds;
  switch (option->type) {
    case RL_KIND_INT:
    case RL_KIND_I64:
      snprintf(text, size, "a whole number in %s", bounds);
      break;
    case RL_KIND_REAL:
      snprintf(text, size, "a number in %s", bounds);
      break;
    case RL_KIND_BOOL:
      snprintf(text, size, "true or false");
      break;
    case RL_KIND_ENUM:
      snprintf(text, size, "one of %s", bounds);
      break;
    case RL_KIND_TEXT:
      snprintf(text, size, "1 to %d bytes without control characters or ';'", RL_VALUE_MAX - 1);
      break;
    case RL_KIND_DIMS:
      snprintf(text, size, "1 to %d comma-separated layer widths in %s, or none", RL_MAX_HIDDEN,
               bounds);
      break;
    case RL_KIND_AUTO:
      snprintf(text, size, "auto or a number in %s", bounds);
      break;
    case RL_KIND_RANGE:
      snprintf(text, size, "two numbers lo, hi in %s with lo <= hi", bounds);
      break;
  }
}
