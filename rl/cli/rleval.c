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
  enum { EPISODES, SEED, STOCHASTIC, THREADS, JSON, HELP, VERSION };
  static const struct option options[] = {{"episodes", required_argument, NULL, EPISODES},
                                          {"seed", required_argument, NULL, SEED},
                                          {"stochastic", no_argument, NULL, STOCHASTIC},
                                          {"threads", required_argument, NULL, THREADS},
                                          {"json", no_argument, NULL, JSON},
                                          {"help", no_argument, NULL, HELP},
                                          {"version", no_argument, NULL, VERSION},
                                          {0}};
  RlStatus status = RL_OK;
  int option;
  while (status == RL_OK && (option = rl_cli_option(argc, argv, options, &status)) != -1) {
    switch (option) {
      case EPISODES:
        status = rl_cli_int64(&request->episodes, "--episodes", optarg, 1, 1000000);
        break;
      case SEED:
        status = rl_cli_int64(&request->seed, "--seed", optarg, 0, INT64_C(1) << 53);
        break;
      case THREADS:
        status = rl_cli_int64(&request->threads, "--threads", optarg, 1, 1024);
        break;
      case STOCHASTIC:
        request->stochastic = true;
        break;
      case JSON:
        request->json = true;
        break;
      case HELP:
        *done = rl_cli_help(help);
        return RL_OK;
      default:
        *done = rl_cli_version("rleval");
        return RL_OK;
    }
  }
  RL_TRY(status);
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
         served->task->name, served->config.run.algorithm == RL_ALGO_SAC ? "sac" : "ppo",
         served->step, s->episodes);
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
         served->config.run.algorithm == RL_ALGO_SAC ? "sac" : "ppo", served->step);
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
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  if (status == RL_OK) status = run(&request);
  return rl_cli_exit(status);
}
