// rlbench: the physics ceiling and what the trainer reaches of it, in one run.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/cli.h"
#include "rl/run/bench.h"
#include "rl/run/configure.h"

static const char help[] =
    "usage: rlbench physics [options]   raw mj_step and the vector environment\n"
    "       rlbench ppo [options]       raw mj_step and PPO training end to end\n"
    "       rlbench sac [options]       SAC training end to end and the rate of large products\n"
    "       rlbench gemm [options]      matrix products of training, one core, beside OpenBLAS\n"
    "\n"
    "Both sides run in turn, round by round, with the same task, threads and environments; ratios "
    "are\n"
    "taken within a round. The ceiling is what the threads would reach with mj_step and nothing "
    "else.\n"
    "\n"
    "  --config FILE            the configuration (bench/ppo_half_cheetah.ini, "
    "bench/sac_half_cheetah.ini)\n"
    "  --set SECTION.KEY=VALUE  change one key; may be repeated\n"
    "  --threads N              threads (what affinity and cgroup allow)\n"
    "  --rounds N               rounds (5)\n"
    "  --steps N                environment steps of each side in a round (20000; sac: 500)\n"
    "  --json                   one JSON object alone on stdout\n"
    "  --help, --version\n";

typedef struct {
  const char *what, *config;
  const char *set[RL_MAX_SETS];
  int nset;
  int64_t threads, rounds, steps;
  bool json;
} Request;

enum { CONFIG, SET, THREADS, ROUNDS, STEPS, JSON, HELP, VERSION };

static RlStatus take(Request *request, int option, int *done) {
  switch (option) {
    case CONFIG:
      request->config = optarg;
      break;
    case SET:
      if (request->nset == RL_MAX_SETS)
        return rl_error(RL_USAGE, "--set: found more than %d", RL_MAX_SETS);
      request->set[request->nset++] = optarg;
      break;
    case THREADS:
      return rl_cli_int64(&request->threads, "--threads", optarg, 1, 1024);
    case ROUNDS:
      return rl_cli_int64(&request->rounds, "--rounds", optarg, 1, RL_BENCH_ROUNDS);
    case STEPS:
      return rl_cli_int64(&request->steps, "--steps", optarg, 1, 1000000000);
    case JSON:
      request->json = true;
      break;
    case HELP:
      *done = rl_cli_help(help);
      break;
    default:
      *done = rl_cli_version("rlbench");
      break;
  }
  return RL_OK;
}

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  static const struct option options[] = {{"config", required_argument, NULL, CONFIG},
                                          {"set", required_argument, NULL, SET},
                                          {"threads", required_argument, NULL, THREADS},
                                          {"rounds", required_argument, NULL, ROUNDS},
                                          {"steps", required_argument, NULL, STEPS},
                                          {"json", no_argument, NULL, JSON},
                                          {"help", no_argument, NULL, HELP},
                                          {"version", no_argument, NULL, VERSION},
                                          {0}};
  RlStatus status = RL_OK;
  int option;
  while (status == RL_OK && *done < 0 &&
         (option = rl_cli_option(argc, argv, options, &status)) != -1) {
    status = take(request, option, done);
  }
  if (status != RL_OK || *done >= 0) return status;
  request->what = argc - optind == 1 ? argv[optind] : "";
  static const char *const known[] = {"physics", "ppo", "sac", "gemm"};
  for (int i = 0; i < 4; i++) {
    if (strcmp(request->what, known[i]) == 0) return RL_OK;
  }
  return rl_error(RL_USAGE, "rlbench: found \"%s\", expected one of physics, ppo, sac, gemm",
                  request->what);
}

