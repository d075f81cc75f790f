// Levenshtein's distance in one row of the table: see nearest.h.
#include "rl/base/nearest.h"

#include <string.h>

// Not tolower: the distance must not depend on the locale, nor take a byte of UTF-8 for a letter.
static int lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

bool rl_nearest_begins(const char *name, const char *known) {
  while (*known != '\0' && lower(*name) == lower(*known)) name++, known++;
  return *known == '\0';
}

static int smaller(int a, int b) {
  return a < b ? a : b;
}

int rl_nearest_distance(const char *a, const char *b) {
  int na = (int)strnlen(a, RL_NEAREST_MAX), nb = (int)strnlen(b, RL_NEAREST_MAX);
  int row[RL_NEAREST_MAX + 1];
  for (int j = 0; j <= nb; j++) row[j] = j;
  for (int i = 1; i <= na; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= nb; j++) {
      int replace = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = smaller(replace, smaller(row[j], row[j - 1]) + 1);
    }
  }
  return row[nb];
}
