// Holds every compiled array of envs/models/*.xml to the arrays of Gymnasium's models, bit for bit.
//
// The expected values are in tests/parity/fixtures/models.txt (see make_model_fixtures.py). Arrays
// are visited by MuJoCo's own X-macros, so none can be forgotten: an array, a size, an option or a
// statistic is compared unless the table of exemptions below names it and says why. Not visited
// at all: mjVisual (rendering) and the compilation signature (a hash that includes names).
#include <dirent.h>
#include <math.h>
#include <mujoco/mjxmacro.h>
#include <mujoco/mujoco.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODELS  RL_SOURCE_DIR "/envs/models/"
#define FIXTURE RL_SOURCE_DIR "/tests/parity/fixtures/models.txt"

enum { MAX_MODELS = 16, MAX_ARRAYS = 400, MAX_SHOWN = 8, LINE = 256 };

// What a model of our own is free to choose, each array and size by name.
static const struct {
  const char *reason, *names;
} exempt[] = {
    {"names are our own",
     " names names_map nnames nnames_map name_bodyadr name_jntadr name_geomadr name_siteadr"
     " name_camadr name_lightadr name_flexadr name_meshadr name_skinadr name_hfieldadr name_texadr"
     " name_matadr name_pairadr name_excludeadr name_eqadr name_tendonadr name_actuatoradr"
     " name_sensoradr name_numericadr name_textadr name_tupleadr name_keyadr name_pluginadr "},
    {"the file's own path in memory", " paths "},
    {"colours and textures are our own",
     " geom_rgba geom_matid nmat ntex ntexdata mat_texid mat_texuniform mat_texrepeat mat_emission"
     " mat_specular mat_shininess mat_reflectance mat_metallic mat_roughness mat_rgba tex_type"
     " tex_colorspace tex_height tex_width tex_nchannel tex_adr tex_data tex_pathadr"
     " tex_contenttypeadr "},
    {"cameras are our own",
     " ncam cam_mode cam_bodyid cam_targetbodyid cam_pos cam_quat cam_poscom0 cam_pos0 cam_mat0"
     " cam_projection cam_fovy cam_ipd cam_resolution cam_output cam_sensorsize cam_intrinsic"
     " cam_user "},
    {"lights are our own",
     " nlight light_mode light_bodyid light_targetbodyid light_type light_texid light_castshadow"
     " light_bulbradius light_intensity light_range light_active light_pos light_dir"
     " light_poscom0 light_pos0 light_dir0 light_attenuation light_softness light_cutoff"
     " light_exponent"
     " light_ambient light_diffuse light_specular "},
    {"keyframes and custom numbers: the tasks start from qpos0 and read neither",
     " nkey key_time key_qpos key_qvel key_act key_mpos key_mquat key_ctrl key_plastic nnumeric"
     " nnumericdata numeric_adr numeric_size numeric_data "},
    {"user data of geoms, all zero there and read by nothing", " nuser_geom geom_user "},
    {"memory, which follows from the above and from what the original asks for",
     " narena nbuffer "},
};

typedef struct {
  char name[64];
  int n;
  double *value;
  bool compared;
} Array;

typedef struct {
  char file[64];
  Array array[MAX_ARRAYS];
  int narray;
} Expected;

typedef struct {
  int nmodel;
  int mujoco;  // the version that compiled the originals
  Expected model[MAX_MODELS];
} Fixture;

// What a comparison found: how many values differ, and the first of them in words.
typedef struct {
  int ndiff;
  char shown[MAX_SHOWN][LINE];
} Report;

// ---------------------------------------------------------------------- fixture

// "x" or "x*7" into the array at i; the next free index.
static int read_run(Array *a, int i, const char *word) {
  char *end;
  const double x = strtod(word, &end);
  long repeat = 1;
  if (*end == '*') repeat = strtol(end + 1, &end, 10);
  if (*end || !isfinite(x) || repeat < 1 || repeat > a->n - i) {
    fail_msg("%s: %s cannot take \"%s\" at %d", FIXTURE, a->name, word, i);
  }
  for (; repeat > 0; repeat--) a->value[i++] = x;
  return i;
}

