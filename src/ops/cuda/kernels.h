/* What stands between the host side of the signature operations on CUDA, which is C, and the
 * kernels, which are C++: plain structs, one table of functions that queue a kernel each, and one
 * table of what is asked of the CUDA runtime. The tests put other tables in their place. */
#ifndef SG_CUDA_KERNELS_H
#define SG_CUDA_KERNELS_H
#include "ops/cuda/bounds.h"
#include "ops/cuda/runtime.h"
#include <stdbool.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Words of a level and threads of a path are counted in 31 bits; two letters reach that at 30. */
enum { SG_CUDA_MOST_DEGREE = 32 };
/* Letters that a thread of the kernels for any degree takes at once. */
enum { SG_CUDA_TILE = 4, SG_CUDA_DEEP_BLOCK = 64 /* threads */ };
/* Few letters: a thread takes all of them, and two levels, or as many as registers allow. */
enum { SG_CUDA_MOST_LEAF_LETTERS = 5, SG_CUDA_MOST_LEAF_DEGREE = 8 };
#define SG_CUDA_LEAF_LEVELS(letters, degree, scalar_bytes, backward)                  \
    SG_CUDA_LESSER(degree, (letters) == 2   ? ((backward) ? 4 : 5)                    \
                           : (letters) == 3 ? 3                                       \
                           : (letters) == 4 ? 3 - ((backward) && (scalar_bytes) == 8) \
                                            : 3 - ((backward) || (scalar_bytes) == 8))
#define SG_CUDA_LESSER(a, b) ((a) < (b) ? (a) : (b))
/* Of a chunk's description in shared memory. */
enum { SG_CUDA_TRACK_BYTES = 32 };

/* Paths [batch, length, dimension] and how increments are made of them. */
typedef struct {
    const void *x;
    const int64_t
        *lengths; /* [batch] on the device, clamped to 0 .. length; NULL: all are length */
    int64_t batch, length;
    int32_t dimension, letters; /* before and after augmentation */
    int32_t time_aug, lead_lag;
    double end_time;
} sg_cuda_paths;

/* How the threads of a kernel are laid over paths and words; made by layout.c, which explains it.
 */
typedef struct {
    int32_t letters, degree;
    int32_t levels;            /* above its suffix that a thread has words of */
    int32_t tile_k, tile_q;    /* letters that it takes at once; tile_q 0: one tile of them */
    int32_t nodes;             /* suffixes that a path is cut into */
    int32_t tiles;             /* threads for each of them */
    int32_t slices, parts;     /* of a path's threads; parts of them run side by side */
    int32_t per_group, groups; /* threads of a slice; slices in a block of threads */
    int32_t threads;           /* of a block, whole warps */
    int32_t blocks;            /* of the grid: each takes every blocks-th task */
    int64_t tasks;
    int64_t chunks, chunk_steps; /* of time */
    int64_t piece_steps;
    int32_t pieces;      /* of a chunk: groups of one block, which joins them */
    int32_t block_steps; /* increments in shared memory at a time */
    int32_t width;       /* entries of an increment there, the letters rounded up */
    int32_t whole;       /* a block has all of its paths' threads and steps */
    int32_t stored;      /* increments come from memory, since they are too wide */
    int32_t sum_rows, sum_steps, sum_lanes; /* of the backward's reduction */
    int32_t kept;                           /* values that a thread of the backward keeps */
    size_t shared_bytes;
} sg_cuda_layout;

/* Rows of an array with a scalar term in front of each, or none. */
typedef struct {
    void *data;
    int64_t stride; /* entries from row to row, scalar term included */
    int32_t scalar; /* 0 or 1 */
} sg_cuda_rows;

/* Chunks of time [batch][chunks] whose tensors are multiplied, `run` of them one after the other;
 * the last run of a path may be shorter. */
typedef struct {
    int32_t letters, degree;
    int64_t batch, chunks, run;
} sg_cuda_runs;

/* A sparse integer matrix by rows. */
typedef struct {
    int32_t column, value;
} sg_cuda_entry;
typedef struct {
    const int64_t *start; /* [rows + 1] */
    const sg_cuda_entry *entry;
    int64_t rows;
} sg_cuda_matrix;

/* x[r] -= sum of value x[column] over rows r, in an order in which a row comes after those that it
 * reads: rows of one wave do not read each other. */
typedef struct {
    sg_cuda_matrix matrix; /* row i of it belongs to x[row[i]] */
    const int32_t *row;
    const int64_t *first; /* [waves + 1] */
    int64_t waves;
} sg_cuda_solve;

