// rlbench: the physics ceiling and what the trainer reaches of it, in one run.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/cli.h"
#include "rl/base/order.h"
#include "rl/run/bench.h"
#include "rl/run/configure.h"

static const char help[] =
    "usage: rlbench physics [options]   raw mj_step and the vector environment\n"
    "       rlbench env [options]       the same for all tasks\n"
    "       rlbench infer [options]     one action for one observation\n"
    "       rlbench ppo [options]       raw mj_step and PPO training end to end\n"
    "       rlbench sac [options]       SAC training end to end and the rate of large products\n"
    "       rlbench gemm [options]      matrix products of training, one core, beside OpenBLAS\n"
    "       rlbench scale [options]     from 1 to 1024 environments, 32 to 1024 wide, and so on\n"
    "\n"
    "What is compared runs in turn, round by round; ratios are taken within a round. The ceiling "
    "is\n"
    "what the threads would reach with mj_step and nothing else.\n"
    "\n"
    "  --config FILE            the configuration (one of bench/; infer: humanoid_sac.ini)\n"
    "  --set SECTION.KEY=VALUE  change one key; may be repeated\n"
    "  --threads N              threads (what affinity and cgroup allow)\n"
    "  --rounds N               rounds (5)\n"
    "  --steps N                steps of each side in a round (20000; sac: 500)\n"
    "  --json                   one JSON object alone on stdout\n"
    "  --help, --version\n";

typedef RlStatus (*Measure)(RlBench *bench, const RlConfig *config, int rounds, int64_t steps);

// What is measured by one configuration of its own.
static const struct {
  const char *name, *config;
  Measure measure;
  int64_t steps;
  int algorithm;  // that the configuration must have; -1: any
} benches[] = {
    {"physics", "bench/ppo_half_cheetah.ini", rl_bench_physics, 20000, -1},
    {"env", "bench/ppo_half_cheetah.ini", rl_bench_env, 20000, -1},
    {"infer", "humanoid_sac.ini", rl_bench_infer, 20000, -1},
    {"ppo", "bench/ppo_half_cheetah.ini", rl_bench_ppo, 20000, RL_ALGO_PPO},
    {"sac", "bench/sac_half_cheetah.ini", rl_bench_sac, 500, RL_ALGO_SAC},
};
enum { BENCHES = sizeof benches / sizeof *benches };

typedef struct {
  const char *what, *config;
  const char *set[RL_MAX_SETS];
  int nset;
  int64_t threads, rounds, steps;
  bool json;
} Request;

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  RlCliOption table[] = {
      {"config", .text = &request->config},
      {"set", .text = request->set, .count = &request->nset, .most = RL_MAX_SETS},
      {"threads", .number = &request->threads, .lo = 1, .hi = 1024},
      {"rounds", .number = &request->rounds, .lo = 1, .hi = RL_BENCH_ROUNDS},
      {"steps", .number = &request->steps, .lo = 1, .hi = 1000000000},
      {"json", .flag = &request->json},
      {0}};
  RL_TRY(rl_cli_parse(argc, argv, "rlbench", help, table, done));
  if (*done >= 0) return RL_OK;
  if (argc - optind > 1) {
    return rl_error(RL_USAGE, "rlbench: found \"%s\" behind \"%s\", expected one word",
                    argv[optind + 1], argv[optind]);
  }
  request->what = argc > optind ? argv[optind] : "";
  for (int i = 0; i < BENCHES; i++) {
    if (strcmp(request->what, benches[i].name) == 0) return RL_OK;
  }
  if (strcmp(request->what, "gemm") == 0 || strcmp(request->what, "scale") == 0) {
    if (!request->config) return RL_OK;
    return rl_error(RL_USAGE, "--config: found \"%s\", expected none: %s has sizes of its own",
                    request->config, request->what);
  }
  return rl_error(
      RL_USAGE, "rlbench: found \"%s\", expected one of physics, env, infer, ppo, sac, gemm, scale",
      request->what);
}

static RlStatus load(const Request *request, const char *file, int algorithm, RlConfig *config) {
  RL_TRY(rl_configure(config, file, request->set, request->nset));
  if (request->threads) config->run.threads = (int)request->threads;
  config->run.total_steps = INT64_C(1000000000000);
  if (algorithm < 0 || config->run.algorithm == algorithm) return RL_OK;
  static const char *const name[] = {[RL_ALGO_PPO] = "ppo", [RL_ALGO_SAC] = "sac"};
  return rl_error(RL_USAGE, "%s: run.algorithm: found \"%s\", expected \"%s\"", file,
                  name[config->run.algorithm], name[algorithm]);
}

// What a column of sorted values comes to.
static double median(const RlBench *bench, int column) {
  return bench->column[column].value[bench->rounds / 2];
}