static void read_array(Expected *e, const char *name, char **rest) {
  assert_true(e->narray < MAX_ARRAYS);
  Array *a = &e->array[e->narray++];
  const char *count = strtok_r(NULL, " \n", rest);
  assert_non_null(count);
  (void)snprintf(a->name, sizeof(a->name), "%s", name);
  a->n = (int)strtol(count, NULL, 10);
  assert_true(a->n > 0);
  a->value = malloc((size_t)a->n * sizeof(double));
  assert_non_null(a->value);
  int i = 0;
  for (const char *w; (w = strtok_r(NULL, " \n", rest));) i = read_run(a, i, w);
  if (i != a->n) fail_msg("%s: %s %s has %d of %d values", FIXTURE, e->file, name, i, a->n);
}

static int read_fixture(void **state) {
  static Fixture fixture;
  Fixture *f = &fixture;
  FILE *in = fopen(FIXTURE, "r");
  if (!in) {
    print_error("cannot read %s\n", FIXTURE);
    return -1;
  }
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, in) > 0) {
    char *rest;
    const char *first = strtok_r(line, " \n", &rest);
    if (!first || *first == '#') continue;
    if (!strcmp(first, "mujoco")) {
      f->mujoco = (int)strtol(rest, NULL, 10);
    } else if (!strcmp(first, "model")) {
      assert_true(f->nmodel < MAX_MODELS);
      Expected *e = &f->model[f->nmodel++];
      (void)snprintf(e->file, sizeof(e->file), "%s", strtok_r(NULL, " \n", &rest));
    } else {
      assert_true(f->nmodel > 0);
      read_array(&f->model[f->nmodel - 1], first, &rest);
    }
  }
  free(line);
  (void)fclose(in);
  *state = f;
  return 0;
}

static int free_fixture(void **state) {
  Fixture *f = *state;
  for (int k = 0; k < f->nmodel; k++) {
    for (int i = 0; i < f->model[k].narray; i++) free(f->model[k].array[i].value);
  }
  return 0;
}

// ------------------------------------------------------------------- comparison

static bool is_exempt(const char *name) {
  char word[80];
  (void)snprintf(word, sizeof(word), " %s ", name);
  for (size_t i = 0; i < sizeof(exempt) / sizeof(*exempt); i++) {
    if (strstr(exempt[i].names, word)) return true;
  }
  return false;
}

// nullable: an array the fixture has no line for
static Array *find(Expected *e, const char *name) {
  for (int i = 0; i < e->narray; i++) {
    if (!strcmp(e->array[i].name, name)) return &e->array[i];
  }
  return NULL;
}

__attribute__((format(printf, 2, 3))) static void differ(Report *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  if (r->ndiff < MAX_SHOWN) (void)vsnprintf(r->shown[r->ndiff], LINE, format, args);
  va_end(args);
  r->ndiff++;
}

// Element i of an array of the C type that kind stands for; exact, as every such type fits a
// double.
static double element(char kind, const void *p, int64_t i) {
  switch (kind) {
    case 'd':
      return ((const double *)p)[i];
    case 'f':
      return ((const float *)p)[i];
    case 'i':
      return ((const int *)p)[i];
    case 'l':
      return (double)((const int64_t *)p)[i];
    case 'o':
      return ((const bool *)p)[i];
    case 'c':
      return ((const char *)p)[i];
    default:
      return ((const unsigned char *)p)[i];
  }
}

#define KIND(p) \
  _Generic((p),          \
      double *: 'd',     \
      float *: 'f',      \
      int *: 'i',        \
      int64_t *: 'l',    \
      bool *: 'o',       \
      char *: 'c',       \
      unsigned char *: 'b')

static uint64_t bits(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof(u));
  return u;
}

