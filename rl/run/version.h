// version.txt: what can change a run's bits besides its configuration: program, compiler, libraries
// and the processor with its vector extensions; and what writes the event files. Place: written
// once into the run folder when it is created, and read by people who compare two runs. It names no
// machine and no hour, and is no part of the bytes that two runs have in common.
#ifndef RL_RUN_VERSION_H_
#define RL_RUN_VERSION_H_

#include <stddef.h>

// Writes the text of version.txt, one "key: value" a line. program, mujoco: versions; kernels: the
// instruction set the array kernels run on. Found here: digests of the running program's file and
// of what the C library's mathematics computes, compiler, libraries, processor.
// Returns the length as snprintf does.
size_t rl_version_compose(const char *program, const char *mujoco, const char *kernels, char *text,
                          size_t size);

#endif
