// The table of the page's files: see page.h.
#include "rl/view/page.h"

#define SCRIPT "text/javascript; charset=utf-8"

const RlPageFile rl_page_files[RL_PAGE_FILES] = {
    {"", "text/html; charset=utf-8", rl_page_file_index},
    {"style.css", "text/css; charset=utf-8", rl_page_file_style},
    {"view.js", SCRIPT, rl_page_file_view},
    {"charts.js", SCRIPT, rl_page_file_charts},
    {"input.js", SCRIPT, rl_page_file_input},
    {"stream.js", SCRIPT, rl_page_file_stream},
};
