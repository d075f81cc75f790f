// Events: composed here in structs of event.proto, packed and framed into one buffer, written in
// one call. See events.h.
#include "rl/tensorboard/events.h"

#include <event.pb-c.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rl/base/config_value.h"
#include "rl/tensorboard/record.h"

// Longest dump of a configuration, and longest "section.key".
enum { TEXT = 16384, KEY = 64 };

// what a reader takes for granted of the records behind it
static char file_version[] = "brain.Event:2";

// protobuf-c has no const strings; it only reads them
static char *text_of(const char *text) {
  return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t size) {
  return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)data};
}

static double wall_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static RlStatus put(RlEvents *events, Rl__Event *event) {
  event->wall_time = wall_time();
  size_t size = rl__event__get_packed_size(event);
  RL_ASSERT(size <= sizeof events->record - RL_RECORD_HEAD - RL_RECORD_TAIL);
  rl__event__pack(event, events->record + RL_RECORD_HEAD);
  size = rl_record_frame(events->record, size);
  return rl_file_append(events->fd, events->path, events->record, size);
}

static RlStatus put_values(RlEvents *events, int64_t step, Rl__Summary__Value **value, size_t n) {
  Rl__Summary summary = RL__SUMMARY__INIT;
  Rl__Event event = RL__EVENT__INIT;
  summary.value = value;
  summary.n_value = n;
  event.step = step;
  event.what_case = RL__EVENT__WHAT_SUMMARY;
  event.summary = &summary;
  return put(events, &event);
}

// ---------------------------------------------------------------- a file

// The version, and where this process goes on. Readers void what they have seen of that step and
// later ones, but never at the first such event they meet: every file needs one.
static RlStatus put_start(RlEvents *events, int64_t step) {
  Rl__Event version = RL__EVENT__INIT, start = RL__EVENT__INIT;
  Rl__SessionLog log = RL__SESSION_LOG__INIT;
  version.what_case = RL__EVENT__WHAT_FILE_VERSION;
  version.file_version = file_version;
  RL_TRY(put(events, &version));
  log.status = RL__SESSION_LOG__STATUS__START;
  start.step = step;
  start.what_case = RL__EVENT__WHAT_SESSION_LOG;
  start.session_log = &log;
  return put(events, &start);
}

RlStatus rl_events_open(RlEvents *events, const char *dir, int64_t step, bool on) {
  int64_t number;
  events->fd = -1;
  RL_TRY(rl_event_file_cut(dir, step, &number));
  if (!on) return RL_OK;
  RL_TRY(rl_event_file_create(dir, number, events->path, &events->fd));
  RlStatus status = put_start(events, step + 1);
  if (status == RL_OK) return RL_OK;
  rl_events_close(events);
  unlink(events->path);
  return status;
}

RlStatus rl_events_sync(RlEvents *events) {
  return events->fd < 0 ? RL_OK : rl_file_sync(events->fd, events->path);
}

void rl_events_close(RlEvents *events) {
  if (events->fd >= 0) close(events->fd);
  events->fd = -1;
}

const char *rl_events_library(void) {
  return protobuf_c_version();
}

// ---------------------------------------------------------------- numbers

RlStatus rl_events_write_scalars(RlEvents *events, int64_t step, const RlEventScalar *scalar,
                                 int n) {
  Rl__Summary__Value value[RL_EVENT_SCALARS], *pointer[RL_EVENT_SCALARS];
  size_t count = 0;
  RL_ASSERT(n <= RL_EVENT_SCALARS);
  if (events->fd < 0) return RL_OK;
  for (int i = 0; i < n; i++) {
    if (!isfinite(scalar[i].value)) continue;
    Rl__Summary__Value *v = pointer[count] = &value[count];
    rl__summary__value__init(v);
    v->tag = text_of(scalar[i].tag);
    v->value_case = RL__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    v->simple_value = (float)scalar[i].value;
    count++;
  }
  return count ? put_values(events, step, pointer, count) : RL_OK;
}

RlStatus rl_events_write_histogram(RlEvents *events, int64_t step, const char *tag,
                                   const RlEventHistogram *histogram) {
  double limit[RL_EVENT_BUCKETS], bucket[RL_EVENT_BUCKETS];
  Rl__Histogram histo = RL__HISTOGRAM__INIT;
  Rl__Summary__Value value = RL__SUMMARY__VALUE__INIT, *pointer = &value;
  if (events->fd < 0) return RL_OK;
  double width = (histogram->max - histogram->min) / RL_EVENT_BUCKETS;
  for (int i = 0; i < RL_EVENT_BUCKETS; i++) limit[i] = histogram->min + width * (i + 1);
  limit[RL_EVENT_BUCKETS - 1] = histogram->max;
  memcpy(bucket, histogram->bucket, sizeof bucket);
  histo.min = histogram->min;
  histo.max = histogram->max;
  histo.num = histogram->num;
  histo.sum = histogram->sum;
  histo.sum_squares = histogram->sum_squares;
  histo.n_bucket_limit = histo.n_bucket = RL_EVENT_BUCKETS;
  histo.bucket_limit = limit;
  histo.bucket = bucket;
  value.tag = text_of(tag);
  value.value_case = RL__SUMMARY__VALUE__VALUE_HISTO;
  value.histo = &histo;
  return put_values(events, step, &pointer, 1);
}

// ---------------------------------------------------------------- the configuration

// One key as the hparams plugin has it, with the room that its texts need.
typedef struct {
  Rl__Hparams__Entry entry;
  Rl__Hparams__Value value;
  char key[KEY], text[RL_VALUE_MAX];
} Hparam;

