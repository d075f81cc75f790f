// rleval: loads a checkpoint and plays whole episodes with it.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "rl/base/cli.h"
#include "rl/base/pool.h"
#include "rl/run/eval.h"

static const char help[] =
    "usage: rleval RUN_DIR|CHECKPOINT.h5 [options]\n"
    "\n"
    "Plays whole episodes with a trained policy and reports raw (unscaled) returns; the "
    "observation\n"
    "normaliser stays as the checkpoint has it. A run folder stands for its latest.h5.\n"
    "\n"
    "  --episodes N   episodes to play (20)\n"
    "  --seed N       seed of the episodes' own random streams (0)\n"
    "  --stochastic   sample actions instead of taking their means\n"
    "  --threads N    threads (what affinity and cgroup allow)\n"
    "  --json         one JSON object alone on stdout\n"
    "  --help, --version\n";

typedef struct {
  const char *path;
  int64_t episodes, seed, threads;
  bool stochastic, json;
} Request;

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  RlCliOption table[] = {{"episodes", .number = &request->episodes, .lo = 1, .hi = 1000000},
                         {"seed", .number = &request->seed, .lo = 0, .hi = rl_cli_most_seed},
                         {"stochastic", .flag = &request->stochastic},
                         {"threads", .number = &request->threads, .lo = 1, .hi = 1024},
                         {"json", .flag = &request->json},
                         {0}};
  RL_TRY(rl_cli_parse(argc, argv, "rleval", help, table, done));
  if (*done >= 0) return RL_OK;
  if (argc - optind != 1) {
    return rl_error(RL_USAGE, "rleval: found %d paths, expected one RUN_DIR or CHECKPOINT.h5",
                    argc - optind);
  }
  request->path = argv[optind];
  return RL_OK;
}

static void print_number(double value) {
  if (isfinite(value)) {
    printf("%.17g", value);
  } else {
    printf("null");
  }
}

static void print_json(const RlServed *served, const RlEval *eval, const RlEvalSummary *s) {
  printf("{\"task\": \"%s\", \"algorithm\": \"%s\", \"step\": %" PRId64 ", \"episodes\": %d, ",
         served->task->name, rl_config_algorithm(&served->config), served->step, s->episodes);
  const struct {
    const char *name;
    double value;
  } figure[] = {{"mean", s->mean}, {"std", s->std}, {"iqm", s->iqm},
                {"min", s->min},   {"max", s->max}, {"length_mean", s->length_mean}};
  for (size_t i = 0; i < sizeof figure / sizeof *figure; i++) {
    printf("\"%s\": ", figure[i].name);
    print_number(figure[i].value);
    printf(", ");
  }
  printf("\"returns\": [");
  for (int i = 0; i < s->episodes; i++) {
    if (i) printf(", ");
    print_number(eval->ret[i]);
  }
  printf("]}\n");
}

static void print_text(const RlServed *served, const Request *request, const RlEvalSummary *s) {
  printf("%s  %s after %" PRId64 " steps\n", served->task->name,
         rl_config_algorithm(&served->config), served->step);
  printf("return  %.2f +- %.2f over %d %s episodes (iqm %.2f, min %.2f, max %.2f)\n", s->mean,
         s->std, s->episodes, request->stochastic ? "stochastic" : "deterministic", s->iqm, s->min,
         s->max);
  printf("length  %.1f steps on average\n", s->length_mean);
  if (s->diverged) printf("the physics diverged %" PRId64 " times\n", s->diverged);
}

static RlStatus run(const Request *request) {
  RlServed served;
  RlEval eval = {0};
  RlEvalSummary summary;
  RlStatus status = rl_served_load(&served, request->path, RL_EVAL_ENVS);
  if (status == RL_OK) {
    int threads = request->threads ? (int)request->threads : rl_pool_available();
    status = rl_eval_init_served(&eval, &served, request->path, (int)request->episodes, threads);
  }
  if (status == RL_OK) {
    rl_eval_run(&eval, &served.policy, (uint64_t)request->seed, 0, request->stochastic, &summary,
                NULL, NULL);
    if (request->json) {
      print_json(&served, &eval, &summary);
    } else {
      print_text(&served, request, &summary);
    }
  }
  rl_eval_free(&eval);
  rl_served_free(&served);
  return status;
}

int main(int argc, char **argv) {
  Request request = {.episodes = 20};
  int done = -1;
  rl_cli_begin();
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  if (status == RL_OK) status = run(&request);
  return rl_cli_exit(rl_cli_flush(status));
}
