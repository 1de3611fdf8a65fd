/* One call of a signature function, on the device and on the host, with arrays of the host. */
#ifndef DEVICE_CALL_H
#define DEVICE_CALL_H
#include <sigad/sigad.h>

typedef struct {
    sigad_call call;
    sigad_dtype dtype;
    sigad_sig_spec spec;
    int64_t batch, length;
    const int64_t *lengths; /* or NULL */
    const void *x, *y_bar;
} device_call;

int call_is_backward(sigad_call call);
int call_from_path(sigad_call call);
/* Entries of an item of x and y, and of the whole result. */
int64_t call_x_entries(const device_call *c);
int64_t call_y_entries(const device_call *c);
int64_t call_out_entries(const device_call *c);
size_t call_entry_bytes(const device_call *c);

/* `out` holds call_out_entries. SIGAD_ENOMEM also if the device's memory is short. */
sigad_status call_on_device(const device_call *c, void *out);
sigad_status call_on_host(const device_call *c, void *out);

/* The same in three parts, for who calls more than once; end after begin in any case. */
typedef struct {
    sigad_plan *plan;
    void *x, *y_bar, *out, *work;
    int64_t *lengths;
    size_t work_bytes;
} device_job;
sigad_status device_begin(const device_call *c, device_job *job);
sigad_status device_call_once(const device_call *c, const device_job *job);
void device_end(device_job *job);

/* So many numbers between -size and size; the caller frees them. */
void *call_numbers(sigad_dtype dtype, int64_t n, double size, double phase);
/* Entry i of an array of the dtype. */
double call_entry(sigad_dtype dtype, const void *array, int64_t i);
/* The largest |a - b| / max(1, largest |b|); infinite if a has a NaN. */
double call_distance(sigad_dtype dtype, int64_t n, const void *a, const void *b);
void call_print(const device_call *c); /* a line's beginning: the whole problem */

#endif
