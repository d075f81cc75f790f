// The report as text: learning curves in braille or letters, the tables in columns. Place: written
// from a report; --terminal.
#ifndef RL_REPORT_TERMINAL_H_
#define RL_REPORT_TERMINAL_H_

#include "rl/report/report.h"

typedef struct {
  int width;              // columns
  bool unicode, escapes;  // braille, else letters; colours
} RlTerminal;

// Writes to out as wide as it is; escape codes only where it is a terminal that knows them.
void rl_terminal_write(FILE *out, RlReport *report);

// The same for a given terminal.
void rl_terminal_write_to(FILE *out, RlReport *report, const RlTerminal *terminal);

// Writes a table alone.
void rl_terminal_write_sheet(FILE *out, const RlSheet *sheet, const RlTerminal *terminal);

#endif