// A field as a number; NaN if it is none.
static double number_of(const RlOption *option, const void *field) {
  const RlAuto *automatic = field;
  switch (option->type) {
    case RL_KIND_INT:
      return *(const int *)field;
    case RL_KIND_I64:
      return (double)*(const int64_t *)field;
    case RL_KIND_REAL:
      return *(const double *)field;
    case RL_KIND_AUTO:
      return automatic->is_auto ? (double)NAN : automatic->value;
    default:
      return NAN;
  }
}

// Infinity is told as text: the plugin's answer to the browser is JSON.
static void set_hparam(Hparam *h, const RlOption *option, const void *field, const char *text) {
  rl__hparams__entry__init(&h->entry);
  rl__hparams__value__init(&h->value);
  snprintf(h->key, sizeof h->key, "%s.%s", option->section, option->name);
  snprintf(h->text, sizeof h->text, "%s", text);
  h->entry.key = h->key;
  h->entry.value = &h->value;
  double number = number_of(option, field);
  if (isfinite(number)) {
    h->value.kind_case = RL__HPARAMS__VALUE__KIND_NUMBER_VALUE;
    h->value.number_value = number;
  } else if (option->type == RL_KIND_BOOL) {
    h->value.kind_case = RL__HPARAMS__VALUE__KIND_BOOL_VALUE;
    h->value.bool_value = *(const bool *)field;
  } else {
    h->value.kind_case = RL__HPARAMS__VALUE__KIND_STRING_VALUE;
    h->value.string_value = h->text;
  }
}

// Takes the keys that a dump of the configuration has; returns how many.
static size_t take_hparams(Hparam *h, const RlConfig *config) {
  size_t count = 0;
  int rows;
  const RlOption *option = rl_config_options(&rows);
  for (int row = 0; row < rows; row++) {
    char value[RL_VALUE_MAX];
    if (!rl_config_value_of(config, row, value)) continue;
    set_hparam(&h[count++], &option[row], (const char *)config + option[row].offset, value);
  }
  return count;
}

// Packs what the hparams plugin wants to know of n keys into content; returns its length.
static size_t pack_hparams(Hparam *h, size_t n, uint8_t *content, size_t room) {
  Rl__Hparams hparams = RL__HPARAMS__INIT;
  Rl__Hparams__SessionStart start = RL__HPARAMS__SESSION_START__INIT;
  Rl__Hparams__Entry *entry[RL_MAX_OPTIONS];
  for (size_t i = 0; i < n; i++) entry[i] = &h[i].entry;
  start.hparams = entry;
  start.n_hparams = n;
  start.start_time_secs = wall_time();
  hparams.session_start_info = &start;
  RL_ASSERT(rl__hparams__get_packed_size(&hparams) <= room);
  return rl__hparams__pack(&hparams, content);
}

// A paragraph of text in which every line stands as it is: four blanks before each.
static size_t indent(const char *text, char *out, size_t size) {
  size_t n = 0;
  for (; *text; text += strcspn(text, "\n") + 1) {
    n += (size_t)snprintf(out + n, size - n, "    %.*s\n", (int)strcspn(text, "\n"), text);
    RL_ASSERT(n < size);
  }
  return n;
}

// A value whose meaning is a plugin's; string: nullable, else an empty tensor of numbers.
typedef struct {
  Rl__Summary__Value value;
  Rl__Metadata metadata;
  Rl__Metadata__PluginData plugin;
  Rl__Tensor tensor;
  Rl__Tensor__Shape shape;
  Rl__Tensor__Shape__Dim dim, *pointer;
} PluginValue;

static void set_plugin_value(PluginValue *p, const char *tag, const char *plugin,
                             ProtobufCBinaryData *string) {
  rl__summary__value__init(&p->value);
  rl__metadata__init(&p->metadata);
  rl__metadata__plugin_data__init(&p->plugin);
  rl__tensor__init(&p->tensor);
  rl__tensor__shape__init(&p->shape);
  rl__tensor__shape__dim__init(&p->dim);
  p->pointer = &p->dim;
  p->shape.dim = &p->pointer;
  p->shape.n_dim = string ? 0 : 1;
  p->tensor.dtype = string ? RL__TENSOR__TYPE__STRING : RL__TENSOR__TYPE__FLOAT;
  p->tensor.tensor_shape = &p->shape;
  p->tensor.string_val = string;
  p->tensor.n_string_val = string ? 1 : 0;
  p->plugin.plugin_name = text_of(plugin);
  p->metadata.plugin_data = &p->plugin;
  p->value.tag = text_of(tag);
  p->value.metadata = &p->metadata;
  p->value.value_case = RL__SUMMARY__VALUE__VALUE_TENSOR;
  p->value.tensor = &p->tensor;
}

RlStatus rl_events_write_config(RlEvents *events, int64_t step, const RlConfig *config) {
  char text[TEXT], indented[2 * TEXT];
  uint8_t content[TEXT];
  Hparam hparam[RL_MAX_OPTIONS];
  PluginValue hparams, paragraph;
  if (events->fd < 0) return RL_OK;
  size_t length = rl_config_dump(config, RL_DUMP_INI, text, sizeof text);
  RL_ASSERT(length < sizeof text);
  ProtobufCBinaryData string = bytes_of(indented, indent(text, indented, sizeof indented));
  set_plugin_value(&paragraph, "config", "text", &string);
  set_plugin_value(&hparams, "_hparams_/session_start_info", "hparams", NULL);
  size_t n = take_hparams(hparam, config);
  hparams.plugin.content = bytes_of(content, pack_hparams(hparam, n, content, sizeof content));
  Rl__Summary__Value *value[] = {&hparams.value, &paragraph.value};
  return put_values(events, step, value, 2);
}
