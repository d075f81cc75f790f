// The report as one HTML page that needs nothing else: no other file, no network, and no script but
// for the read-out under the pointer. Place: written from a report, at the end.
#ifndef RL_REPORT_PAGE_H_
#define RL_REPORT_PAGE_H_

#include "rl/report/report.h"

// Writes the page. made: seconds since 1970, in its head.
void rl_page_write(FILE *out, RlReport *report, long long made);

// Writes the learning curves alone, as an SVG file.
void rl_page_write_svg(FILE *out, RlReport *report);

// The files of rl/report/page, built in: the figures' style, which their own files hold as well,
// the page's, and its script.
extern const char rl_page_figure[], rl_page_style[], rl_page_script[];

#endif
