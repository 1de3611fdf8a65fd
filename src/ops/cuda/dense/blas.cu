// cuBLAS behind ops/cuda/dense/blas.h. Its matrices go by columns: C^T = op(B)^T op(A)^T. In
// the default mode, which is without TF32, without atomic operations, and with a handle and scratch
// for each stream, its results are the same on every run.
#include "ops/cuda/dense/blas.h"
#include <cublas_v2.h>
#include <dlfcn.h>

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

template <class Function> static Function find(const sg_cuda_blas *blas, const char *name)
{
    return reinterpret_cast<Function>(dlsym(blas->library, name));
}

// One call for all steps of the axis `batched` (-1: none), from the given offsets on.
static int multiply(const sg_cuda_blas *blas, const sg_gemm_plan *p, int batched, double beta,
                    const char *a, const char *b, char *c)
{
    const sg_gemm_axis one = {1, 0, 0, 0}, axis = batched < 0 ? one : p->axis[batched];
    const cublasHandle_t handle = static_cast<cublasHandle_t>(blas->handle);
    const cublasOperation_t of_b = p->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t of_a = p->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const int m = static_cast<int>(p->m), n = static_cast<int>(p->n), k = static_cast<int>(p->k);
    const int lda = static_cast<int>(p->lda), ldb = static_cast<int>(p->ldb),
              ldc = static_cast<int>(p->ldc), count = static_cast<int>(axis.size);
    if (p->dtype == SIGAD_F64)
        return reinterpret_cast<decltype(&cublasDgemmStridedBatched)>(blas->product[1])(
            handle, of_b, of_a, n, m, k, &p->alpha, reinterpret_cast<const double *>(b), ldb,
            axis.b, reinterpret_cast<const double *>(a), lda, axis.a, &beta,
            reinterpret_cast<double *>(c), ldc, axis.c, count);
    const float alpha = static_cast<float>(p->alpha), factor = static_cast<float>(beta);
    return reinterpret_cast<decltype(&cublasSgemmStridedBatched)>(blas->product[0])(
        handle, of_b, of_a, n, m, k, &alpha, reinterpret_cast<const float *>(b), ldb, axis.b,
        reinterpret_cast<const float *>(a), lda, axis.a, &factor, reinterpret_cast<float *>(c), ldc,
        axis.c, count);
}

// The longest axis whose products are not added up.
static int axis_to_batch(const sg_gemm_plan *p)
{
    int best = -1;
    for (int i = 0; i < p->axes; i++)
        if (p->axis[i].c && (best < 0 || p->axis[i].size > p->axis[best].size)) best = i;
    return best;
}

static int gemm(const sg_cuda_blas *blas, const sg_gemm_plan *p, const void *a, const void *b,
                void *c)
{
    const int64_t bytes = p->dtype == SIGAD_F64 ? 8 : 4;
    const int batched = axis_to_batch(p);
    int64_t calls = 1;
    for (int i = 0; i < p->axes; i++)
        if (i != batched) calls *= p->axis[i].size;
    for (int64_t call = 0; call < calls; call++) {
        int64_t rest = call, at_a = 0, at_b = 0, at_c = 0;
        bool first = true; // product of its sum
        for (int i = p->axes - 1; i >= 0; i--) {
            if (i == batched) continue;
            const int64_t step = rest % p->axis[i].size;
            rest /= p->axis[i].size;
            at_a += step * p->axis[i].a;
            at_b += step * p->axis[i].b;
            at_c += step * p->axis[i].c;
            if (!p->axis[i].c && step) first = false;
        }
        const int error = multiply(
            blas, p, batched, first ? p->beta : 1, static_cast<const char *>(a) + at_a * bytes,
            static_cast<const char *>(b) + at_b * bytes, static_cast<char *>(c) + at_c * bytes);
        if (error) return cudaErrorUnknown; // the numbers of cuBLAS mean something else elsewhere
    }
    return 0;
}

static bool start(sg_cuda_blas *blas, void *stream, void *scratch)
{
    const auto create = find<decltype(&cublasCreate_v2)>(blas, "cublasCreate_v2");
    const auto set_stream = find<decltype(&cublasSetStream_v2)>(blas, "cublasSetStream_v2");
    const auto set_mode = find<decltype(&cublasSetMathMode)>(blas, "cublasSetMathMode");
    const auto set_atomics = find<decltype(&cublasSetAtomicsMode)>(blas, "cublasSetAtomicsMode");
    const auto set_scratch = find<decltype(&cublasSetWorkspace_v2)>(blas, "cublasSetWorkspace_v2");
    blas->product[0] = find<void (*)()>(blas, "cublasSgemmStridedBatched");
    blas->product[1] = find<void (*)()>(blas, "cublasDgemmStridedBatched");
    cublasHandle_t handle = nullptr;
    if (!create || !set_stream || !set_mode || !set_atomics || !set_scratch || !blas->product[0] ||
        !blas->product[1] || create(&handle))
        return false;
    blas->handle = handle;
    return !set_stream(handle, static_cast<cudaStream_t>(stream)) &&
           !set_scratch(handle, scratch, SG_CUDA_BLAS_SCRATCH) &&
           !set_mode(handle, CUBLAS_DEFAULT_MATH) &&
           !set_atomics(handle, CUBLAS_ATOMICS_NOT_ALLOWED);
}

bool sg_cuda_blas_open(sg_cuda_blas *blas, void *stream, void *scratch, const char **reason)
{
    static const char of_build[] = "libcublas.so." TEXT_OF(CUBLAS_VER_MAJOR);
    *blas = {};
    blas->gemm = gemm;
    blas->library = dlopen(of_build, RTLD_NOW | RTLD_LOCAL);
    if (blas->library && start(blas, stream, scratch)) return true;
    *reason = blas->library ? "cuBLAS does not start" : "libcublas.so is not found";
    sg_cuda_blas_close(blas);
    return false;
}

void sg_cuda_blas_close(sg_cuda_blas *blas)
{
    if (blas->handle)
        find<decltype(&cublasDestroy_v2)>(blas, "cublasDestroy_v2")(
            static_cast<cublasHandle_t>(blas->handle));
    if (blas->library) dlclose(blas->library);
    *blas = {};
}
