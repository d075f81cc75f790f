// Playing: episodes as rleval plays them, each step rehearsed before it is taken, and the moment
// shown moving along. See stage.h.
//
// Invariant: the environment's state row is changed by the environment alone, the force of a push
// apart, which is taken out again behind the step.
#include <math.h>
#include <string.h>

#include "rl/base/clock.h"
#include "rl/view/stage.h"

// The longest a stage computes for one picture, in seconds: beyond it, it falls behind.
static const double longest_advance = 0.03;

bool rl_stage_guard(RlStage *stage, mjfBatchFunc func, void *arg) {
  if (mjb_apply(stage->env.batch, NULL, 1, func, arg, 0) == 0) return true;
  // what an error left half done must not meet the next call
  mj_resetData(stage->m, stage->d);
  return false;
}

// ---------------------------------------------------------------- the moment shown

// Simulated seconds of one step of the environment.
static double duration(const RlStage *stage) {
  return stage->env.options.frame_skip * stage->env.m->opt.timestep;
}

// qpos at the moment shown, on the way between two poses of the trail.
static void interpolate(const RlStage *stage, double *qpos, double *qvel) {
  const mjModel *m = stage->env.m;
  size_t nq = (size_t)m->nq;
  double timestep = m->opt.timestep, at = stage->phase / timestep;
  int last = stage->ntrail - 1;
  int before = at < last ? (int)at : last;
  const double *a = stage->trail + (size_t)before * nq;
  memcpy(qpos, a, nq * sizeof *qpos);
  if (before == last) return;
  mj_differentiatePos(m, qvel, timestep, a, a + nq);
  mj_integratePos(m, qpos, qvel, (at - before) * timestep);
}

static void pose(const mjModel *m, mjData *data, int i, void *arg) {
  (void)data, (void)i;
  RlStage *stage = arg;
  mjData *d = stage->d;
  interpolate(stage, d->qpos, d->qvel);
  memcpy(d->ctrl, stage->ctrl, (size_t)m->nu * sizeof *d->ctrl);
  mj_forward(stage->m, d);
}

void rl_stage_pose(RlStage *stage) {
  (void)rl_stage_guard(stage, pose, stage);
  stage->changed = true;
}

// ---------------------------------------------------------------- episodes

static void keep_pose(RlStage *stage, const double *qpos) {
  size_t nq = (size_t)stage->env.m->nq;
  memcpy(stage->trail + (size_t)stage->ntrail++ * nq, qpos, nq * sizeof *qpos);
}

// of the trail: the environment's own
static void keep_first_pose(RlStage *stage) {
  stage->ntrail = 0;
  keep_pose(stage, mjb_stateComponent(stage->env.batch, mjSTATE_QPOS, NULL));
}

void rl_stage_begin(RlStage *stage, int64_t episode) {
  RlVecEnv *env = &stage->env;
  RlRng rng;
  // the streams of rl_eval_run at step 0
  rl_rng_init(&rng, stage->seed, RL_STREAM_EVAL, rl_rng_index(0, (uint64_t)episode));
  rl_vecenv_reset_one(env, 0, &rng);
  stage->episode = episode;
  stage->ended = false;
  stage->last = (RlStageStep){0};
  stage->push.active = 0;
  keep_first_pose(stage);
  memset(stage->ctrl, 0, (size_t)env->A * sizeof *stage->ctrl);
  stage->phase = duration(stage);
  rl_stage_pose(stage);
}

// ---------------------------------------------------------------- one step

// The critics' opinion of the observation (and the action), in the reward's own units.
static double judge(RlStage *stage) {
  RlPolicy *policy = &stage->served.policy;
  const RlConfig *config = &stage->served.config;
  size_t O = (size_t)policy->O, A = (size_t)policy->A;
  double value = INFINITY;
  // rl_policy_act has just normalised the observation
  memcpy(stage->critic_x, policy->norm_obs, O * sizeof(RlReal));
  for (size_t j = 0; j < A; j++) stage->critic_x[O + j] = (RlReal)stage->act[j];
  for (int c = 0; c < policy->ncritic; c++) {
    const RlMlp *critic = &policy->critic[c];
    RlMlpWork *work = &stage->critic_work[c];
    rl_mlp_forward(critic, work, stage->critic_x, 1);
    value = fmin(value, (double)work->y[critic->L][0]);
  }
  if (!policy->actor.squashed) return value * rl_return_scale_deviation(&policy->scale);
  return config->sac.reward_scale > 0 ? value / config->sac.reward_scale : value;
}