/* One step of the Horner scheme of log(1 + x) or exp(x) - 1, see series.cu. */
typedef struct {
    int32_t letters, degree;
    int32_t exponential;
    const int32_t *place; /* [count] of the words wanted, in a tensor; NULL: all */
    int64_t count;
    int64_t batch;
    int32_t blocks, threads;
    int64_t work_stride; /* entries of work for each block */
} sg_cuda_series;

/* Every function queues on `stream` and returns 0, or the runtime's error. Arrays are on the
 * device, float, double or dual numbers by the table that the function is
 * from. */
typedef struct {
    int (*increments)(const sg_cuda_paths *paths, const sg_cuda_layout *q, void *z, void *stream);
    int (*forward)(const sg_cuda_paths *paths, const sg_cuda_layout *q, const void *z,
                   sg_cuda_rows out, void *stream);
    int (*backward)(const sg_cuda_paths *paths, const sg_cuda_layout *q, const void *z,
                    sg_cuda_rows cotangent, void *kept, void *z_bar, void *path_bar, void *stream);
    int (*path_bar)(const sg_cuda_paths *paths, int32_t parts, const void *z_bar, void *path_bar,
                    void *stream);
    int (*line)(const sg_cuda_paths *paths, int32_t degree, sg_cuda_rows out, void *stream);
    int (*line_bar)(const sg_cuda_paths *paths, int32_t degree, sg_cuda_rows cotangent,
                    void *path_bar, void *stream);
    int (*join)(const sg_cuda_runs *runs, const void *chunk, sg_cuda_rows out, void *stream);
    int (*scan)(const sg_cuda_runs *runs, const void *chunk, const void *before_run,
                const void *after_run, void *before, void *after, void *stream);
    int (*chunk_bar)(const sg_cuda_layout *q, int64_t batch, sg_cuda_rows cotangent,
                     const void *before, const void *after, void *half, void *out, void *stream);
    int (*series)(const sg_cuda_series *s, sg_cuda_rows x, sg_cuda_rows y, void *work,
                  void *stream);
    int (*series_bar)(const sg_cuda_series *s, sg_cuda_rows x, sg_cuda_rows y_bar,
                      sg_cuda_rows x_bar, void *work, void *stream);
    int (*solve)(const sg_cuda_solve *solve, int64_t batch, sg_cuda_rows x, void *stream);
    int (*gather)(const sg_cuda_matrix *matrix, int64_t batch, sg_cuda_rows x, sg_cuda_rows y,
                  void *stream); /* y = matrix x */
    int (*copy)(int64_t batch, int64_t entries, sg_cuda_rows from, sg_cuda_rows to, void *stream);
} sg_cuda_kernels;

extern const sg_cuda_kernels sg_cuda_kernels_f32, sg_cuda_kernels_f64, sg_cuda_kernels_dual;

/* Dual numbers, for derivatives along a direction (dual.cuh), in double precision: n of them from
 * floats or doubles of `bytes` (slope NULL: all 0), and their slopes added to such again. */
enum { SG_CUDA_DUAL_BYTES = 16 };
typedef struct {
    const sg_cuda_kernels *kernels;
    int (*join)(int32_t bytes, int64_t n, const void *value, const void *slope, void *out,
                void *stream);
    int (*add_slopes)(int32_t bytes, int64_t n, const void *x, void *out, void *stream);
} sg_cuda_dual;

extern const sg_cuda_dual sg_cuda_dual_of_build;

/* What the layout asks of a device. */
typedef struct {
    int32_t device; /* the index of the calling thread's current one */
    int32_t multiprocessors;
    size_t shared_bytes; /* that a block may have */
} sg_cuda_properties;

struct sg_cuda_blas;

typedef struct {
    const sg_cuda_kernels *f32, *f64;
    int (*properties)(sg_cuda_properties *properties); /* of the current device; 0, or an error */
    void *(*upload)(const void *bytes, size_t count);  /* waits; NULL if memory is short */
    void (*release)(int32_t device, void *block);
    const sg_cuda_runtime *runtime;
    const struct sg_kernels *dense;
    const struct sg_rule_kernels *rules;
    const sg_cuda_dual *dual;
    /* Those of ops/cuda/dense/blas.h; NULL: there is no cuBLAS. */
    bool (*open_blas)(struct sg_cuda_blas *blas, void *stream, void *scratch, const char **reason);
    void (*close_blas)(struct sg_cuda_blas *blas);
} sg_cuda_driver;

/* NULL in a library without CUDA. */
const sg_cuda_driver *sg_cuda_driver_of_build(void);

#ifdef __cplusplus
}
#endif
#endif
