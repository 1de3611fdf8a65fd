// The runtime of the emulated devices, in place of device.cu and runtime.cu: memory that the host
// cannot touch, streams, events, copies. Streams are lists of work; unless work is deferred, it
// runs as soon as it is queued. Everything that the real runtime would take amiss is an error.
#include "emulation.h"
#include "ops/cuda/driver.h"
#include "ops/kernels.h"
#include <atomic>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

namespace
{
enum { NOT_A_VALUE = 1, NO_DEVICE = 100, BAD_DEVICE = 101, BAD_HANDLE = 400, MOST_DEVICES = 4 };
enum { PAGE = 4096, ALIGNMENT = 256 };
const size_t region_bytes = static_cast<size_t>(1) << 38; // of addresses, not of memory

// ---- memory -------------------------------------------------------------------------------------

// A block ends, but for its alignment, where its last page does; the next page stays closed for
// ever. Nothing is taken twice, so that what was released stays closed, too.
struct block {
    block *next;
    char *pages, *bytes;
    size_t page_bytes, size;
    int device;
    std::atomic<bool> open; // several threads may open it
};

block *blocks;
char *region, *region_free;
int open_depth, device_of_thread;
struct sigaction told_before; // who was told of faults

size_t rounded(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

void protect(block *b, bool open)
{
    mprotect(b->pages, b->page_bytes, open ? PROT_READ | PROT_WRITE : PROT_NONE);
    b->open = open;
}

// While memory is open, a block opens when it is touched: a kernel touches few of many.
void open_touched(int, siginfo_t *fault, void *)
{
    const char *at = static_cast<const char *>(fault->si_addr);
    block *b = open_depth ? blocks : NULL;
    while (b && (at < b->pages || at >= b->pages + b->page_bytes)) b = b->next;
    if (b)
        protect(b, true);
    else
        sigaction(SIGSEGV, &told_before, NULL); // who will be told of it at once
}

void open_memory()
{
    open_depth++;
}

void close_memory()
{
    if (--open_depth) return;
    for (block *b = blocks; b; b = b->next)
        if (b->open) protect(b, false);
}

bool in_region(const void *address)
{
    const char *at = static_cast<const char *>(address);
    return region && at >= region && at < region + region_bytes;
}

// The block that holds all of these bytes.
block *block_at(const void *address, size_t bytes)
{
    const char *at = static_cast<const char *>(address);
    for (block *b = blocks; b; b = b->next)
        if (at >= b->bytes && at + bytes <= b->bytes + b->size) return b;
    return NULL;
}

void *take_block(size_t bytes)
{
    if (!region) {
        void *found =
            mmap(NULL, region_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (found == MAP_FAILED) return NULL;
        region = region_free = static_cast<char *>(found);
        struct sigaction told = {};
        told.sa_sigaction = open_touched;
        told.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &told, &told_before);
    }
    const size_t size = rounded(bytes ? bytes : 1, ALIGNMENT), pages = rounded(size, PAGE);
    if (bytes > region_bytes ||
        pages + PAGE > region_bytes - static_cast<size_t>(region_free - region))
        return NULL;
    block *b = new block{blocks,           region_free, region_free + (pages - size), pages, bytes,
                         device_of_thread, {}};
    region_free += pages + PAGE;
    blocks = b;
    protect(b, true);
    memset(b->pages, 0xff, pages);
    if (!open_depth) protect(b, false);
    emulated.blocks_taken++;
    return b->bytes;
}

// False: there is no such block.
bool drop_block(void *bytes)
{
    for (block **link = &blocks; *link; link = &(*link)->next) {
        block *b = *link;
        if (b->bytes != bytes) continue;
        mmap(b->pages, b->page_bytes, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        *link = b->next;
        delete b;
        return true;
    }
    return false;
}

// ---- streams ------------------------------------------------------------------------------------

struct work {
    work *next;
    int (*body)(void *);
    size_t bytes; // of the copy of the caller's, behind this
};

// The default streams of the runtime have no entry: their work runs at once.
struct stream {
    stream *next;
    int device, error; // of work that ran while nobody could be told
    work *first, **last;
    int64_t queued, ran;
    bool captures;
    work *captured, **captured_last;
};
struct event {
    stream *on;
    int64_t after; // so much of the stream's work
};
stream *streams;

stream *stream_at(void *handle)
{
    stream *s = streams;
    while (s && s != handle) s = s->next;
    return s;
}

bool is_default(void *handle)
{
    return reinterpret_cast<uintptr_t>(handle) <= 2;
}

int run_now(int (*body)(void *), void *user)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    open_memory();
    const int error = body(user);
    close_memory();
    return error;
}

void run_until(stream *s, int64_t count)
{
    while (s->ran < count) {
        work *w = s->first;
        s->first = w->next;
        if (!s->first) s->last = &s->first;
        s->ran++;
        const int error = run_now(w->body, w + 1);
        if (!s->error) s->error = error;
        free(w);
    }
}

int error_of(stream *s)
{
    const int error = s->error;
    s->error = 0;
    return error;
}
} // namespace

int emulated_queue(void *handle, int (*body)(void *), const void *user, size_t user_bytes)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    stream *s = stream_at(handle);
    if (!s && !is_default(handle)) return BAD_HANDLE;
    if (s && s->device != device_of_thread) return BAD_HANDLE;
    work *w = static_cast<work *>(malloc(sizeof *w + user_bytes));
    *w = {NULL, body, user_bytes};
    memcpy(w + 1, user, user_bytes);
    if (s && s->captures) {
        *s->captured_last = w;
        s->captured_last = &w->next;
        return 0;
    }
    if (s && emulated.deferred) {
        *s->last = w;
        s->last = &w->next;
        s->queued++;
        return 0;
    }
    const int error = run_now(body, w + 1);
    free(w);
    return error;
}

