// The functions of the CUDA table, with the types that ops/kernels.h gives them; table.cu puts them
// together.
#pragma once
#include "ops/kernels.h"

// In the order of sg_kernels. Laid out by hand: the formatter never comes to an end with such a
// list.
// clang-format off
#define SG_CUDA_KERNELS(X) \
    X(clear) X(move) X(copy) X(add_scaled) X(fill) X(set_rows) X(add_to_rows) X(cast) \
    X(cast_add) X(check_index) X(gather) X(gather_add) X(scatter_workspace) X(scatter_add) \
    X(one_hot) X(extreme) X(pick) X(put) X(unary) X(binary) X(equal) X(less) X(where) \
    X(add_where) X(along) X(root) X(finite) X(log_plus) X(loss) X(sum) X(cumsum) X(softmax) \
    X(layer_norm) X(layer_norm_times) X(layer_norm_project) X(layer_norm_bend) \
    X(cross_entropy_fwd) X(cross_entropy_vjp) X(cross_entropy_jvp) X(cross_entropy_soc) \
    X(nll_terms) X(nll_vjp) X(gemm) X(set_key) X(uniform) X(normal) X(dropout)
// clang-format on

template <class T> struct pointee;
template <class T> struct pointee<T *> {
    using type = T;
};

#define SG_CUDA_FUNCTION(name) extern "C" pointee<decltype(sg_kernels::name)>::type sg_cuda_##name;
SG_CUDA_KERNELS(SG_CUDA_FUNCTION)
#undef SG_CUDA_FUNCTION