// Compares bits, so that NaN differs from everything and -0 from 0. No line means no elements.
static void compare(Report *r, Expected *e, const char *name, char kind, const void *p, int64_t n) {
  if (is_exempt(name)) return;
  Array *a = find(e, name);
  if (!a) {
    if (n != 0) differ(r, "%s: %s: %lld values, expected none", e->file, name, (long long)n);
    return;
  }
  a->compared = true;
  if (n != a->n) {
    differ(r, "%s: %s: %lld values, expected %d", e->file, name, (long long)n, a->n);
    return;
  }
  for (int i = 0; i < a->n; i++) {
    const double found = element(kind, p, i);
    if (bits(found) != bits(a->value[i])) {
      differ(r, "%s: %s[%d] is %.17g (%a), expected %.17g (%a)", e->file, name, i, found, found,
             a->value[i], a->value[i]);
    }
  }
}

// A size has a line only if it is not zero.
static void compare_size(Report *r, Expected *e, const char *name, int64_t n) {
  if (n != 0) {
    compare(r, e, name, 'l', &n, 1);
  } else if (!is_exempt(name) && find(e, name)) {
    differ(r, "%s: %s is 0, expected %.0f", e->file, name, find(e, name)->value[0]);
    find(e, name)->compared = true;
  }
}

static void compare_model(Report *r, Expected *e, mjModel *m) {
  memset(r, 0, sizeof(*r));
  for (int i = 0; i < e->narray; i++) e->array[i].compared = false;
#define X(name) compare_size(r, e, #name, (int64_t)m->name);
  MJMODEL_SIZES
#undef X
#undef MJ_M
#define MJ_M(n) m->n
#define X(type, name, nr, nc) \
  compare(r, e, #name, KIND(m->name), m->name, (int64_t)m->nr *(int64_t)(nc));
  MJMODEL_POINTERS
#undef X
#define X(type, name, n)    compare(r, e, "opt." #name, KIND(&m->opt.name), &m->opt.name, n);
#define XVEC(type, name, n) compare(r, e, "opt." #name, KIND(&m->opt.name[0]), m->opt.name, n);
  MJOPTION_FIELDS
#undef XVEC
#undef X
  compare(r, e, "stat.meaninertia", 'd', &m->stat.meaninertia, 1);
  compare(r, e, "stat.meanmass", 'd', &m->stat.meanmass, 1);
  compare(r, e, "stat.meansize", 'd', &m->stat.meansize, 1);
  compare(r, e, "stat.extent", 'd', &m->stat.extent, 1);
  compare(r, e, "stat.center", 'd', m->stat.center, 3);
  for (int i = 0; i < e->narray; i++) {
    if (!e->array[i].compared) differ(r, "%s: %s: never compared", e->file, e->array[i].name);
  }
}

// ------------------------------------------------------------------------ tests

static char warning[LINE];

static void note_warning(const char *message) {
  (void)snprintf(warning, sizeof(warning), "%s", message);
}

// Loads a model; a warning is as bad as an error.
static mjModel *load(const char *file) {
  char path[4096], error[1024] = "";
  (void)snprintf(path, sizeof(path), "%s%s", MODELS, file);
  warning[0] = 0;
  mju_user_warning = note_warning;
  mjModel *m = mj_loadXML(path, NULL, error, sizeof(error));
  mju_user_warning = NULL;
  if (!m || error[0] || warning[0]) fail_msg("%s: %s%s", file, error, warning);
  return m;
}

static void test_every_model_is_gymnasiums(void **state) {
  Fixture *f = *state;
  if (f->mujoco != mj_version()) {
    print_message("fixture by MuJoCo %d, this is %d\n", f->mujoco, mj_version());
  }
  int ndiff = 0;
  assert_int_equal(f->nmodel, 11);
  for (int k = 0; k < f->nmodel; k++) {
    mjModel *m = load(f->model[k].file);
    Report r;
    compare_model(&r, &f->model[k], m);
    for (int i = 0; i < r.ndiff && i < MAX_SHOWN; i++) print_error("%s\n", r.shown[i]);
    if (r.ndiff > MAX_SHOWN) print_error("... %d in all\n", r.ndiff);
    ndiff += r.ndiff;
    mj_deleteModel(m);
  }
  assert_int_equal(ndiff, 0);
}

static void test_every_file_is_in_the_fixture(void **state) {
  const Fixture *f = *state;
  DIR *folder = opendir(MODELS);
  assert_non_null(folder);
  int nfound = 0;
  for (const struct dirent *d; (d = readdir(folder));) {
    // scene.xml is what the models include
    if (!strstr(d->d_name, ".xml") || !strcmp(d->d_name, "scene.xml")) continue;
    bool known = false;
    for (int k = 0; k < f->nmodel; k++) known |= !strcmp(f->model[k].file, d->d_name);
    if (!known) fail_msg("%s is not in %s", d->d_name, FIXTURE);
    nfound++;
  }
  (void)closedir(folder);
  assert_int_equal(nfound, f->nmodel);
}

static bool is_known(const char *name) {
  static const char *const known[] = {
#define X(name) #name,
      MJMODEL_SIZES
#undef X
#define X(type, name, nr, nc) #name,
          MJMODEL_POINTERS
#undef X
  };
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
    if (!strcmp(known[i], name)) return true;
  }
  return false;
}

