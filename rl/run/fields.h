// The list of named arrays that a file holds: one list saves and loads alike.
#ifndef RL_RUN_FIELDS_H_
#define RL_RUN_FIELDS_H_

#include "rl/run/checkpoint.h"

enum { RL_MAX_FIELDS = 64 };

typedef struct {
  int n;
  RlField field[RL_MAX_FIELDS];
} RlFields;

// Appends a data set of shape (rows, columns); columns 0: rank 1; rows 0 too: a scalar. name and
// data must outlive the list.
void rl_fields_push(RlFields *fields, const char *name, RlFieldType type, void *data, int64_t rows,
                    int64_t columns);

// The same for an array of counts, steps or sums of squares: reading refuses values below zero.
void rl_fields_push_nonnegative(RlFields *fields, const char *name, RlFieldType type, void *data,
                                int64_t rows, int64_t columns);

// Copies the data of every field of from to the same field of to; both lists have the same shapes.
void rl_fields_copy(const RlFields *to, const RlFields *from);

#endif