static double contact_force(const mjModel *m, const mjData *d) {
  double sum = 0, force[6];
  for (int i = 0; i < d->ncon; i++) {
    mj_contactForce(m, d, i, force);
    sum += force[0];
  }
  return sum;
}

// The step about to be taken, on data that nobody keeps. It goes as far as the physics stays sound.
static void rehearse(const mjModel *m, mjData *d, int i, void *arg) {
  (void)i;
  RlStage *stage = arg;
  const RlVecEnv *env = &stage->env;
  RlTaskView v = {m, &env->options};
  RlOutcome outcome = {0};
  memcpy(d->ctrl, stage->ctrl, (size_t)env->A * sizeof *d->ctrl);
  for (int k = 0; k < env->options.frame_skip; k++) {
    mj_step(m, d);
    if (rl_vecenv_has_diverged(m, d)) return;
    keep_pose(stage, d->qpos);
  }
  stage->last.contact_force = contact_force(m, d);
  if (env->task->contact_forces) mj_rnePostConstraint(m, d);
  env->task->score(&v, d, stage->mem, d->ctrl, &outcome);
  memcpy(stage->last.term, outcome.term, sizeof outcome.term);
}

// The force of the push on the state that the step starts from, in d.
static void push(const mjModel *m, mjData *data, int i, void *arg) {
  (void)i;
  RlStage *stage = arg;
  mjData *d = stage->d;
  mj_copyState(m, data, d, mjSTATE_FULLPHYSICS);
  mj_forward(m, d);
  mju_zero(d->xfrc_applied, 6 * (int)m->nbody);
  mjv_applyPerturbForce(m, d, &stage->push);
}

// Writes force (nbody, 6) into the environment's row; NULL: none.
static void apply_force(RlStage *stage, const double *force) {
  int n = 0;
  double *row = mjb_stateComponent(stage->env.batch, mjSTATE_XFRC_APPLIED, &n);
  for (int k = 0; k < n; k++) row[k] = force ? force[k] : 0;
}

static void take_step(RlStage *stage) {
  RlVecEnv *env = &stage->env;
  RlStageStep *last = &stage->last;
  if (stage->ended) rl_stage_begin(stage, stage->episode + 1);
  rl_policy_act(&stage->served.policy, stage->act, env->obs, 1, NULL);
  *last = (RlStageStep){.value = judge(stage)};
  // an action that is not finite is a step that is not taken: there is nothing to rehearse then
  bool acts = rl_vecenv_control(env, stage->act, stage->ctrl);
  bool pushing = stage->push.active != 0 && rl_stage_guard(stage, push, stage) &&
                 rl_vecenv_is_sound(stage->d->xfrc_applied, 6 * env->m->nbody);
  if (pushing) apply_force(stage, stage->d->xfrc_applied);
  memcpy(stage->mem, env->mem, (size_t)env->task->nmem * sizeof *stage->mem);
  keep_first_pose(stage);
  if (acts) (void)rl_stage_guard(stage, rehearse, stage);
  rl_vecenv_step(env, stage->act);
  if (pushing) apply_force(stage, NULL);
  stage->steps++;
  last->reward = (double)env->rew[0];
  last->terminated = env->terminated[0];
  last->truncated = env->truncated[0];
  last->diverged = env->diverged[0];
  stage->ended = last->terminated || last->truncated;
  if (!stage->ended) return;
  stage->last_return = env->episode_return[0];
  stage->last_length = env->episode_length[0];
}

// ---------------------------------------------------------------- time

void rl_stage_step(RlStage *stage) {
  take_step(stage);
  stage->phase = duration(stage);
  rl_stage_pose(stage);
}

void rl_stage_advance(RlStage *stage, double seconds) {
  if (stage->paused || !(seconds > 0)) return;
  double start = rl_clock_seconds(), whole = duration(stage);
  stage->phase += seconds * stage->speed;
  while (stage->phase > whole) {
    // a step begun is one shown: beginning an episode sets the phase, too
    double left = stage->phase - whole;
    take_step(stage);
    bool late = rl_clock_seconds() - start > longest_advance;
    stage->phase = late && left > whole ? whole : left;
  }
  rl_stage_pose(stage);
}

bool rl_stage_seek(RlStage *stage, double seconds, int64_t episodes) {
  double whole = duration(stage);
  // a step whose end is the moment asked for must not be missed for a rounding error
  while ((double)stage->steps * whole < seconds - 1e-9 * whole) {
    if (stage->ended && stage->episode + 1 >= episodes) return false;
    take_step(stage);
  }
  stage->phase = seconds - (double)(stage->steps - 1) * whole;
  if (stage->phase > whole || stage->steps == 0) stage->phase = whole;
  rl_stage_pose(stage);
  return true;
}