static void print(const Request *request, const RlConfig *config, RlBench *bench) {
  if (request->json) {
    printf("{\"bench\": \"%s\", \"task\": \"%s\", \"n_envs\": %d, \"threads\": %d, \"rounds\": %d",
           request->what, config->env.id.text, config->env.n_envs, bench->threads, bench->rounds);
  } else {
    printf("%s, %d environment%s, %d thread%s, %d round%s\n%-18s %12s %12s %12s\n",
           config->env.id.text, config->env.n_envs, config->env.n_envs == 1 ? "" : "s",
           bench->threads, bench->threads == 1 ? "" : "s", bench->rounds,
           bench->rounds == 1 ? "" : "s", "", "min", "median", "max");
  }
  for (int c = 0; c < bench->ncolumn; c++) {
    double *v = bench->column[c].value;
    const char *name = bench->column[c].name;
    qsort(v, (size_t)bench->rounds, sizeof *v, rl_ascending);
    double middle = median(bench, c), most = v[bench->rounds - 1];
    if (request->json) {
      printf(", \"%s\": {\"min\": %.6g, \"median\": %.6g, \"max\": %.6g}", name, v[0], middle,
             most);
    } else {
      printf("%-18s %12.4g %12.4g %12.4g %s\n", name, v[0], middle, most, bench->column[c].unit);
    }
  }
  printf(request->json ? "}\n" : "");
}

// One sentence: what bounds the training, and what more of something would give.
static void print_bounds(const RlBench *bench) {
  double collect = median(bench, bench->collect), learn = median(bench, bench->learn);
  printf(
      "%s bounds the training (%.0f %% of its time); twice the batch gives %.2f x the rows per "
      "second",
      collect >= learn ? "Collecting" : "Learning", 100 * fmax(collect, learn),
      median(bench, bench->batch));
  if (bench->cores >= 0) {
    // Amdahl: 1 = serial + parallel on half the threads, 1 / gain on all of them
    double gain = median(bench, bench->cores), parallel = 2 * (1 - 1 / gain);
    printf(", twice the cores would give %.2f x", 1 / gain / (1 - parallel * 3 / 4));
  }
  printf(".\n");
}

// The length of a column's name without the value behind its last space.
static int stem(const RlBenchColumn *column) {
  return (int)(strrchr(column->name, ' ') - column->name);
}

// How far the best rates of a range lie apart.
static void print_spread(const RlBench *bench) {
  for (int c = 0; c < bench->ncolumn;) {
    const RlBenchColumn *first = &bench->column[c];
    double least = INFINITY, most = 0;
    int length = stem(first);
    for (; c < bench->ncolumn; c++) {
      const RlBenchColumn *next = &bench->column[c];
      if (stem(next) != length || strncmp(next->name, first->name, (size_t)length) != 0) break;
      least = fmin(least, next->value[bench->rounds - 1]);
      most = fmax(most, next->value[bench->rounds - 1]);
    }
    printf("%.*s: the best rates lie within %.2f x.\n", length, first->name, most / least);
  }
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

static RlStatus scale(const Request *request, RlBench *bench, RlConfig *ppo) {
  RlConfig sac;
  RL_TRY(load(request, "bench/ppo_half_cheetah.ini", RL_ALGO_PPO, ppo));
  RL_TRY(load(request, "bench/sac_half_cheetah.ini", RL_ALGO_SAC, &sac));
  int64_t steps = request->steps ? request->steps : 20000;
  return rl_bench_scale(bench, ppo, &sac, (int)request->rounds, steps);
}

static RlStatus measure(const Request *request, RlBench *bench, RlConfig *config) {
  if (strcmp(request->what, "scale") == 0) return scale(request, bench, config);
  int b = 0;
  while (strcmp(request->what, benches[b].name) != 0) b++;
  const char *file = request->config ? request->config : benches[b].config;
  RL_TRY(load(request, file, benches[b].algorithm, config));
  return benches[b].measure(bench, config, (int)request->rounds,
                            request->steps ? request->steps : benches[b].steps);
}

static RlStatus run(const Request *request) {
  static RlBench bench;
  RlConfig config;
  if (strcmp(request->what, "gemm") == 0) {
    print_gemm(request);
    return RL_OK;
  }
  RL_TRY(measure(request, &bench, &config));
  print(request, &config, &bench);
  if (!request->json && bench.collect >= 0) print_bounds(&bench);
  if (!request->json && strcmp(request->what, "scale") == 0) print_spread(&bench);
  return RL_OK;
}

int main(int argc, char **argv) {
  Request request = {.rounds = 5};
  int done = -1;
  rl_cli_begin();
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  if (status == RL_OK) status = run(&request);
  return rl_cli_exit(rl_cli_flush(status));
}
