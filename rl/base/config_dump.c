// Writing the configuration: as INI for the run folder and the checkpoints, and as the page
// docs/configuration.md. Place: beside the parser; reading a dump and dumping again gives the same
// text.
#include <stdarg.h>
#include <string.h>

#include "rl/base/config_value.h"

typedef struct {
  char *text;
  size_t size, length;  // length counts what did not fit as well
} Writer;

static void __attribute__((format(printf, 2, 3))) put(Writer *w, const char *format, ...) {
  bool room = w->length < w->size;
  va_list args;
  va_start(args, format);
  int length =
      vsnprintf(room ? w->text + w->length : NULL, room ? w->size - w->length : 0, format, args);
  va_end(args);
  RL_ASSERT(length >= 0);
  w->length += (size_t)length;
}

// Starts a section when option is the first of it that is written.
static void put_section(Writer *w, const char **current, const RlOption *option) {
  if (*current != NULL && strcmp(*current, option->section) == 0) return;
  put(w, "%s[%s]\n", *current == NULL ? "" : "\n", option->section);
  *current = option->section;
}

bool rl_config_value_of(const RlConfig *config, int row, char text[RL_VALUE_MAX]) {
  int count;
  const RlOption *option = &rl_config_options(&count)[row];
  bool given = config->given[row];
  text[0] = '\0';
  if (!rl_config_is_read(config, row)) return false;
  if (strcmp(option->def, "task") == 0 && !given) return false;
  // layers that follow policy.hidden go on following it where the dump is read
  if (strcmp(option->def, "hidden") == 0 && !given) {
    snprintf(text, RL_VALUE_MAX, "hidden");
  } else {
    rl_config_value_print(option, (const char *)config + option->offset, text);
  }
  return true;
}

// Whether a file with this text could have other bits under another value of the option.
static bool changes_bits(const RlOption *option, RlDump what) {
  static const char *const never[] = {"threads", "log_every", "tensorboard"};
  static const char *const saving[] = {"checkpoint_every", "eval_every", "eval_episodes"};
  if (what == RL_DUMP_INI || strcmp(option->section, "run") != 0) return true;
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
    if (strcmp(option->name, never[i]) == 0) return false;
  }
  for (size_t i = 0; i < sizeof saving / sizeof *saving; i++) {
    if (strcmp(option->name, saving[i]) == 0) return what == RL_DUMP_RESUME;
  }
  return true;
}

size_t rl_config_dump(const RlConfig *config, RlDump what, char *text, size_t size) {
  Writer w = {text, size, 0};
  int count = 0;
  const RlOption *option = rl_config_options(&count);
  const char *section = NULL;
  if (size > 0) text[0] = '\0';
  for (int row = 0; row < count; row++) {
    char value[RL_VALUE_MAX];
    if (!changes_bits(&option[row], what)) continue;
    if (!rl_config_value_of(config, row, value)) continue;
    put_section(&w, &section, &option[row]);
    put(&w, "%s = %s\n", option[row].name, value);
  }
  return w.length;
}

// The values a key takes, as the page shows them.
static void put_values(Writer *w, const RlOption *option) {
  if (option->type == RL_KIND_ENUM) {
    for (const char *choice = option->bounds;;) {
      size_t span = strcspn(choice, "|");
      put(w, "`%.*s`", (int)span, choice);
      if (choice[span] == '\0') break;
      put(w, ", ");
      choice += span + 1;
    }
    return;
  }
  switch (option->type) {
    case RL_KIND_INT:
    case RL_KIND_I64:
      put(w, "whole number in %s", option->bounds);
      break;
    case RL_KIND_REAL:
      put(w, "number in %s", option->bounds);
      break;
    case RL_KIND_BOOL:
      put(w, "`true`, `false`");
      break;
    case RL_KIND_DIMS:
      put(w, "`none`, or widths in %s", option->bounds);
      break;
    case RL_KIND_AUTO:
      put(w, "`auto`, or a number in %s", option->bounds);
      break;
    case RL_KIND_RANGE:
      put(w, "`lo, hi` in %s", option->bounds);
      break;
    case RL_KIND_TEXT:
    case RL_KIND_ENUM:
      put(w, "text");
      break;
  }
}

// The default, and SAC's where it has another.
static void put_default(Writer *w, const RlOption *option, int row) {
  const char *sac = rl_config_default_text(row, RL_ALGO_SAC);
  put(w, " | `%s`", option->def);
  if (strcmp(sac, option->def) != 0) put(w, " (sac: `%s`)", sac);
  put(w, " | ");
}

