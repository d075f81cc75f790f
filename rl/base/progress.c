// The plain lines and the JSON lines of a training run, and the dispatch to the panel. Place: fed
// by the training loops, writes to the programs' stdout.
//
// Invariant: each row and each note ends its line and is flushed, so a pipe sees it at once.
#include "rl/base/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "rl/base/clock.h"
#include "rl/base/line.h"
#include "rl/base/panel.h"
#include "rl/base/screen.h"

enum { NOTE_SIZE = 1024 };

static const double DRAW_INTERVAL = 0.2;

static RlLine whole_line(RlProgress *p) {
  return (RlLine){.text = p->text, .size = sizeof p->text, .width = (int)sizeof p->text};
}

static void write_out(RlProgress *p, const RlLine *line) {
  fwrite(line->text, 1, line->length, p->out);
  fflush(p->out);
}

static void write_plain(RlProgress *p) {
  char value[32];
  RlLine line = whole_line(p);
  rl_line_format(&line, "step %" PRId64 " (%.1f%%)  %.0f steps/s", p->step,
                 100 * rl_panel_fraction(p), p->row.steps_per_second);
  rl_line_value(p->row.ep_return, value, sizeof value);
  rl_line_format(&line, "  return %s", value);
  rl_line_value(p->row.ep_length, value, sizeof value);
  rl_line_format(&line, "  length %s", value);
  for (int i = 0; i < p->row.nscalar; i++) {
    rl_line_value(p->scalar[i].value, value, sizeof value);
    rl_line_format(&line, "  %s %s", p->scalar[i].name, value);
  }
  rl_line_time(rl_panel_left(p, rl_clock_seconds()), value, sizeof value);
  rl_line_format(&line, "  left %s\n", value);
  write_out(p, &line);
}

// JSON has no NaN and no infinity.
static void put_json_number(RlLine *line, const char *name, double value) {
  rl_line_put(line, ", ");
  rl_line_json(line, name);
  if (isfinite(value)) {
    rl_line_format(line, ": %.9g", value);
  } else {
    rl_line_put(line, ": null");
  }
}

static void write_json_row(RlProgress *p) {
  RlLine line = whole_line(p);
  rl_line_format(&line, "{\"event\": \"row\", \"step\": %" PRId64, p->step);
  put_json_number(&line, "seconds", p->row.seconds);
  put_json_number(&line, "steps_per_second", p->row.steps_per_second);
  put_json_number(&line, "episode_return_mean", p->row.ep_return);
  put_json_number(&line, "episode_length_mean", p->row.ep_length);
  // the shares of time are among the scalars, those of the whole run: an object has each key once
  for (int i = 0; i < p->row.nscalar; i++) {
    put_json_number(&line, p->scalar[i].name, p->scalar[i].value);
  }
  rl_line_put(&line, "}\n");
  write_out(p, &line);
}

static void write_json_note(RlProgress *p, const char *note) {
  RlLine line = whole_line(p);
  rl_line_format(&line, "{\"event\": \"note\", \"step\": %" PRId64 ", \"text\": ", p->step);
  rl_line_json(&line, note);
  rl_line_put(&line, "}\n");
  write_out(p, &line);
}

// Adds a return to the history; when that is full, neighbours are averaged and it is half full.
static void remember(RlProgress *p, double value) {
  if (!isfinite(value)) return;
  p->sum += value;
  if (++p->pending < p->stride) return;
  if (p->nhistory == RL_PROGRESS_HISTORY) {
    p->nhistory /= 2;
    for (int i = 0; i < p->nhistory; i++) {
      p->history[i] = 0.5 * (p->history[2 * i] + p->history[2 * i + 1]);
    }
    p->stride *= 2;
    if (p->pending < p->stride) return;
  }
  p->history[p->nhistory++] = p->sum / p->pending;
  p->sum = 0;
  p->pending = 0;
}

// Titles and notes hold names from outside: no control character reaches the terminal.
static void make_one_line(char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
  }
}

void rl_progress_init(RlProgress *p, FILE *out, RlProgressMode mode, int64_t step, int64_t total,
                      const char *title) {
  memset(p, 0, sizeof *p);
  p->out = out;
  p->mode = mode;
  if (mode == RL_PROGRESS_AUTO)
    p->mode = rl_screen_has_escapes(out) ? RL_PROGRESS_PANEL : RL_PROGRESS_PLAIN;
  p->color = rl_screen_has_color();
  p->unicode = rl_screen_has_unicode();
  p->start_step = p->step = step;
  p->total = total;
  p->start = rl_clock_seconds();
  p->stride = 1;
  snprintf(p->title, sizeof p->title, "%s", title);
  make_one_line(p->title);
  if (p->mode == RL_PROGRESS_PANEL) rl_panel_draw(p, NULL);
}

void rl_progress_update(RlProgress *p, const RlProgressRow *row) {
  if (p->finished) return;
  p->row = *row;
  p->step = row->step;
  p->has_row = true;
  p->offset = row->seconds - (rl_clock_seconds() - p->start);
  if (row->nscalar > RL_PROGRESS_SCALARS) p->row.nscalar = RL_PROGRESS_SCALARS;
  for (int i = 0; i < p->row.nscalar; i++) {
    snprintf(p->name[i], sizeof p->name[i], "%s", row->scalar[i].name);
    p->scalar[i] = (RlProgressScalar){p->name[i], row->scalar[i].value};
  }
  p->row.scalar = p->scalar;
  remember(p, row->ep_return);
  switch (p->mode) {
    case RL_PROGRESS_JSON:
      write_json_row(p);
      break;
    case RL_PROGRESS_PANEL:
      rl_progress_tick(p, row->step);
      break;
    default:
      write_plain(p);
      break;
  }
}

void rl_progress_tick(RlProgress *p, int64_t step) {
  if (p->finished) return;
  p->step = step;
  if (p->mode != RL_PROGRESS_PANEL) return;
  if (rl_clock_seconds() - p->last_draw >= DRAW_INTERVAL) rl_panel_draw(p, NULL);
}

void rl_progress_note(RlProgress *p, const char *format, ...) {
  char note[NOTE_SIZE];
  va_list args;
  va_start(args, format);
  vsnprintf(note, sizeof note, format, args);
  va_end(args);
  make_one_line(note);
  switch (p->mode) {
    case RL_PROGRESS_JSON:
      write_json_note(p, note);
      break;
    case RL_PROGRESS_PANEL:
      if (!p->finished) {
        rl_panel_draw(p, note);
        break;
      }
      // fall through
    default:
      fprintf(p->out, "%s\n", note);
      fflush(p->out);
      break;
  }
}

void rl_progress_finish(RlProgress *p) {
  if (p->finished || p->out == NULL) return;
  if (p->mode == RL_PROGRESS_PANEL) rl_panel_draw(p, NULL);
  p->finished = true;
}
