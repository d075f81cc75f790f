// The page's files, made part of the program by cmake/embed_text.cmake: what the server hands out
// comes from memory. Place: rl/view/page/ -> page.c -> http.c.
#ifndef RL_VIEW_PAGE_H_
#define RL_VIEW_PAGE_H_

enum { RL_PAGE_FILES = 6 };

typedef struct {
  const char *name;  // under /TOKEN/; "" is the page itself
  const char *type;  // Content-Type
  const char *text;
} RlPageFile;

extern const RlPageFile rl_page_files[RL_PAGE_FILES];

// the texts, each named after its file
extern const char rl_page_file_index[], rl_page_file_style[], rl_page_file_view[];
extern const char rl_page_file_charts[], rl_page_file_input[], rl_page_file_stream[];

#endif