// Help text with the table's own separator kept out of the way.
static void put_help(Writer *w, const char *help) {
  for (; *help != '\0'; help++) put(w, *help == '|' ? "\\%c" : "%c", *help);
}

// How someone finds here what another library calls otherwise.
static const char from_sb3[] =
    "\n## Coming from Stable-Baselines3\n\n"
    "Keys of the same name mean the same, but for what stands here.\n\n"
    "| there | here |\n| --- | --- |\n"
    "| `total_timesteps` | `run.total_steps` |\n"
    "| `net_arch`, `activation_fn`, `ortho_init` | `policy.hidden` (or `hidden_actor`, "
    "`hidden_critic`; nothing is shared), `policy.activation`, `policy.init` |\n"
    "| `VecNormalize` | `[normalize]`; its rewards are `reward = running`, the default scales by "
    "the statistics of the batch before |\n"
    "| `learning_rate` as a function | `learning_rate_schedule`, `learning_rate_end`; PPO's falls "
    "to zero by default |\n"
    "| `max_grad_norm` over both networks | `ppo.grad_norm = joint`; by default each has its own "
    "|\n"
    "| PPO's defaults: one environment, `n_steps = 2048`, `vf_coef = 0.5` | 40 environments, 48 "
    "steps each, 0.25 |\n"
    "| `train_freq` in vector steps, `gradient_steps = -1` | `sac.train_freq` in environment "
    "steps, `gradient_steps` in updates |\n"
    "| SAC's `learning_rate = 3e-4`, `learning_starts = 100`, `ent_coef = \"auto_0.1\"` | `1e-3`, "
    "`10000`, `ent_coef = auto` with `ent_coef_init = 0.1` |\n"
    "| `EvalCallback`, `CheckpointCallback` | `run.eval_every`, `run.checkpoint_every` |\n"
    "| `n_updates` of PPO counts epochs | minibatches |\n"
    "| `model.load(...)`, `evaluate_policy` | `--init-from`, `rleval` |\n";

size_t rl_config_dump_docs(char *text, size_t size) {
  Writer w = {text, size, 0};
  int count = 0;
  const RlOption *option = rl_config_options(&count);
  const char *section = "";
  if (size > 0) text[0] = '\0';
  put(&w,
      "# Configuration\n\n"
      "Written from the option table in `rl/base/config.h`; the unit test `test_config` compares\n"
      "the two, and `RL_UPDATE=1 build/bin/test_config`, run at the top of the tree, writes this\n"
      "page anew.\n\n"
      "A file is INI: `[section]`, then `key = value`, one a line of at most 199 bytes, not\n"
      "indented; comments after a blank and `;` (or a whole line after `;` or `#`). Keys not "
      "given\n"
      "take the default; a key given twice, an unknown key and a value out of bounds are refused.\n"
      "On the command line the same keys are `--set section.key=value`, and win over the file, "
      "the\n"
      "later over the earlier; `--seed` and `--threads` win over both.\n\n"
      "Whole numbers may be written `1e6`. In bounds a round bracket leaves the end out. `inf` is\n"
      "a number where the bounds include it. The default `task` is the task's own value, and a\n"
      "task refuses keys it does not know; `hidden` stands for `policy.hidden`. A default with\n"
      "`(sac: ...)` behind it is PPO's; where `run.algorithm` is `sac` and the key is not given,\n"
      "the other one holds. A key that the algorithm does not read is refused: the other\n"
      "algorithm's section, and among the rest what is marked (PPO). `run.log_every` alone is\n"
      "taken by both, though PPO writes a row an iteration. Which keys of [env] a task knows, and\n"
      "its own values, stand in `.defaults` of envs/TASK.c and in the config.ini of any run.\n");
  for (int row = 0; row < count; row++) {
    if (strcmp(section, option[row].section) != 0) {
      section = option[row].section;
      put(&w, "\n## [%s]\n\n| key | values | default | meaning |\n| --- | --- | --- | --- |\n",
          section);
    }
    put(&w, "| `%s` | ", option[row].name);
    put_values(&w, &option[row]);
    put_default(&w, &option[row], row);
    put_help(&w, option[row].help);
    put(&w, " |\n");
  }
  put(&w, "%s", from_sb3);
  return w.length;
}
