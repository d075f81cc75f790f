// The list of named arrays: see fields.h.
#include "rl/run/fields.h"

#include <string.h>

#include "rl/run/checkpoint_format.h"

void rl_fields_push(RlFields *fields, const char *name, RlFieldType type, void *data, int64_t rows,
                    int64_t columns) {
  RL_ASSERT(fields->n < RL_MAX_FIELDS);
  RlField *field = &fields->field[fields->n++];
  *field = (RlField){.name = name, .type = type, .data = data};
  if (rows) field->dim[field->rank++] = rows;
  if (columns) field->dim[field->rank++] = columns;
}

void rl_fields_push_nonnegative(RlFields *fields, const char *name, RlFieldType type, void *data,
                                int64_t rows, int64_t columns) {
  rl_fields_push(fields, name, type, data, rows, columns);
  fields->field[fields->n - 1].nonnegative = true;
}

void rl_fields_copy(const RlFields *to, const RlFields *from) {
  RL_ASSERT(to->n == from->n);
  for (int i = 0; i < to->n; i++) {
    const RlField *field = &to->field[i];
    memcpy(field->data, from->field[i].data,
           rl_checkpoint_count(field) * rl_checkpoint_type_size(field->type));
  }
}