int emulation_blocks(void)
{
    int count = 0;
    for (block *b = blocks; b; b = b->next) count++;
    return count;
}

int emulation_streams(void)
{
    int count = 0;
    for (stream *s = streams; s; s = s->next) count++;
    return count;
}

void emulation_open(void)
{
    open_memory();
}

void emulation_close(void)
{
    close_memory();
}

// ---- the table ----------------------------------------------------------------------------------

static int count_devices(int32_t *count)
{
    *count = emulated.no_device || emulated.lost ? 0 : emulated.devices;
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    return emulated.no_device ? NO_DEVICE : 0;
}

static int get_device(int32_t *device)
{
    *device = device_of_thread;
    return 0;
}

static int set_device(int32_t device)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    if (device < 0 || device >= emulated.devices) return BAD_DEVICE;
    device_of_thread = device;
    return 0;
}

static int create_stream(void **handle)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    stream *s = static_cast<stream *>(malloc(sizeof *s));
    *s = {streams, device_of_thread, 0, NULL, NULL, 0, 0, false, NULL, NULL};
    s->last = &s->first;
    streams = s;
    *handle = s;
    return 0;
}

static int destroy_stream(void *handle)
{
    for (stream **link = &streams; *link; link = &(*link)->next) {
        stream *s = *link;
        if (s != handle) continue;
        run_until(s, s->queued);
        *link = s->next;
        free(s);
        return emulated.lost ? EMULATED_LAUNCH_FAILURE : 0;
    }
    return BAD_HANDLE;
}

static int wait_for_stream(void *handle)
{
    stream *s = stream_at(handle);
    emulated.waits_for_stream++;
    if (!s) return is_default(handle) ? 0 : BAD_HANDLE;
    run_until(s, s->queued);
    return emulated.lost ? EMULATED_LAUNCH_FAILURE : error_of(s);
}

static int create_event(void **handle)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    *handle = calloc(1, sizeof(event));
    return 0;
}

static int destroy_event(void *handle)
{
    free(handle);
    return 0;
}

static int record_event(void *handle, void *on)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    stream *s = stream_at(on);
    if (!s && !is_default(on)) return BAD_HANDLE;
    *static_cast<event *>(handle) = {s, s ? s->queued : 0};
    return 0;
}

static int wait_for_event(void *handle)
{
    const event *e = static_cast<event *>(handle);
    emulated.waits_for_event++;
    if (e->on) run_until(e->on, e->after);
    return emulated.lost ? EMULATED_LAUNCH_FAILURE : 0;
}

static int take(void **taken, size_t bytes, void *)
{
    *taken = NULL;
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    if (!counts_down(&emulated.failing_take)) *taken = take_block(bytes);
    return *taken ? 0 : SG_CUDA_NO_MEMORY;
}

static int run_release(void *user)
{
    return drop_block(*static_cast<void **>(user)) ? 0 : NOT_A_VALUE;
}

static int release_later(void *bytes, void *on)
{
    return emulated_queue(on, run_release, &bytes, sizeof bytes);
}

struct copying {
    void *to;
    const void *from; // NULL: zeros
    size_t bytes;
};

static int run_copy(void *user)
{
    const copying *c = static_cast<copying *>(user);
    if (c->from)
        memmove(c->to, c->from, c->bytes);
    else
        memset(c->to, 0, c->bytes);
    return 0;
}