static RlStatus load(const Request *request, RlConfig *config) {
  RL_TRY(rl_configure(config, request->config, request->set, request->nset));
  if (request->threads) config->run.threads = (int)request->threads;
  config->run.total_steps = INT64_C(1000000000000);
  bool sac = config->run.algorithm == RL_ALGO_SAC, wanted = strcmp(request->what, "sac") == 0;
  if (strcmp(request->what, "physics") != 0 && sac != wanted) {
    return rl_error(RL_USAGE, "%s: run.algorithm: found \"%s\", expected \"%s\"", request->config,
                    sac ? "sac" : "ppo", request->what);
  }
  return RL_OK;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print(const Request *request, const RlConfig *config, RlBench *bench) {
  if (request->json) {
    printf("{\"bench\": \"%s\", \"task\": \"%s\", \"n_envs\": %d, \"threads\": %d, \"rounds\": %d",
           request->what, config->env.id.text, config->env.n_envs, bench->threads, bench->rounds);
  } else {
    printf("%s, %d environment%s, %d threads, %d rounds\n%-18s %12s %12s %12s\n",
           config->env.id.text, config->env.n_envs, config->env.n_envs == 1 ? "" : "s",
           bench->threads, bench->rounds, "", "min", "median", "max");
  }
  for (int c = 0; c < bench->ncolumn; c++) {
    double *v = bench->column[c].value;
    const char *name = bench->column[c].name;
    qsort(v, (size_t)bench->rounds, sizeof *v, ascending);
    double median = v[bench->rounds / 2], most = v[bench->rounds - 1];
    if (request->json) {
      printf(", \"%s\": {\"min\": %.6g, \"median\": %.6g, \"max\": %.6g}", name, v[0], median,
             most);
    } else {
      printf("%-18s %12.4g %12.4g %12.4g %s\n", name, v[0], median, most, bench->column[c].unit);
    }
  }
  printf(request->json ? "}\n" : "");
  if (request->json || bench->collect < 0) return;
  int middle = bench->rounds / 2;
  printf("%s bounds the training.\n",
         bench->column[bench->collect].value[middle] >= bench->column[bench->learn].value[middle]
             ? "Collecting"
             : "Learning");
}

static void print_gemm(const Request *request) {
  RlBenchGemm result[RL_BENCH_SHAPES];
  rl_bench_gemm(result, (int)request->rounds);
  if (!request->json)
    printf("%6s %6s %6s %10s %10s  GFLOP/s, one core\n", "M", "N", "K", "ours", "OpenBLAS");
  for (int i = 0; i < RL_BENCH_SHAPES; i++) {
    const RlBenchGemm *g = &result[i];
    const char *format =
        request->json ? "%s{\"M\": %d, \"N\": %d, \"K\": %d, \"ours\": %.4g, \"openblas\": %.4g}"
                      : "%s%6d %6d %6d %10.3g %10.3g\n";
    printf(format,
           !request->json ? ""
           : i            ? ", "
                          : "{\"bench\": \"gemm\", \"products\": [",
           g->M, g->N, g->K, g->ours, g->openblas);
  }
  printf(request->json ? "]}\n" : "");
}

int main(int argc, char **argv) {
  static RlBench bench;
  Request request = {.rounds = 5};
  RlConfig config;
  int done = -1;
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  if (status == RL_OK && strcmp(request.what, "gemm") == 0) {
    print_gemm(&request);
    return 0;
  }
  bool sac = strcmp(request.what, "sac") == 0;
  if (!request.config)
    request.config = sac ? "bench/sac_half_cheetah.ini" : "bench/ppo_half_cheetah.ini";
  if (!request.steps) request.steps = sac ? 500 : 20000;
  if (status == RL_OK) status = load(&request, &config);
  if (status == RL_OK) {
    RlStatus (*measure)(RlBench *, const RlConfig *, int, int64_t) =
        sac                                ? rl_bench_sac
        : strcmp(request.what, "ppo") == 0 ? rl_bench_ppo
                                           : rl_bench_physics;
    status = measure(&bench, &config, (int)request.rounds, request.steps);
  }
  if (status == RL_OK) print(&request, &config, &bench);
  return rl_cli_exit(status);
}
