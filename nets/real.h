// The number type of networks and buffers: float in what is shipped, double in the build that
// checks gradients against centred differences.
#ifndef NETS_REAL_H_
#define NETS_REAL_H_

#ifdef RL_DOUBLE
typedef double RlReal;
#else
typedef float RlReal;
#endif

#endif