static int copy(void *to, const void *from, size_t bytes, int direction, void *on)
{
    const copying c = {to, from, bytes};
    const bool to_device = direction != SG_CUDA_TO_HOST,
               from_device = direction != SG_CUDA_TO_DEVICE;
    emulated.copies++;
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    if (counts_down(&emulated.failing_copy)) return NOT_A_VALUE;
    if (!to || !from || to_device != in_region(to) || from_device != in_region(from) ||
        (to_device && !block_at(to, bytes)) || (from_device && !block_at(from, bytes)))
        return NOT_A_VALUE;
    return emulated_queue(on, run_copy, &c, sizeof c);
}

static int clear(void *to, size_t bytes, void *on)
{
    const copying c = {to, NULL, bytes};
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    if (counts_down(&emulated.failing_copy) || !block_at(to, bytes)) return NOT_A_VALUE;
    return emulated_queue(on, run_copy, &c, sizeof c);
}

static int begin_capture(void *handle)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    stream *s = stream_at(handle);
    if (!s || s->captures) return BAD_HANDLE;
    s->captures = true;
    s->captured = NULL;
    s->captured_last = &s->captured;
    return 0;
}

// A graph is the list of what was captured, behind an entry that does nothing.
static int end_capture(void *handle, void **graph)
{
    stream *s = stream_at(handle);
    *graph = NULL;
    if (!s || !s->captures) return BAD_HANDLE;
    work *head = static_cast<work *>(calloc(1, sizeof *head));
    head->next = s->captured;
    s->captures = false;
    *graph = head;
    return 0;
}

static int launch_graph(void *graph, void *on)
{
    int error = 0;
    emulated.launches++;
    if (counts_down(&emulated.failing_launch)) return EMULATED_LAUNCH_FAILURE;
    for (work *w = static_cast<work *>(graph)->next; w && !error; w = w->next)
        error = emulated_queue(on, w->body, w + 1, w->bytes);
    return error;
}

static int destroy_graph(void *graph)
{
    for (work *w = static_cast<work *>(graph), *next; w; w = next) {
        next = w->next;
        free(w);
    }
    return 0;
}

struct pinned {
    pinned *next;
    size_t bytes;
};
static pinned *all_pinned;

static int take_pinned(void **taken, size_t bytes)
{
    *taken = NULL;
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    pinned *p = counts_down(&emulated.failing_take)
                    ? NULL
                    : static_cast<pinned *>(calloc(1, sizeof *p + bytes));
    *taken = p ? p + 1 : NULL;
    if (!p) return SG_CUDA_NO_MEMORY;
    *p = {all_pinned, bytes};
    all_pinned = p;
    return 0;
}

static int release_pinned(void *taken)
{
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    for (pinned **link = &all_pinned; *link; link = &(*link)->next) {
        pinned *p = *link;
        if (p + 1 != taken) continue;
        *link = p->next;
        free(p);
        return 0;
    }
    return NOT_A_VALUE;
}

static int look_at(const void *address)
{
    const block *b = block_at(address, 0);
    if (emulated.lost) return SG_CUDA_UNKNOWN;
    if (b) return b->device == device_of_thread ? SG_CUDA_REACHED : SG_CUDA_OF_ANOTHER;
    const char *at = static_cast<const char *>(address);
    for (const pinned *p = all_pinned; p; p = p->next) {
        const char *start = reinterpret_cast<const char *>(p + 1);
        if (at >= start && at < start + p->bytes) return SG_CUDA_REACHED;
    }
    return SG_CUDA_OF_HOST;
}

static const char *error_text(int error)
{
    return error == NO_DEVICE ? "no CUDA-capable device is detected" : "an error of the emulation";
}

extern "C" const sg_cuda_runtime sg_cuda_runtime_of_build = {
    count_devices, get_device,     set_device,    create_stream,  destroy_stream, wait_for_stream,
    create_event,  destroy_event,  record_event,  wait_for_event, take,           release_later,
    copy,          clear,          begin_capture, end_capture,    launch_graph,   destroy_graph,
    take_pinned,   release_pinned, look_at,       error_text};

static int properties(sg_cuda_properties *found)
{
    if (emulated.no_device) return NO_DEVICE;
    found->device = device_of_thread;
    found->multiprocessors = emulated.multiprocessors;
    found->shared_bytes = EMULATED_MOST_SHARED;
    return 0;
}

static void *upload(const void *bytes, size_t count)
{
    void *taken = emulated.failing_upload ? NULL : take_block(count);
    if (!taken) return NULL;
    open_memory();
    memcpy(taken, bytes, count);
    close_memory();
    return taken;
}

static void release(int32_t, void *taken)
{
    drop_block(taken);
}

extern "C" const sg_cuda_driver *sg_cuda_driver_of_build(void)
{
    static const sg_cuda_driver driver = SG_CUDA_DRIVER(properties, upload, release, NULL, NULL);
    return &driver;
}