static void test_every_exemption_exists(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(exempt) / sizeof(*exempt); i++) {
    char list[LINE * 4], *rest;
    (void)snprintf(list, sizeof(list), "%s", exempt[i].names);
    for (char *w = strtok_r(list, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
      if (!is_known(w)) fail_msg("\"%s\": MuJoCo has no %s", exempt[i].reason, w);
    }
  }
}

// The model after one number was spoiled: exactly that difference is found, and put into words.
static void expect_one(Expected *e, mjModel *m, const char *words) {
  Report r;
  compare_model(&r, e, m);
  assert_int_equal(r.ndiff, 1);
  if (!strstr(r.shown[0], words)) fail_msg("\"%s\" is not in \"%s\"", words, r.shown[0]);
}

static void test_one_wrong_bit_is_found(void **state) {
  Fixture *f = *state;
  Expected *e = &f->model[0];
  assert_string_equal(e->file, "ant.xml");
  mjModel *m = load(e->file);

  const mjtNum friction = m->geom_friction[4];
  m->geom_friction[4] = nextafter(friction, 2);
  expect_one(e, m, "ant.xml: geom_friction[4] is 0.50000000000000011 (");
  m->geom_friction[4] = friction;

  const mjtNum mass = m->body_mass[3];
  m->body_mass[3] = NAN;
  expect_one(e, m, "body_mass[3] is nan (nan), expected 0.0391577537284667");
  m->body_mass[3] = mass;

  m->qpos0[14] = -0.0;
  expect_one(e, m, "qpos0[14] is -0 (-0x0p+0), expected 0 (0x0p+0)");
  m->qpos0[14] = 0;

  m->jnt_limited[0] = true;
  expect_one(e, m, "jnt_limited[0] is 1 ");
  m->jnt_limited[0] = false;

  m->opt.solver = mjSOL_CG;
  expect_one(e, m, "opt.solver[0] is 1 ");
  m->opt.solver = mjSOL_NEWTON;

  m->nconmax = 0;
  expect_one(e, m, "nconmax is 0, expected -1");
  mj_deleteModel(m);
}

static void test_other_shapes_are_found(void **state) {
  Fixture *f = *state;
  for (int k = 1; k < f->nmodel; k++) {
    mjModel *m = load(f->model[k].file);
    Report r;
    compare_model(&r, &f->model[0], m);
    assert_true(r.ndiff > 20);
    mj_deleteModel(m);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_model_is_gymnasiums),
      cmocka_unit_test(test_every_file_is_in_the_fixture),
      cmocka_unit_test(test_every_exemption_exists),
      cmocka_unit_test(test_one_wrong_bit_is_found),
      cmocka_unit_test(test_other_shapes_are_found),
  };
  return cmocka_run_group_tests(tests, read_fixture, free_fixture);
}
