// A multi-layer perceptron on one flat parameter block: linear layers with tanh or ReLU between
// them and a linear output. Place: the actors and critics of rl/algo.
//
// Weights are stored (in, out), so that forward and weight gradient both run along the output. The
// struct holds no scratch: whoever runs it brings an RlMlpWork, so blocks of one minibatch can run
// on several threads, each into its own gradient slot.
#ifndef NETS_MLP_H_
#define NETS_MLP_H_

#include "nets/real.h"
#include "rl/base/arena.h"
#include "rl/base/config.h"
#include "rl/base/rng.h"

enum { RL_MAX_LAYERS = RL_MAX_HIDDEN + 1 };

typedef struct {
  int L;                       // linear layers
  int dim[RL_MAX_LAYERS + 1];  // widths: input, hidden ..., output
  int nparam, nextra;          // all parameters; those of them that come after the layers'
  int activation;              // RL_ACTIVATION_TANH or RL_ACTIVATION_RELU
  RlReal *param;               // one flat block (nparam): W0, b0, W1, b1, ..., extra
  RlReal *W[RL_MAX_LAYERS];    // views into param (dim[l], dim[l + 1])
  RlReal *b[RL_MAX_LAYERS];    // views into param (dim[l + 1])
  RlReal *extra;               // view into param (nextra): log sigma, say; the layers do not use it
  // What products with many rows read instead of W, made by rl_mlp_pack (nets/gemm.h). NULL where a
  // layer is narrow, or has no gradient to pass on.
  RlReal *packed[RL_MAX_LAYERS];    // W                          (dim[l], dim[l + 1])
  RlReal *packed_t[RL_MAX_LAYERS];  // its transpose              (dim[l + 1], dim[l])
} RlMlp;

typedef struct {
  int rows;                       // capacity
  const RlReal *x;                // what the last forward read; the caller's
  RlReal *y[RL_MAX_LAYERS + 1];   // y[l], l >= 1: output of layer l, after its activation
  RlReal *dy[RL_MAX_LAYERS + 1];  // their gradients, see rl_mlp_backward; NULL if for forward only
} RlMlpWork;

// Number of parameters of a network input -> hidden ... -> output.
int rl_mlp_nparam(int input, const RlDims *hidden, int output);

// Lays a network out in the arena; parameters are zero. output >= 1, input >= 1. nextra parameters
// of the caller's follow the layers' in the block, so that one Adam and one file field hold all.
void rl_mlp_init(RlMlp *mlp, RlArena *arena, int input, const RlDims *hidden, int output,
                 int activation, int nextra);

// Draws the weights, biases zero. Orthogonal: gain sqrt 2 in hidden layers, output_gain in the last
// (Saxe et al. 2014; "37 details" 2). Uniform: U(+-1/sqrt(fan in)) for weights and biases
// (PyTorch's nn.Linear), the last layer scaled by output_gain. Packs.
void rl_mlp_draw(RlMlp *mlp, int init, double output_gain, RlRng *rng);

// Refreshes what is derived from param: to be called after every change of param. Its halves, for
// rl_mlp_forward and for rl_mlp_backward, touch nothing in common.
void rl_mlp_pack(RlMlp *mlp);
void rl_mlp_pack_forward(RlMlp *mlp);
void rl_mlp_pack_backward(RlMlp *mlp);

// Allocates activations for rows rows; with_gradient: room for rl_mlp_backward too.
void rl_mlp_work_init(RlMlpWork *work, RlArena *arena, const RlMlp *mlp, int rows,
                      int with_gradient);

// Runs x (rows, dim[0]) to work->y[L] (rows, dim[L]). Nothing is copied: rl_mlp_backward reads x
// again.
void rl_mlp_forward(const RlMlp *mlp, RlMlpWork *work, const RlReal *x, int rows);

// From work->dy[L] (rows, dim[L]), after a forward of the same rows: overwrites dy[L - 1] ...
// dy[1], each with the gradient of a layer's output before its activation, and grad (nparam), laid
// out as param, with the layers' parameters': what belongs to extra is left alone.  nullable: grad
void rl_mlp_backward(const RlMlp *mlp, RlMlpWork *work, int rows, RlReal *grad);

#endif
